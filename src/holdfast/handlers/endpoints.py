"""The register of use cases that are more than create, read, update, delete and query.

    @endpoint("GET", "shipping-methods", "matching-cart", scope="view_shipping_methods")
    async def matching_cart(work: Work, request: Request) -> Answer: ...

A pattern is the path below the collection; `*` stands for one segment, `name=*` for the value
behind `name=`; both arrive in `request.path_values`, in order. Importing a module in `handlers/`
is the whole registration.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from holdfast.handlers.work import Work


class Request(NamedTuple):
    """What the HTTP room understood of a request.

    parameters: query parameters (form-encoded bodies included), each with all its values.
    me: under `/me`, so the token's shopper is the only one visible. store_key: under `/in-store/key=…`.
    """

    body: bytes = b""
    path_values: Sequence[str] = ()
    parameters: Mapping[str, Sequence[str]] = {}
    me: bool = False
    store_key: str | None = None

    def first(self, name: str) -> str | None:
        """The first value of a query parameter."""
        values = self.parameters.get(name)
        return values[0] if values else None


class Answer(NamedTuple):
    """What to answer: a value (or ready JSON bytes), and whether something came into being (201).

    keep: whether everybody with the endpoint's scope may be given the same answer again.
    kept: whether it was committed under the request's idempotency key. replayed: whether it is the
    answer of an earlier request under that key. receipt: for an order that is acknowledged here.
    """

    value: Any
    created: bool = False
    keep: bool = True
    kept: bool = False
    replayed: bool = False
    receipt: str | None = None


Endpoint = Callable[["Work", Request], Awaitable[Answer]]


# What a request under a known idempotency key gets: the first answer; that answer, but only where it
# would still be let in (who signs in shows a password each time); or a new one, as answers that hold
# a secret are not stored.
Replay = Literal["first", "checked", "never"]


class Registered(NamedTuple):
    """A use case, and what its description tells clients: shapes of body and answer, query parameters.

    body, answer: a type; a Resource stands for its update request as a body, its shape as an answer.
    paged: whether the answer is a page of these.
    kept_kind: the resource type whose changes outdate the answer, None where nothing is kept.
    session: below `/me`, whether the token must name a shopper.
    replay: what the same request gets when it comes again under its idempotency key.
    """

    function: Endpoint
    scope: str
    me: bool
    session: bool
    in_store: bool
    body: Any
    answer: Any
    parameters: Sequence[str]
    kept_kind: str | None
    paged: bool
    replay: Replay


ENDPOINTS: dict[tuple[str, str, str], Registered] = {}


def endpoint(
    method: str,
    collection: str,
    pattern: str = "",
    *,
    scope: str,
    me: bool = False,
    session: bool = True,
    in_store: bool = False,
    body: Any = None,
    answer: Any = None,
    parameters: Sequence[str] = (),
    kept_kind: str | None = None,
    paged: bool = False,
    replay: Replay = "first",
) -> Callable[[Endpoint], Endpoint]:
    """Register a use case under method, collection and pattern.

    scope: the OAuth scope it needs (`manage_…` implies `view_…`), empty where any token will do.
    me: registered below `/me` instead of the project root; with `session` only for tokens that name
    a shopper.
    in_store: offered below `/in-store/key=…` as well. body, answer, parameters, kept_kind, paged,
    replay: see Registered.
    """

    def register(function: Endpoint) -> Endpoint:
        place = (method, f"me/{collection}" if me else collection, pattern)
        assert place not in ENDPOINTS, f"two handlers register {place}"
        ENDPOINTS[place] = Registered(
            function, scope, me, session, in_store, body, answer, tuple(parameters), kept_kind, paged, replay
        )
        return function

    return register
