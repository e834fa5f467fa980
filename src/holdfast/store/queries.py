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
# What the statements by id and by value take: an array for each column of what is wanted.
BY_ID_ARRAYS = 3
BY_VALUE_ARRAYS = 6
_PLACEHOLDER = re.compile(r"\$(\d+)")
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
def read_query(by_id: tuple[str, ...], by_value: tuple[str, ...]) -> str:
    """One statement that reads resources of several types: by id takes three arrays a type, by value then six."""
    parts = [document_queries(kind)["read"] for kind in by_id]
    parts += [document_queries(kind)["find"] for kind in by_value]
    taken = [BY_ID_ARRAYS * part for part in range(len(by_id))]
    taken += [BY_ID_ARRAYS * len(by_id) + BY_VALUE_ARRAYS * part for part in range(len(by_value))]
    return "\nUNION ALL\n".join(
        shifted(sql.replace("{part}", str(part)), taken[part]) for part, sql in enumerate(parts)
    )


def shifted(sql: str, by: int) -> str:
    """A statement whose placeholders leave room for those of others before it."""
    return _PLACEHOLDER.sub(lambda match: f"${int(match[1]) + by}", sql)


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
