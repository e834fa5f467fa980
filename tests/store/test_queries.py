"""Every named statement is one that PostgreSQL accepts, and one that somebody uses."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import asyncpg
import pytest

import holdfast.store
from holdfast.base.ids import uuid7
from holdfast.commerce.catalogue import load_resources
from holdfast.commerce.registry import REGISTRY
from holdfast.store.queries import document_queries, queries, read_query
from holdfast.store.store import Store

FOLDER = Path(holdfast.store.__file__).parent
ROOMS = sorted(file.stem for file in (FOLDER / "sql").glob("*.sql"))

load_resources()


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "documents"])
async def test_every_statement_of_a_room_is_accepted(store: Store, room: str) -> None:
    connection = await store.database.connect()
    try:
        assert queries(room)
        for sql in queries(room).values():
            await connection.prepare(sql.replace("{table}", '"zone"'))
    finally:
        await connection.close()


@pytest.mark.parametrize("kind", sorted(REGISTRY))
async def test_every_document_statement_fits_every_type(store: Store, kind: str) -> None:
    connection = await store.database.connect()
    try:
        for sql in document_queries(kind).values():
            await connection.prepare(sql.replace("{part}", "0"))
    finally:
        await connection.close()


async def test_types_can_be_read_together_by_id_and_by_value(store: Store) -> None:
    connection = await store.database.connect()
    try:
        await connection.prepare(read_query(tuple(sorted(REGISTRY)), tuple(sorted(REGISTRY))))
    finally:
        await connection.close()


async def test_a_value_no_text_can_hold_fails_those_who_ask_for_it_alone(store: Store, project: str) -> None:
    asked = (store.find("customer", project, "email", "a\0b"), store.get("order", project, uuid7()))
    broken, found = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(broken, asyncpg.DataError)
    assert found is None


@pytest.mark.parametrize("room", ROOMS)
def test_every_statement_is_used(room: str) -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in FOLDER.rglob("*.py"))
    unused = [name for name in queries(room) if not re.search(rf'"{name}"', code)]
    assert not unused
