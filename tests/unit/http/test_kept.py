"""Kept answers: made once, true or marked, bounded, and nobody's who may not read them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from holdfast.base.errors import ApiError, BadGateway, InvalidInput, OverCapacity, ResourceNotFound
from holdfast.commerce.facts import Caller
from holdfast.commerce.scopes import granted
from holdfast.handlers.endpoints import Request
from holdfast.http import kept as kept_module
from holdfast.http.auth import Authenticator, Seen
from holdfast.http.kept import ABSENT_MAX, Kept, Make, Reply
from holdfast.http.kept_answer import ABSENT_SECONDS, ENTRY_BYTES, Keeping
from holdfast.http.ladder import TTL_SECONDS
from holdfast.http.outage import Outage
from holdfast.http.routes import Place, Route
from holdfast.store.epochs import Epochs
from holdfast.store.tokens import Tokens

TOKEN = b"Bearer shop.token"
PATIENCE_SECONDS = 20.0
ID = "0190c6b2-0000-7000-8000-000000000000"
BODY = f'{{"id":"{ID}","version":1}}'.encode()
ROUTE = Route(cast("Any", None), "view_published_products", kept_kind="product")


class Database:
    """Whether the database of a test answers."""

    def __init__(self) -> None:
        self.answers = True

    async def probe(self) -> None:
        if not self.answers:
            raise OSError("nobody there")


class Case:
    """Kept answers of a shop whose database can be taken away, and what it was asked."""

    def __init__(self) -> None:
        self.epochs = Epochs(None)
        self.database = Database()
        authenticator = Authenticator(cast("Tokens", None), self.epochs)
        self.seen = authenticator._seen
        self.let_in(TOKEN, "manage_project:shop")
        self.outage = Outage(self.database.probe)
        self.kept = Kept(self.epochs, authenticator, self.outage)
        self.asked = 0

    def let_in(self, token: bytes, scope: str) -> None:
        forever = time.monotonic() + 1e6
        caller = Caller(project="shop", client_id="c", scopes=granted(scope, "shop"))
        slot = Epochs.slot("shop", "token")
        self.seen[token] = Seen(caller, slot, self.epochs.read(slot), forever, forever)

    def change(self, kind: str = "product") -> None:
        self.epochs.bump(Epochs.slot("shop", kind))

    def begin(self, path: str = f"/shop/product-projections/{ID}", method: str = "GET", **given: Any) -> Keeping | None:
        _, project, *rest = path.split("/")
        place = Place(project, given.get("store_key"), given.get("me", False), rest[0], tuple(rest[1:]))
        request = Request(parameters=given.get("parameters", {}), me=place.me, store_key=place.store_key)
        route = ROUTE._replace(kept_kind=given.get("kind", "product"))
        return self.kept.begin(scope_of(path, method), place, route, request)

    async def ask(self, make: Make | None = None, path: str = f"/shop/product-projections/{ID}", **given: Any) -> Reply:
        keeping = self.begin(path, **given)
        assert keeping is not None, "it is not for keeping"
        return await self.kept.answer(keeping, make or self.made(), None)

    def made(self, body: bytes = BODY, wait: Callable[[], Awaitable[object]] | None = None) -> Make:
        async def make() -> tuple[bytes, bool]:
            self.asked += 1
            if wait is not None:
                await wait()
            return body, True

        return make

    def refused(self, error: ApiError) -> Make:
        async def make() -> tuple[bytes, bool]:
            self.asked += 1
            raise error

        return make

    def find(
        self,
        path: str = f"/shop/product-projections/{ID}",
        method: str = "GET",
        token: bytes = TOKEN,
        held: bytes | None = None,
    ) -> Reply | None:
        found = self.kept.find(scope_of(path, method), token, held)
        return found[0] if found is not None else None

    async def lose_the_database(self) -> None:
        self.database.answers = False
        self.outage.suspect()
        await eventually(lambda: self.outage.since_ns > 0)


def scope_of(path: str, method: str = "GET") -> dict[str, Any]:
    return {"method": method, "path": path, "query_string": b"", "headers": []}


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - what is waited for does not know that it is watched
            await asyncio.sleep(0.005)


def said(reply: Reply | None) -> dict[bytes, bytes]:
    assert reply is not None
    return dict(reply[1])


@pytest.fixture
def case() -> Case:
    return Case()


# --- single flight -------------------------------------------------------------------------


async def test_who_ask_at_the_same_time_share_one_question_to_the_database(case: Case) -> None:
    gate = asyncio.Event()
    make = case.made(wait=gate.wait)
    askers = [asyncio.create_task(case.ask(make)) for _ in range(50)]
    await eventually(lambda: case.asked > 0 and case.kept.figures.joined == 49)
    gate.set()
    assert {reply[2] for reply in await asyncio.gather(*askers)} == {BODY}
    assert case.asked == 1
    assert case.kept.figures.flights == 0


async def test_who_asks_after_a_change_waits_for_nobody_who_asked_before(case: Case) -> None:
    gate = asyncio.Event()
    early = asyncio.create_task(case.ask(case.made(b'{"version":1}', wait=gate.wait)))
    await eventually(lambda: case.asked == 1)
    case.change()
    assert (await case.ask(case.made(b'{"version":2}')))[2] == b'{"version":2}'
    gate.set()
    await early
    await case.ask(case.made(b'{"version":3}'))
    assert case.find() is not None
    assert case.asked == 3


async def test_an_answer_made_before_a_change_is_never_called_current(case: Case) -> None:
    async def changed_meanwhile() -> None:
        case.change()

    await case.ask(case.made(wait=changed_meanwhile))
    assert case.find() is None


async def test_who_gives_up_takes_nobody_along(case: Case) -> None:
    gate = asyncio.Event()
    make = case.made(wait=gate.wait)
    first, second = (asyncio.create_task(case.ask(make)) for _ in range(2))
    await eventually(lambda: case.kept.figures.joined == 1)
    first.cancel()
    await asyncio.wait([first])
    gate.set()
    assert (await second)[2] == BODY


async def test_a_refusal_is_told_to_all_who_wait(case: Case) -> None:
    replies = await asyncio.gather(
        *(case.ask(case.refused(InvalidInput("no"))) for _ in range(3)), return_exceptions=True
    )
    assert [type(reply) for reply in replies] == [InvalidInput] * 3
    assert case.asked == 1
    assert case.find() is None


async def test_an_answer_for_one_is_not_given_to_others_who_wait(case: Case) -> None:
    gate = asyncio.Event()

    async def mine() -> tuple[bytes, bool]:
        case.asked += 1
        await gate.wait()
        return b"%d" % case.asked, False

    askers = [asyncio.create_task(case.ask(mine)) for _ in range(3)]
    await eventually(lambda: case.kept.figures.joined == 2)
    gate.set()
    await asyncio.gather(*askers)
    assert case.asked == 3
    assert case.find() is None


# --- what is true --------------------------------------------------------------------------


async def test_an_answer_is_kept_until_what_it_shows_changes(case: Case) -> None:
    await case.ask()
    assert said(case.find())[b"x-holdfast-served"] == b"cached"
    case.change("category")
    assert case.find() is not None
    case.change("product")
    assert case.find() is None


@pytest.mark.parametrize("given", [{"parameters": {"expand": ["categories[*].parent"]}}, {"store_key": "berlin"}])
async def test_an_answer_that_shows_several_types_is_kept_until_any_of_them_changes(
    case: Case, given: dict[str, Any]
) -> None:
    await case.ask(**given)
    assert case.find() is not None
    case.change("cart")
    assert case.find() is not None
    case.change("category")
    assert case.find() is None


async def test_what_is_absent_is_kept_shortly_until_it_is_made(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ResourceNotFound):
        await case.ask(case.refused(ResourceNotFound.by_id(ID)))
    found = case.find()
    assert found is not None
    assert found[0] == 404
    assert said(found)[b"cache-control"] == b"private, no-store"
    later = time.monotonic() + ABSENT_SECONDS + 1
    with monkeypatch.context() as patched:
        patched.setattr(time, "monotonic", lambda: later)
        assert case.find() is None
    case.change()
    assert case.find() is None
    await case.ask()
    found = case.find()
    assert found is not None
    assert found[0] == 200


async def test_an_answer_outlives_its_time_only_in_an_outage(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    await case.ask()
    later = time.monotonic() + TTL_SECONDS + 30
    await case.lose_the_database()
    monkeypatch.setattr(time, "monotonic", lambda: later)
    headers = said(case.find())
    assert headers[b"x-holdfast-served"] == b"stale"
    assert headers[b"warning"].startswith(b"110 ")
    assert int(headers[b"age"]) >= TTL_SECONDS + 29


# --- bounds --------------------------------------------------------------------------------


async def test_what_is_kept_longest_makes_room(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    size = 1_000 + ENTRY_BYTES
    monkeypatch.setattr(kept_module, "KEPT_BYTES_MAX", 10 * size)
    for number in range(30):
        await case.ask(case.made(b"x" * 1_000), path=f"/shop/product-projections/{number}")
    assert case.kept.figures.bytes == 10 * size
    assert case.kept.figures.entries == 10
    assert case.find("/shop/product-projections/19") is None
    assert case.find("/shop/product-projections/20") is not None


async def test_who_asks_for_nonsense_displaces_nothing_of_use(case: Case) -> None:
    await case.ask()
    for number in range(ABSENT_MAX + 10):
        with pytest.raises(ResourceNotFound):
            await case.ask(case.refused(ResourceNotFound.by_id("x")), path=f"/shop/product-projections/{number}")
    assert case.kept.figures.absent == ABSENT_MAX
    assert case.find() is not None


# --- who may read it -----------------------------------------------------------------------


async def test_a_kept_answer_is_for_those_with_the_right(case: Case) -> None:
    await case.ask()
    case.let_in(b"Bearer narrow", "view_orders:shop")
    assert case.find(token=b"Bearer narrow") is None
    assert case.find(token=b"Bearer stranger") is None


async def test_through_a_store_the_right_in_that_store_will_do(case: Case) -> None:
    await case.ask(store_key="berlin")
    case.let_in(b"Bearer berlin", "view_published_products:shop:berlin")
    case.let_in(b"Bearer bonn", "view_published_products:shop:bonn")
    assert case.find(token=b"Bearer berlin") is not None
    assert case.find(token=b"Bearer bonn") is None


@pytest.mark.parametrize(
    "given",
    [
        {"me": True},
        {"method": "POST"},
        {"method": "HEAD", "path": "/shop/product-projections"},
        {"parameters": {"staged": ["true"]}},
        {"parameters": {"staged": ["false", "true"]}},
        {"parameters": {"expand": ["createdBy.customer"]}},
        {"parameters": {"expand": ["custom.fields.buyer"]}},
        {"parameters": {"expand": ["masterVariant.attributes[*].value"]}},
        {"kind": "cart"},
        {"kind": "order"},
        {"kind": "customer"},
        {"kind": "inventory-entry"},
        {"kind": "discount-code"},
        {"kind": None},
    ],
)
def test_what_belongs_to_somebody_or_decides_something_is_not_kept(case: Case, given: dict[str, Any]) -> None:
    assert case.begin(**given) is None


async def test_a_page_says_nothing_about_head(case: Case) -> None:
    await case.ask(path="/shop/product-projections")
    assert case.find("/shop/product-projections") is not None
    assert case.find("/shop/product-projections", "HEAD") is None
    await case.ask()
    assert case.find(method="HEAD") is not None


# --- what a client or a CDN keeps ----------------------------------------------------------


async def test_who_has_the_answer_already_is_told_so(case: Case) -> None:
    tag = said(await case.ask())[b"etag"]
    for held in (tag, b"*", b'"other", ' + tag, b"W/" + tag):
        reply = case.find(held=held)
        assert reply is not None
        assert (reply[0], reply[2]) == (304, b"")
        assert dict(reply[1])[b"etag"] == tag


@pytest.mark.parametrize("held", [b"", b'"other"', b"garbage, , \xff", b"W/"])
async def test_what_makes_no_sense_names_no_answer(case: Case, held: bytes) -> None:
    await case.ask()
    reply = case.find(held=held)
    assert reply is not None
    assert reply[0] == 200


async def test_a_cdn_is_told_what_an_answer_shows_and_how_long_to_keep_it(case: Case) -> None:
    one, page = said(await case.ask()), said(await case.ask(path="/shop/product-projections"))
    assert one[b"surrogate-key"] == f"shop/product/{ID}".encode()
    assert page[b"surrogate-key"] == b"shop/product"
    assert b"s-maxage=9" in one[b"cache-control"]
    assert one[b"vary"] == b"authorization"


# --- without the database ------------------------------------------------------------------


async def test_what_was_overtaken_is_shown_in_an_outage(case: Case) -> None:
    await case.ask()
    case.change()
    assert case.find() is None
    await case.lose_the_database()
    reply = case.find()
    assert said(reply)[b"x-holdfast-served"] == b"stale"
    assert case.kept.figures.stale == 1
    assert case.kept.figures.outages == 1


async def test_a_token_nobody_can_look_up_again_opens_what_is_stale_until_it_expires(case: Case) -> None:
    await case.ask()
    case.change("token")
    assert case.find() is None
    case.change()
    await case.lose_the_database()
    assert said(case.find())[b"x-holdfast-served"] == b"stale"
    case.seen[TOKEN].expires_at = time.monotonic()
    assert case.find() is None


async def test_a_change_acknowledged_since_shows_that_the_outage_is_over(case: Case) -> None:
    await case.ask()
    case.change()
    await case.lose_the_database()
    case.change()
    assert case.find() is None


async def test_a_read_that_waits_in_vain_is_answered_with_what_there_is(case: Case) -> None:
    await case.ask()
    case.change()
    case.database.answers = False
    never = asyncio.Event()
    async with asyncio.timeout(PATIENCE_SECONDS):
        reply = await case.ask(case.made(wait=never.wait))
    assert said(reply)[b"x-holdfast-served"] == b"stale"
    never.set()


async def test_a_slow_database_is_no_outage(case: Case) -> None:
    await case.ask()
    case.change()
    slow = asyncio.Event()
    asker = asyncio.create_task(case.ask(case.made(b'{"version":2}', wait=slow.wait)))
    await asyncio.wait([asker], timeout=4 * kept_module.PATIENCE_SECONDS)
    assert not asker.done()
    slow.set()
    assert (await asker)[2] == b'{"version":2}'
    assert case.outage.since_ns == 0


async def test_an_outage_ends_when_the_database_answers(case: Case) -> None:
    await case.ask()
    case.change()
    await case.lose_the_database()
    case.database.answers = True
    await eventually(lambda: case.find() is None)
    assert case.kept.figures.outage_seconds == 0


@pytest.mark.parametrize("error", [BadGateway(), OverCapacity()])
async def test_instead_of_a_refusal_there_is_what_was_kept(case: Case, error: ApiError) -> None:
    await case.ask()
    case.change()
    scope = scope_of(f"/shop/product-projections/{ID}")
    assert said(case.kept.instead(scope, TOKEN, error))[b"x-holdfast-served"] == b"stale"
    assert case.kept.instead(scope, b"Bearer stranger", error) is None
    assert case.kept.instead(scope, None, error) is None
    assert case.kept.instead(scope_of("/shop/product-projections/unseen"), TOKEN, error) is None
    assert case.kept.instead({**scope, "method": "POST"}, TOKEN, error) is None


async def test_a_refusal_that_has_to_do_with_the_request_stays(case: Case) -> None:
    await case.ask()
    scope = scope_of(f"/shop/product-projections/{ID}")
    assert case.kept.instead(scope, TOKEN, InvalidInput("no")) is None


async def test_a_change_in_the_middle_of_an_outage_does_not_end_it(case: Case) -> None:
    await case.ask()
    await case.lose_the_database()
    case.change()
    confirmed_ns = case.outage.confirmed_ns
    await eventually(lambda: case.outage.confirmed_ns > confirmed_ns)
    assert said(case.find())[b"x-holdfast-served"] == b"stale"


async def test_a_suspicion_is_no_outage(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    await case.ask()
    case.change()
    answered = asyncio.Event()
    monkeypatch.setattr(case.outage, "_probe", answered.wait)
    case.outage.suspect()
    await asyncio.sleep(0)
    assert case.find() is None
    answered.set()
