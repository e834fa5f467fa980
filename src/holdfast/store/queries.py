"""Named SQL: `sql/<room>.sql` holds blocks headed `-- name: verb`, each one statement."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

# The one type whose counters live in a table of their own.
COUNTED = "inventory-entry"
LEVELS = ", s.on_stock, s.reserved"
NO_LEVELS = ", NULL::bigint AS on_stock, NULL::bigint AS reserved"
_BLOCK = re.compile(r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)", re.MULTILINE | re.DOTALL)


@cache
def queries(room: str) -> dict[str, str]:
    """The statements of one file by name."""
    text = resources.files("holdfast.store").joinpath(f"sql/{room}.sql").read_text(encoding="utf-8")
    return {match[1]: match[2].strip().removesuffix(";") for match in _BLOCK.finditer(text)}


@cache
def document_queries(kind: str) -> dict[str, str]:
    """The statements of `documents.sql` for one resource type."""
    counted = kind == COUNTED
    parts = {
        "{table}": table_of(kind),
        "{level_columns}": LEVELS if counted else NO_LEVELS,
        "{level_join}": "\n  LEFT JOIN stock s ON s.project = d.project AND s.entry_id = d.id" if counted else "",
    }
    return {name: _filled(sql, parts) for name, sql in queries("documents").items()}


@cache
def read_query(kinds: tuple[str, ...]) -> str:
    """One statement that reads resources of several types; part n takes the arrays $3n+1 to $3n+3."""
    return "\nUNION ALL\n".join(
        _filled(
            document_queries(kind)["read"],
            {
                "{part}": str(part),
                "{projects}": f"${3 * part + 1}",
                "{ids}": f"${3 * part + 2}",
                "{versions}": f"${3 * part + 3}",
            },
        )
        for part, kind in enumerate(kinds)
    )


def _filled(sql: str, parts: Mapping[str, str]) -> str:
    for placeholder, text in parts.items():
        sql = sql.replace(placeholder, text)
    return sql


def table_of(kind: str) -> str:
    """The quoted table of a resource type: `tax-category` → `"tax_category"`."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind), kind
    return f'"{kind.replace("-", "_")}"'


def column_of(field: str) -> str:
    """The quoted column of a field that queries single out: `customerId` → `"customerId"`."""
    assert re.fullmatch(r"[a-zA-Z]+", field), field
    return f'"{field}"'


def columns(rows: list[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Rows turned into the arrays a batch statement takes; `width` columns even when there are none."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
