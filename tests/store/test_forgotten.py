"""Connections to PostgreSQL that lead nowhere, without anybody having been told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from holdfast.base.errors import BadGateway
from holdfast.ops.drill.proxy import Proxy, Way
from holdfast.ops.server.plan import SOCKET_FILE
from holdfast.store import pool, session
from holdfast.store.pool import Database
from holdfast.store.session import Session

QUERIES = 4
PATIENCE_SECONDS = 30.0


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever meets a connection that leads nowhere soon fails, and does not try another."""
    monkeypatch.setattr(pool, "STATEMENT_TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr(pool, "OUTAGE_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(pool, "CLOSE_SECONDS", 0.2)


@pytest_asyncio.fixture
async def proxy(postgres: str) -> AsyncIterator[tuple[Proxy, str]]:
    before, _, sockets = postgres.partition("@/")
    name, _, folder = sockets.partition("?host=")
    proxy = Proxy(f"{folder}{SOCKET_FILE}", postgres=True)
    async with await proxy.listen("127.0.0.1", 0) as server:
        yield proxy, f"{before}@127.0.0.1:{server.sockets[0].getsockname()[1]}/{name}"
        await proxy.close()


@pytest.mark.usefixtures("impatient")
async def test_one_query_in_vain_is_enough_to_distrust_all_connections(proxy: tuple[Proxy, str]) -> None:
    way, dsn = proxy
    database = Database(dsn)
    await database.open()

    async def ask() -> None:
        assert await database.fetchrow("SELECT 1 FROM pg_sleep(0.05)")

    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*(ask() for _ in range(QUERIES)))
        way.take(Way(forget=True))
        with pytest.raises(BadGateway):
            await ask()
        await asyncio.gather(*(ask() for _ in range(QUERIES)))
        await database.close()


@pytest.fixture
async def forgotten(
    proxy: tuple[Proxy, str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Database, Session, Session]]:
    """A database whose connections lead nowhere: one by key, and those of two sessions, the second in a transaction."""
    monkeypatch.setattr(pool, "KEYED_TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr(pool, "STATEMENT_TIMEOUT_SECONDS", 3_600.0)
    monkeypatch.setattr(pool, "CLOSE_SECONDS", 0.2)
    way, dsn = proxy
    database = Database(dsn)
    await database.open()
    idle, begun = [await database.session() for _ in range(2)]
    await begun.begin()
    await database.fetch_keyed("SELECT 1")
    way.take(Way(forget=True))
    yield database, idle, begun
    idle.terminate()
    begun.terminate()
    await database.close()


async def test_a_session_that_leads_nowhere_is_closed_all_the_same(
    forgotten: tuple[Database, Session, Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "CLOSE_SECONDS", 0.2)
    _, idle, begun = forgotten
    async with asyncio.timeout(PATIENCE_SECONDS):
        await idle.close()
        await begun.close()
    assert idle.is_closed()
    assert begun.is_closed()


async def test_a_read_by_key_that_nobody_answers_is_asked_on_another_connection(
    forgotten: tuple[Database, Session, Session],
) -> None:
    database, *_ = forgotten
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert [row[0] for row in await database.fetch_keyed("SELECT 1")] == [1]


async def test_a_read_in_vain_spares_the_next_transaction_the_same_wait(
    forgotten: tuple[Database, Session, Session],
) -> None:
    database, idle, begun = forgotten
    async with asyncio.timeout(PATIENCE_SECONDS):
        await database.fetch_keyed("SELECT 1")
    assert idle.is_closed()
    assert not begun.is_closed(), "what is under way may yet be answered"
