"""Connections that break, and those that only seem to live."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from holdfast.ops.drill.proxy import WHOLE, Proxy, Way
from holdfast.store import pool
from holdfast.store.pool import Database

KEYED = 3


async def test_one_connection_that_leads_nowhere_costs_one_wait_and_not_one_for_each(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sockets,) = parse_qs(urlsplit(postgres).query)["host"]
    proxy = Proxy(f"{sockets}/.s.PGSQL.5432", postgres=True)
    async with await proxy.listen("127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        database = Database(f"postgresql://holdfast@127.0.0.1:{port}/holdfast?sslmode=disable", keyed=KEYED)
        monkeypatch.setattr(pool, "KEYED_TIMEOUT_SECONDS", 1.0)
        await asyncio.gather(*(database.fetch_keyed_once("SELECT pg_sleep(0.1)", ()) for _ in range(KEYED)))
        proxy.take(Way(forget=True))
        proxy.take(WHOLE)
        with pytest.raises(TimeoutError):
            await database.fetch_keyed_once("SELECT 1", ())
        assert [row[0] for row in await database.fetch_keyed_once("SELECT 1", ())] == [1]
        await database.close()
        await proxy.close()
    assert proxy.seen.forgotten == KEYED
