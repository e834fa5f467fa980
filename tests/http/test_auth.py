import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import pytest_asyncio

from holdfast.base.errors import BadGateway, InsufficientScope, InvalidToken
from holdfast.http.auth import RECHECK_SECONDS, SEEN_TOKENS_MAX, Authenticator
from holdfast.store.migrations import migrate
from holdfast.store.store import Store
from holdfast.store.tokens import Client, Token, Tokens, hashed

# A look at a token seen before, on the request path of every kept answer.


class Bench:
    """A project with a client, an authenticator, and a clock to turn."""

    def __init__(self, store: Store) -> None:
        self.project = f"p{uuid4().hex[:20]}"
        self.store = store
        self.tokens = Tokens(store.database, store.epochs)
        self.client = Client(
            self.project, f"{self.project}.{'c' * 24}", hashed("s"), "Test", f"view_orders:{self.project}"
        )
        self.clock = 1_000.0
        self.authenticator = Authenticator(self.tokens, store.epochs, lambda: self.clock)

    async def header(self, *, seconds: int = 60, anonymous_id: str | None = None) -> bytes:
        """An Authorization header with a new token."""
        secret = f"{self.project}.{uuid4().hex}"
        expires_at = datetime.now(UTC) + timedelta(seconds=seconds)
        scope = self.client.scope
        token = Token(self.project, "access", self.client.id, scope, None, anonymous_id, expires_at)
        await self.tokens.add(secret, token)
        return f"Bearer {secret}".encode()


@pytest_asyncio.fixture
async def bench(postgres: str) -> AsyncIterator[Bench]:
    await migrate(postgres)
    store = Store(postgres)
    await store.open()
    made = Bench(store)
    await made.tokens.add_client(made.client)
    yield made
    await store.close()


async def test_a_living_token_names_its_caller(bench: Bench) -> None:
    caller = await bench.authenticator.caller(bench.project, await bench.header(anonymous_id="guest"))
    assert (caller.project, caller.client_id, caller.anonymous_id) == (bench.project, bench.client.id, "guest")
    assert "view_orders" in caller.scopes


@pytest.mark.parametrize(
    "header", [None, b"", b"Bearer", b"Bearer ", b"Basic abc", b"Bearer nobody", b"Bearer \xff\x00.0123456789abcdef"]
)
async def test_without_a_token_nobody_is_known(bench: Bench, header: bytes | None) -> None:
    with pytest.raises(InvalidToken):
        await bench.authenticator.caller(bench.project, header)


async def test_an_expired_token_is_refused(bench: Bench) -> None:
    with pytest.raises(InvalidToken):
        await bench.authenticator.caller(bench.project, await bench.header(seconds=-1))


async def test_a_token_expires_while_it_is_remembered(bench: Bench) -> None:
    header = await bench.header(seconds=5)
    await bench.authenticator.caller(bench.project, header)
    bench.clock += 6
    assert bench.authenticator.known(header) is None


async def test_the_token_of_another_project_is_forbidden(bench: Bench) -> None:
    header = await bench.header()
    for _ in range(2):
        with pytest.raises(InsufficientScope):
            await bench.authenticator.caller("elsewhere", header)


async def test_a_revocation_is_seen_by_the_very_next_request(bench: Bench) -> None:
    header = await bench.header()
    await bench.authenticator.caller(bench.project, header)
    assert bench.authenticator.known(header) is not None
    await bench.tokens.revoke(bench.client, header[7:].decode())
    with pytest.raises(InvalidToken):
        await bench.authenticator.caller(bench.project, header)


async def test_a_revocation_on_another_host_is_seen_after_the_recheck(bench: Bench) -> None:
    header = await bench.header()
    await bench.authenticator.caller(bench.project, header)
    await bench.store.database.execute("UPDATE token SET revoked = true WHERE project = $1", bench.project)
    assert bench.authenticator.known(header) is not None
    bench.clock += RECHECK_SECONDS
    bench.authenticator.known(header)
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name().startswith("token")))
    assert bench.authenticator.known(header) is None


async def test_while_the_database_is_away_a_token_seen_alive_keeps_working(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = await bench.header()
    await bench.authenticator.caller(bench.project, header)

    async def away(_secret: str) -> None:
        raise BadGateway

    monkeypatch.setattr(bench.tokens, "find", away)
    bench.clock += RECHECK_SECONDS
    assert bench.authenticator.known(header) is not None
    await asyncio.sleep(0)
    assert bench.authenticator.known(header) is not None
    with pytest.raises(BadGateway):
        await bench.authenticator.caller(bench.project, b"Bearer " + bench.project.encode() + b"." + b"n" * 32)


async def test_a_crowd_with_one_token_asks_the_database_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    header, asked = await bench.header(), 0
    find = bench.tokens.find

    async def counted(secret: str) -> Token | None:
        nonlocal asked
        asked += 1
        return await find(secret)

    monkeypatch.setattr(bench.tokens, "find", counted)
    await asyncio.gather(*(bench.authenticator.caller(bench.project, header) for _ in range(50)))
    assert asked == 1


async def test_memory_for_tokens_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.http.auth.SEEN_TOKENS_MAX", 3)
    headers = [await bench.header() for _ in range(5)]
    for header in headers:
        await bench.authenticator.caller(bench.project, header)
    remembered = [bench.authenticator.known(header) is not None for header in headers]
    assert remembered == [False, False, True, True, True]
    assert SEEN_TOKENS_MAX < 100_000
