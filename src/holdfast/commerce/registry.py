"""The register of resource types: what each is called, looks like, and which actions it knows.

A module in `resources/` makes one `Resource` and hangs its functions on it; importing the module
is the whole registration. Before the star is given by the house, after the star came over the wire:

    zones = Resource("zone", path="zones", shape=Zone, draft=ZoneDraft)

    @zones.action("addLocation")
    def add_location(zone: Zone, *, location: Location) -> Zone: ...
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Generic, NamedTuple, TypeVar, Union, get_type_hints

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from holdfast.base.naming import wire_name
from holdfast.commerce.projection import Projection
from holdfast.commerce.values.value import Stored, Value, adopt, decode_special

if TYPE_CHECKING:
    from holdfast.commerce.facts import Facts
    from holdfast.commerce.messages.message import Message
    from holdfast.commerce.stock import StockMovement
    from holdfast.commerce.tally import Tally

R = TypeVar("R", bound=Stored)

# Bound published for one update request.
ACTIONS_MAX = 500


class Other(NamedTuple):
    """A second resource a decision changes: `before` is None for a new one, `after` None for a deleted one."""

    kind: Resource[Any]
    before: Stored | None
    after: Stored | None


class Changed(Generic[R]):
    """A decision's result: the resource, and what must be committed together with it."""

    __slots__ = ("messages", "others", "resource", "stock", "tallies")

    def __init__(
        self,
        resource: R,
        messages: Sequence[Message] = (),
        *,
        stock: Sequence[StockMovement] = (),
        others: Sequence[Other] = (),
        tallies: Sequence[Tally] = (),
    ) -> None:
        self.resource = resource
        self.messages = tuple(messages)
        self.stock = tuple(stock)
        self.others = tuple(others)
        self.tallies = tuple(tallies)

    def then(self, result: R | Changed[R]) -> Changed[R]:
        """The result followed by the next step's."""
        if not isinstance(result, Changed):
            return Changed(result, self.messages, stock=self.stock, others=self.others, tallies=self.tallies)
        return Changed(
            result.resource,
            self.messages + result.messages,
            stock=self.stock + result.stock,
            others=self.others + result.others,
            tallies=self.tallies + result.tallies,
        )


class Counted(NamedTuple):
    """What of a resource is counted beside it: the name of its tally, and the resource with that count."""

    tally: Callable[[Any], str]
    shown: Callable[[Any, int], Any]


class Action(NamedTuple):
    """A registered update action: its wire name, its function and the payload made of its fields."""

    name: str
    function: Callable[..., Any]
    payload: type[msgspec.Struct]
    takes_facts: bool
    fields: tuple[str, ...]

    def apply(self, resource: Any, payload: Any, facts: Facts) -> Any:
        arguments = {name: getattr(payload, name) for name in self.fields}
        if self.takes_facts:
            return self.function(resource, facts, **arguments)
        return self.function(resource, **arguments)


REGISTRY: dict[str, Resource[Any]] = {}


