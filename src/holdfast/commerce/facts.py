"""What a decision may know beyond its input: other records, the time, new ids, who asks.

Decisions are pure, yet few know in advance which records they need: a line item needs its
product, the product's tax category, perhaps a channel. So they simply ask. A fact nobody has
gathered yet raises `MissingFacts`; the handler loads what was asked and runs the decision again
from the start. Decisions take microseconds, and the reads of all concurrent requests share
statements, so asking costs less than planning. Time and ids are fixed once per request, so every
run gives the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from holdfast.base.errors import InvalidInput, ReferencedResourceNotFound
from holdfast.commerce.values.reference import KeyReference, Reference, ResourceIdentifier
from holdfast.commerce.values.value import ClientInfo, Stored

if TYPE_CHECKING:
    from holdfast.commerce.registry import Resource

R = TypeVar("R", bound=Stored)


class Caller(NamedTuple):
    """Who asks: the project, the API client, and the shopper if the token names one."""

    project: str
    client_id: str
    scopes: frozenset[str]
    customer_id: str | None = None
    anonymous_id: str | None = None
    external_user_id: str | None = None

    @property
    def is_shopper(self) -> bool:
        """Whether the token names a customer or an anonymous session."""
        return self.customer_id is not None or self.anonymous_id is not None

    def info(self) -> ClientInfo:
        """The `createdBy`/`lastModifiedBy` entry of this caller."""
        return ClientInfo(
            client_id=self.client_id,
            external_user_id=self.external_user_id,
            anonymous_id=self.anonymous_id,
            customer={"typeId": "customer", "id": self.customer_id} if self.customer_id else None,
        )


class ById(NamedTuple):
    kind: str
    id: str


class ByField(NamedTuple):
    """One resource by a unique field (`key`, `sku`, `slug.en` …)."""

    kind: str
    field: str
    value: str


class Matching(NamedTuple):
    """Resources that match a query predicate, at most `limit` of them."""

    kind: str
    predicate: str
    sort: str | None
    limit: int


class PasswordHash(NamedTuple):
    """The slow, salted hash of a new password: chance and time, so the handler's part."""

    password: str

    def __repr__(self) -> str:
        return "PasswordHash(***)"


class Used(NamedTuple):
    """How far a tally has counted. What is known of it is old by the time of the commit, which counts again."""

    name: str


Lookup = ById | ByField | Matching | PasswordHash | Used
MATCHING_LIMIT_MAX = 500


class MissingFacts(Exception):
    """The decision asked for records that are not gathered yet."""

    def __init__(self, lookups: frozenset[Lookup]) -> None:
        super().__init__(lookups)
        self.lookups = lookups


class Facts:
    """The gathered records of one request, with its time, ids and caller."""

    __slots__ = ("_base_id", "_issued", "_known", "caller", "now", "store_key")

    def __init__(
        self, *, caller: Caller, now: str, base_id: int, known: Mapping[Lookup, Any], store_key: str | None = None
    ) -> None:
        self.caller = caller
        self.now = now
        self.store_key = store_key
        self._base_id = base_id
        self._issued = 0
        self._known = known

    @property
    def project_key(self) -> str:
        return self.caller.project

    def new_id(self) -> str:
        """The next id of this request; a repeated run issues the same ones in the same order."""
        self._issued += 1
        text = f"{self._base_id + self._issued:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def gather(self, lookups: Iterable[Lookup]) -> None:
        """Ask for several records at once, where asking one by one would take several rounds."""
        missing = frozenset(lookups) - self._known.keys()
        if missing:
            raise MissingFacts(missing)

    def _know(self, lookup: Lookup) -> Any:
        try:
            return self._known[lookup]
        except KeyError:
            raise MissingFacts(frozenset((lookup,))) from None

    def find_by(self, kind: Resource[R], field: str, value: str) -> R | None:
        """The resource whose unique `field` has `value`."""
        found: R | None = self._know(ByField(kind.name, field, value))
        return found

    def matching(
        self, kind: Resource[R], predicate: str, *, sort: str | None = None, limit: int = MATCHING_LIMIT_MAX
    ) -> tuple[R, ...]:
        """Resources that match a query predicate, read from the primary."""
        found: tuple[R, ...] = self._know(Matching(kind.name, predicate, sort, limit))
        return found

    def all(self, kind: Resource[R]) -> tuple[R, ...]:
        """All resources of a small collection (at most 500: zones, shipping methods, tax categories)."""
        return self.matching(kind, "", sort="id asc")

    def password_hash(self, password: str) -> str:
        """What to keep of a new password."""
        hashed: str = self._know(PasswordHash(password))
        return hashed

    def used(self, name: str) -> int:
        """How far the tally `name` has counted: to say so early; the limit itself is kept by the commit."""
        used: int = self._know(Used(name))
        return used

    def find(self, kind: Resource[R], target: str | Reference | KeyReference | ResourceIdentifier) -> R | None:
        """The resource a reference, identifier or id names, or None.

        Raises InvalidInput when an identifier names both id and key, neither, or another type.
        """
        found: R | None = self._know(lookup_of(kind.name, target))
        return found

    def get(self, kind: Resource[R], target: str | Reference | KeyReference | ResourceIdentifier) -> R:
        """Like `find`, but raises ReferencedResourceNotFound."""
        found = self.find(kind, target)
        if found is None:
            wanted = lookup_of(kind.name, target)
            if isinstance(wanted, ById):
                raise ReferencedResourceNotFound(kind.name, id=wanted.id)
            raise ReferencedResourceNotFound(kind.name, key=wanted.value)
        return found

    def resolve(self, kind: Resource[R], target: Reference | ResourceIdentifier) -> Reference:
        """The stored form of an identifier, its target known to exist."""
        return Reference(type_id=kind.name, id=self.get(kind, target).id)


def lookup_of(kind: str, target: str | Reference | KeyReference | ResourceIdentifier) -> ById | ByField:
    """Where to look for the target of a reference. Raises InvalidInput for a malformed identifier."""
    if isinstance(target, str):
        return ById(kind, target)
    if target.type_id is not None and target.type_id != kind:
        raise InvalidInput(f"A reference of type '{kind}' is expected here, not '{target.type_id}'.")
    if isinstance(target, Reference):
        return ById(kind, target.id)
    if isinstance(target, KeyReference):
        return ByField(kind, "key", target.key)
    if (target.id is None) == (target.key is None):
        raise InvalidInput(f"A reference of type '{kind}' needs either 'id' or 'key'.")
    return ById(kind, target.id) if target.id is not None else ByField(kind, "key", target.key or "")
