"""The drill's proxy on real sockets, and between a real client and a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from holdfast.ops.drill import wire
from holdfast.ops.drill.detour import Detour
from holdfast.ops.drill.proxy import DROP_ANSWER, DROP_COMMIT, WHOLE, Proxy, Way

PATIENCE_SECONDS = 10.0
BROKEN = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)


class Standing:
    """A proxy of the test's own, and where it listens."""

    def __init__(self, proxy: Proxy, port: int) -> None:
        self.proxy = proxy
        self.port = port


@asynccontextmanager
async def standing_before(upstream: str, *, postgres: bool) -> AsyncIterator[Standing]:
    proxy = Proxy(upstream, postgres=postgres)
    server = await proxy.listen("127.0.0.1", 0)
    async with server:
        yield Standing(proxy, server.sockets[0].getsockname()[1])
        proxy.take(Way(open=False))


@asynccontextmanager
async def echo() -> AsyncIterator[str]:
    """A server that sends everything back."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionResetError):
            while piece := await reader.read(1024):
                writer.write(piece)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def said(streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], text: bytes) -> bytes:
    streams[1].write(text)
    return await asyncio.wait_for(streams[0].read(len(text)), PATIENCE_SECONDS)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - the proxy is not to know that it is watched
            await asyncio.sleep(0)


async def test_everything_passes_as_it_is() -> None:
    async with echo() as upstream, standing_before(upstream, postgres=False) as way:
        streams = await asyncio.open_connection("127.0.0.1", way.port)
        assert await said(streams, b"hello") == b"hello"


async def test_a_cut_resets_what_is_open_and_refuses_what_is_new_until_it_is_mended() -> None:
    async with echo() as upstream, standing_before(upstream, postgres=False) as way:
        streams = await asyncio.open_connection("127.0.0.1", way.port)
        assert await said(streams, b"hello") == b"hello"
        way.proxy.take(Way(open=False))
        with pytest.raises(ConnectionResetError):
            await streams[0].read(1)
        with pytest.raises(ConnectionResetError):
            await said(await asyncio.open_connection("127.0.0.1", way.port), b"hello")
        way.proxy.take(WHOLE)
        assert await said(await asyncio.open_connection("127.0.0.1", way.port), b"again") == b"again"
        assert (way.proxy.seen.reset, way.proxy.seen.refused) == (1, 1)


@pytest.mark.parametrize("towards", ["server", "client"])
async def test_what_is_swallowed_never_comes_and_its_connection_does_not_outlive_the_repair(towards: str) -> None:
    async with echo() as upstream, standing_before(upstream, postgres=False) as way:
        torn, unhurt = [await asyncio.open_connection("127.0.0.1", way.port) for _ in range(2)]
        assert await said(unhurt, b"quiet") == b"quiet"
        way.proxy.take(Way(swallow=(towards,)))
        torn[1].write(b"lost")
        await until(lambda: way.proxy.seen.swallowed_bytes > 0)
        way.proxy.take(WHOLE)
        with pytest.raises(ConnectionResetError):
            await torn[0].read(1)
        assert await said(unhurt, b"still here") == b"still here"


async def test_forgotten_connections_lead_nowhere_and_new_ones_pass(postgres: str) -> None:
    async with before_database(postgres) as (proxy, through, direct):
        await through.execute("BEGIN")
        await through.execute("INSERT INTO drilled VALUES ('held')")
        proxy.take(Way(forget=True))
        proxy.take(WHOLE)
        with pytest.raises(TimeoutError):
            await through.execute("COMMIT", timeout=0.2)
        through.terminate()
        idle = "SELECT count(*) FROM pg_locks WHERE relation = 'drilled'::regclass AND mode = 'RowExclusiveLock'"
        assert await direct.fetchval(idle) == 1, "the server goes on waiting for a client that has gone"
        proxy.take(Way(open=False))


async def test_a_slow_way_delivers_everything_in_order() -> None:
    async with echo() as upstream, standing_before(upstream, postgres=False) as way:
        way.proxy.take(Way(delay_seconds=0.01, bytes_per_second=10_000))
        streams = await asyncio.open_connection("127.0.0.1", way.port)
        assert await said(streams, b"0123456789") == b"0123456789"
    assert way.proxy.seen.delayed == 2


@asynccontextmanager
async def before_database(url: str) -> AsyncIterator[tuple[Proxy, asyncpg.Connection, asyncpg.Connection]]:
    """A connection to a database through the proxy, and one past it, with a table to write to."""
    (sockets,) = parse_qs(urlsplit(url).query)["host"]
    direct = await asyncpg.connect(url)
    await direct.execute("CREATE TABLE IF NOT EXISTS drilled (what text); TRUNCATE drilled")
    async with standing_before(f"{sockets}/.s.PGSQL.5432", postgres=True) as way:
        through = await asyncpg.connect(
            f"postgresql://holdfast@127.0.0.1:{way.port}/holdfast", command_timeout=PATIENCE_SECONDS
        )
        try:
            yield way.proxy, through, direct
        finally:
            through.terminate()
            await direct.execute("DROP TABLE drilled")
            await direct.close()


async def commit(connection: asyncpg.Connection, what: str) -> None:
    await connection.execute("BEGIN")
    await connection.execute("INSERT INTO drilled VALUES ($1)", what)
    await connection.execute("COMMIT")


async def test_commits_pass_and_are_counted(postgres: str) -> None:
    async with before_database(postgres) as (proxy, through, direct):
        await commit(through, "one")
        await commit(through, "two " + "x" * 100_000)
        assert proxy.seen.commits == 2
        assert await direct.fetchval("SELECT count(*) FROM drilled") == 2


async def test_a_dropped_commit_never_takes_effect(postgres: str) -> None:
    async with before_database(postgres) as (proxy, through, direct):
        proxy.take(Way(at_commit=DROP_COMMIT))
        with pytest.raises(BROKEN):
            await commit(through, "never")
        assert proxy.seen.commits_dropped == 1
        assert await direct.fetchval("SELECT count(*) FROM drilled") == 0


async def test_a_commit_whose_answer_is_dropped_took_effect(postgres: str) -> None:
    async with before_database(postgres) as (proxy, through, direct):
        proxy.take(Way(at_commit=DROP_ANSWER))
        with pytest.raises(BROKEN):
            await commit(through, "there")
        assert proxy.seen.answers_dropped == 1
        assert await direct.fetchval("SELECT count(*) FROM drilled") == 1


async def test_the_same_seed_chooses_the_same_commits() -> None:
    def choices(seed: int) -> list[str]:
        proxy = Proxy("", postgres=True)
        proxy.take(Way(at_commit=DROP_COMMIT, share=0.5, commits_max=5, seed=seed))
        return [proxy.breaks_here() for _ in range(40)]

    assert choices(1) == choices(1)
    assert choices(1) != choices(2)
    assert choices(1).count(DROP_COMMIT) == 5


def message(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4, "big") + body


START = message(b"", b"\0\3\0\0user\0holdfast\0\0")
TLS_FIRST = wire.TLS_ASKED + START
AS_TEXT = message(b"Q", b"Commit;\0")
PREPARED = message(b"P", b"s1\0COMMIT\0\0\0") + message(b"B", b"\0s1\0\0\0\0\0\0\0") + message(b"E", b"\0\0\0\0\0")
LOOKALIKES = message(b"Q", b"SELECT 'commit'\0") + message(b"d", b"COMMIT\0") + message(b"Q", b"x" * 70_000 + b"\0")


@pytest.mark.parametrize("start", [START, TLS_FIRST], ids=["plain", "TLS asked for"])
@pytest.mark.parametrize("commit_said", [AS_TEXT, PREPARED], ids=["text", "prepared"])
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_commit_is_seen_however_it_is_said_and_cut_into_pieces(start: bytes, commit_said: bytes, size: int) -> None:
    stream = start + LOOKALIKES + commit_said + LOOKALIKES
    assert list(commits_in(pieces(stream, size))) == [len(start + LOOKALIKES + commit_said)]


def pieces(stream: bytes, size: int) -> list[bytes]:
    return [stream[at : at + size] for at in range(0, len(stream), size)]


def commits_in(parts: Iterable[bytes]) -> Iterable[int]:
    client = wire.Client()
    before = 0
    for piece in parts:
        yield from (before + end for end in client.commits(piece))
        before += len(piece)


@pytest.mark.parametrize("size", [1, 1_000])
@pytest.mark.parametrize("tag", [b"COMMIT\0", b"ROLLBACK\0"])
def test_the_answer_to_a_commit_is_seen_at_its_last_byte(tag: bytes, size: int) -> None:
    before = message(b"R", b"\0\0\0\0") + message(b"Z", b"I") + message(b"C", b"INSERT 0 1\0")
    server = wire.Server()
    parts = pieces(before + message(b"C", tag), size)
    assert not any(server.answers_commit(piece) for piece in [b"N", *parts[:-1]])
    assert server.answers_commit(parts[-1])


async def test_as_a_process_it_obeys_and_reports() -> None:
    async with echo() as upstream:
        detour = Detour(upstream, "plain")
        await detour.open()
        try:
            streams = await asyncio.open_connection("127.0.0.1", detour.port)
            assert await said(streams, b"hello") == b"hello"
            assert (await detour.broken(Way(open=False), 0.0)).reset == 1
            with pytest.raises(ConnectionResetError):
                await streams[0].read(1)
            streams = await asyncio.open_connection("127.0.0.1", detour.port)
            assert await said(streams, b"again") == b"again"
        finally:
            await detour.close()


async def test_what_is_garbled_arrives_as_nonsense_until_the_way_is_mended() -> None:
    async with echo() as upstream, standing_before(upstream, postgres=False) as proxy:
        first = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await said(first, b"hello") == b"hello"
        proxy.proxy.take(Way(garbled=True))
        assert await said(first, b"hello") == b"\x15" * 5
        proxy.proxy.take(WHOLE)
        with suppress(ConnectionResetError):
            assert await said(first, b"hello") == b""
        second = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await said(second, b"hello") == b"hello"
        for streams in (first, second):
            streams[1].close()