class Resource(Generic[R]):
    """One resource type.

    name: the published type id (`tax-category`). path: its collection in URLs, None for internal
    records. scope: the noun in `view_…`/`manage_…` scopes. unique: (field, value) pairs no two
    resources of a project may share; `key` is always one of them. holds: type ids whose resources
    cannot be deleted while this one points at them. searchable: what queries see, where it is not
    the body: a Projection, or a function whose result has all the fields of the shape. ad_hoc:
    whether any of it has an index for queries nobody foresaw; not worth its cost where every write
    would feed it and nobody asks. indexed: top-level searchable fields that queries single out.
    due: searchable moments after which a chore must look at a resource; few resources have one.
    contained: searchable objects that resources are found by a part of; only what changed in them is written.
    published: names under which unique fields appear in errors, where they differ. query_fields:
    fields that exist for queries only, with their types. my_draft, my_actions: what `/me` allows.
    counted: what is added to it whenever it is shown, from a tally that moves without its version.
    """

    def __init__(
        self,
        name: str,
        *,
        path: str | None,
        shape: type[R],
        draft: type[Value] | None = None,
        scope: str | None = None,
        unique: Callable[[R], Iterable[tuple[str, str]]] | None = None,
        holds: Sequence[str] = (),
        searchable: Projection | Callable[[R], Any] | None = None,
        ad_hoc: bool = True,
        indexed: Sequence[str] = (),
        due: Sequence[str] = (),
        contained: Sequence[str] = (),
        published: Mapping[str, str] | None = None,
        query_fields: Mapping[str, Any] | None = None,
        my_draft: type[Value] | None = None,
        my_actions: Sequence[str] = (),
        counted: Counted | None = None,
    ) -> None:
        assert name not in REGISTRY, f"two modules register '{name}'"
        self.name = name
        self.path = path
        self.shape = shape
        self.draft = draft
        self.scope = scope or (path or name).replace("-", "_")
        self.holds = tuple(holds)
        self.searchable = searchable
        # The shape that predicates and sort orders are checked against.
        self.query_shape: type[msgspec.Struct] = searchable.shape if isinstance(searchable, Projection) else shape
        self.ad_hoc = ad_hoc and path is not None
        self.indexed = tuple(indexed)
        self.due = tuple(due)
        self.contained = tuple(contained)
        self.published = dict(published or {})
        self.query_fields = dict(query_fields or {})
        self.my_draft = my_draft
        self.my_actions = tuple(my_actions)
        self.counted = counted
        self.actions: dict[str, Action] = {}
        self._my_twins: dict[str, Action] = {}
        self._by_payload: dict[type[msgspec.Struct], Action] = {}
        self._unique = unique
        self._creators: dict[type[Value], Callable[..., Any]] = {}
        self._settle: Callable[[R | None, R, Facts], Any] | None = None
        self._delete: Callable[[R, Facts], Any] | None = None
        self._needs: Callable[[R, Sequence[Any], Facts], None] | None = None
        self._body = msgspec.json.Decoder(shape)
        REGISTRY[name] = self

    def __repr__(self) -> str:
        return f"Resource({self.name!r})"

    # --- registration ----------------------------------------------------------------------

    def create(self, function: Callable[..., R | Changed[R]]) -> Callable[..., R | Changed[R]]:
        """Register how a draft becomes a resource: `(draft, facts)`; the first annotation names the draft."""
        hints = get_type_hints(function)
        first = next(iter(inspect.signature(function).parameters))
        self._creators[hints[first]] = function
        return function

    def settle(self, function: Callable[[R | None, R, Facts], R | Changed[R]]) -> Callable[..., Any]:
        """Register what follows every creation (`before` is None) and every update: totals, flags, checks."""
        self._settle = function
        return function

    def delete(self, function: Callable[[R, Facts], Changed[R]]) -> Callable[[R, Facts], Changed[R]]:
        """Register what a deletion checks, tells and gives back."""
        self._delete = function
        return function

    def needs(self, function: Callable[[R, Sequence[Any], Facts], None]) -> Callable[[R, Sequence[Any], Facts], None]:
        """Register what asks for the facts of an update at once, where its actions would ask one by one."""
        self._needs = function
        return function

    def action(self, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register an update action under its wire name."""

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            assert name not in self.actions, f"{self.name} registers '{name}' twice"
            self.actions[name] = self._known(_action(name, function))
            return function

        return register

    def my_action(self, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register the narrower twin that `/me` gets of an action: shoppers may not set every field."""

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            assert name in self.my_actions, f"/me does not allow '{name}' on {self.name}"
            self._my_twins[name] = self._known(_action(name, function))
            return function

        return register

    def _known(self, action: Action) -> Action:
        self._by_payload[action.payload] = action
        return action

    def offered_to_me(self) -> list[Action]:
        """The actions `/me` allows, in their narrower form where they have one."""
        return [self._my_twins.get(name) or self.actions[name] for name in self.my_actions]

    # --- decoding --------------------------------------------------------------------------

    def decode(self, body: bytes) -> R:
        """A stored body as a value."""
        return self._body.decode(body)

    def update_decoder(self, *, my: bool = False) -> msgspec.json.Decoder[Any]:
        """Decoder of update requests; with `my` only the actions `/me` allows."""
        return self._my_updates if my else self._updates

    @cached_property
    def _updates(self) -> msgspec.json.Decoder[Any]:
        return _update_decoder(self.actions.values())

    @cached_property
    def _my_updates(self) -> msgspec.json.Decoder[Any]:
        return _update_decoder(self.offered_to_me())

    @cached_property
    def drafts(self) -> msgspec.json.Decoder[Any]:
        """Decoder of creation drafts."""
        assert self.draft is not None
        return msgspec.json.Decoder(self.draft, dec_hook=decode_special)

    @cached_property
    def my_drafts(self) -> msgspec.json.Decoder[Any]:
        """Decoder of the drafts `/me` allows."""
        assert self.my_draft is not None
        return msgspec.json.Decoder(self.my_draft, dec_hook=decode_special)

    # --- deciding --------------------------------------------------------------------------

    def created(self, draft: Value, facts: Facts, actions: Sequence[Any] = ()) -> Changed[R]:
        """The resource a draft asks for, with identity, version 1 and its messages; `actions` already applied."""
        creator = self._creators.get(type(draft))
        made = as_changed(creator(draft, facts) if creator else adopt(self.shape, draft))
        result = self._settled(None, self._applied(made, actions, facts), facts)
        result = result.then(born(result.resource, facts))
        return _retold(result, made.resource) if actions else result

    def made_with(self, made: Changed[R], actions: Sequence[Any], facts: Facts) -> Changed[R]:
        """A new resource with `actions` applied before anybody has seen it: still version 1."""
        if not actions:
            return made
        result = self._applied(made, actions, facts)
        return _retold(self._settled(made.resource, result, facts), made.resource)

    def _applied(self, result: Changed[R], actions: Sequence[Any], facts: Facts) -> Changed[R]:
        for payload in actions:
            action = self._by_payload[type(payload)]
            result = result.then(action.apply(result.resource, payload, facts))
        return result

    def updated(self, before: R, actions: Sequence[Any], facts: Facts) -> Changed[R]:
        """`before` with all actions applied in order; the version grows by one per effective action."""
        if self._needs:
            self._needs(before, actions, facts)
        result = Changed(before)
        effective = 0
        for payload in actions:
            action = self._by_payload[type(payload)]
            step = result.then(action.apply(result.resource, payload, facts))
            effective += step.resource is not result.resource and step.resource != result.resource
            result = step
        settled = self._settled(before, result, facts)
        if settled.resource == before and not (settled.stock or settled.others or settled.tallies):
            return Changed(before)
        return settled.then(touched(settled.resource, before.version + max(effective, 1), facts))

    def _settled(self, before: R | None, result: Changed[R], facts: Facts) -> Changed[R]:
        return result.then(self._settle(before, result.resource, facts)) if self._settle else result

    def deleted(self, before: R, facts: Facts) -> Changed[R]:
        """The last word of a resource: its final body, with what goes out with it."""
        return self._delete(before, facts) if self._delete else Changed(before)

    def unique_values(self, resource: R) -> tuple[tuple[str, str], ...]:
        """The (field, value) pairs this resource claims in its project."""
        key = getattr(resource, "key", None)
        own = (("key", key),) if key is not None else ()
        return own + tuple(self._unique(resource)) if self._unique else own


def born(resource: R, facts: Facts) -> R:
    """The resource as it enters the world: identity, version 1, who made it when.

    For decisions whose first message carries the whole resource; all others leave it to the house.
    """
    caller = facts.caller.info()
    return replace(
        resource,
        id=resource.id or facts.new_id(),
        version=1,
        created_at=facts.now,
        last_modified_at=facts.now,
        created_by=caller,
        last_modified_by=caller,
    )


def touched(resource: R, version: int, facts: Facts) -> R:
    """The resource with its new version, and who changed it when."""
    return replace(resource, version=version, last_modified_at=facts.now, last_modified_by=facts.caller.info())


def _retold(result: Changed[R], earlier: R) -> Changed[R]:
    """The result with messages that carry the whole resource as it became, where they carry it as it was first."""
    told = []
    for message in result.messages:
        whole = {name: result.resource for name in message.__struct_fields__ if getattr(message, name) is earlier}
        told.append(replace(message, **whole) if whole else message)
    return Changed(result.resource, told, stock=result.stock, others=result.others, tallies=result.tallies)


def as_changed(result: R | Changed[R]) -> Changed[R]:
    """A bare resource as a result without side effects."""
    return result if isinstance(result, Changed) else Changed(result)


def _action(name: str, function: Callable[..., Any]) -> Action:
    """Read an action's wire fields off its signature.

    Raises AssertionError for a field in front of the star, so a slip stops the start.
    """
    parameters = list(inspect.signature(function).parameters.values())
    given = [parameter.name for parameter in parameters if parameter.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert len(given) == 1 or given[1:] == ["facts"], f"{name}: wire fields belong after the star, found {given}"
    hints = get_type_hints(function, include_extras=True)
    fields = [_field(parameter, hints) for parameter in parameters if parameter.kind is inspect.Parameter.KEYWORD_ONLY]
    payload = msgspec.defstruct(
        "".join(part.title() for part in function.__name__.split("_")),
        fields,
        tag_field="action",
        tag=name,
        rename=wire_name,
        kw_only=True,
        frozen=True,
        module=function.__module__,
    )
    return Action(name, function, payload, len(given) > 1, tuple(field[0] for field in fields))


def _field(parameter: inspect.Parameter, hints: dict[str, Any]) -> Any:
    if parameter.default is inspect.Parameter.empty:
        return (parameter.name, hints[parameter.name])
    return (parameter.name, hints[parameter.name], parameter.default)


def _update_decoder(actions: Iterable[Action]) -> msgspec.json.Decoder[Any]:
    payloads: Any = Union[tuple(action.payload for action in actions)]  # noqa: UP007 - built at run time
    listed: Any = Annotated[tuple[payloads, ...], Meta(max_length=ACTIONS_MAX)]
    version: Any = Annotated[int, Meta(ge=0)]
    request = msgspec.defstruct("Update", [("version", version), ("actions", listed)])
    return msgspec.json.Decoder(request, dec_hook=decode_special)


def by_path() -> dict[str, Resource[Any]]:
    """The published collections by their URL segment."""
    return {resource.path: resource for resource in REGISTRY.values() if resource.path}
