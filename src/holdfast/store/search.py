"""Queries over one resource type: predicate, order, page, total."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from holdfast.commerce.predicates.paging import Paging, SortKey
from holdfast.commerce.predicates.tree import Predicate
from holdfast.commerce.registry import REGISTRY
from holdfast.store.bodies import unpacked
from holdfast.store.pool import Database
from holdfast.store.queries import table_of
from holdfast.store.reader import Document
from holdfast.store.where import compile_any, compile_page


class Search(NamedTuple):
    """A query; its predicate is bound to the shape already, None matches everything."""

    kind: str
    project: str
    predicate: Predicate | None = None
    sort: Sequence[SortKey] = ()
    paging: Paging = Paging()


class Found(NamedTuple):
    documents: Sequence[Document]
    total: int | None


async def search(database: Database, wanted: Search) -> Found:
    """Run a query on the primary."""
    query = compile_page(
        table_of(wanted.kind),
        wanted.project,
        wanted.predicate,
        wanted.sort,
        wanted.paging,
        indexed=REGISTRY[wanted.kind].indexed,
    )
    row = await database.fetchrow(query.sql, *query.params)
    assert row is not None
    return Found([Document(wanted.kind, 0, unpacked(body)) for body in row["bodies"]], row["total"])


async def exists(database: Database, wanted: Search) -> bool:
    """Whether any resource matches."""
    indexed = REGISTRY[wanted.kind].indexed
    query = compile_any(table_of(wanted.kind), wanted.project, wanted.predicate, indexed=indexed)
    row = await database.fetchrow(query.sql, *query.params)
    assert row is not None
    found: bool = row["found"]
    return found
