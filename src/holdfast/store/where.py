"""Predicate trees as SQL: the only place that builds SQL while the program runs.

Nothing a client wrote becomes SQL text; it is bound as a parameter, predicates as one jsonpath each.
`id`, `version`, `createdAt` and `lastModifiedAt` are asked of their columns, so `id > "…"` agrees
with `sort=id asc`, on which cursors rest. Only distances need SQL of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, assert_never

from holdfast.base import clock
from holdfast.commerce.predicates.evaluate import COORDINATE_DIGITS, EARTH_RADIUS_METRES
from holdfast.commerce.predicates.paging import Paging, SortKey
from holdfast.commerce.predicates.tree import (
    Among,
    And,
    Comparison,
    Condition,
    Descend,
    Not,
    Operand,
    Operator,
    Or,
    Predicate,
    Term,
    WithinCircle,
)
from holdfast.store.jsonpath import jsonpath, member
from holdfast.store.queries import column_of

# Coordinates of a GeoJSON point, NULL for anything else.
_COORDINATE = (
    "round(jsonb_path_query_first({point}, 'strict $.coordinates[{place}]"
    " ? (@.type() == \"number\" && @ >= -{most} && @ <= {most})', '{{}}', true)::numeric, {digits})::float8"
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLAIN_NAME = re.compile(r"[A-Za-z]+")
_CASTS = {"id": "::uuid", "version": "::numeric", "createdAt": "::timestamptz", "lastModifiedAt": "::timestamptz"}
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_NONE = "NULL::bigint"
_COLUMNS = {"id": "id", "version": "version", "createdAt": "created_at", "lastModifiedAt": "modified_at"}


class Fragment(NamedTuple):
    """SQL with the values of its parameters, in order."""

    sql: str
    params: tuple[Any, ...]


class Ordering(NamedTuple):
    """What to sort by: expressions with their directions, and the values of their parameters."""

    keys: tuple[tuple[str, str], ...]
    params: tuple[Any, ...]

    @property
    def sql(self) -> str:
        """The list after ORDER BY."""
        return ", ".join(f"{expression} {direction}" for expression, direction in self.keys)


# --- where ----------------------------------------------------------------------------------


def compile_where(tree: Predicate, alias: str, first_param: int, *, indexed: Collection[str] = ()) -> Fragment:
    """The predicate, its variables replaced, about the row `alias` of a resource table.

    indexed: top-level text fields that have an index of their own.
    """
    compiler = _Compiler(alias, first_param, indexed)
    sql = compiler.compile(tree, f"{alias}.query", top=True)
    return Fragment(sql, tuple(compiler.params))


class _Compiler:
    def __init__(self, alias: str, first_param: int, indexed: Collection[str]) -> None:
        assert all(_PLAIN_NAME.fullmatch(name) for name in indexed), indexed
        self._alias = alias
        self._first_param = first_param
        self._indexed = frozenset(indexed)
        self._nested = 0
        self.params: list[Any] = []

    def compile(self, tree: Predicate, document: str, *, top: bool = False) -> str:
        """SQL for the predicate about a jsonb expression; `top` when that is the row's own document."""
        if self._is_pure(tree, top=top):
            return f"{document} @@ {self._param(jsonpath(tree), 'text')}::jsonpath"
        match tree:
            case And(parts):
                return self._joined(" AND ", parts, And, document, top=top)
            case Or(parts):
                return self._joined(" OR ", parts, Or, document, top=top)
            case Not(part):
                return f"({self.compile(part, document, top=top)}) IS NOT TRUE"
            case Descend(name, inner):
                return self._any_element(name, document, lambda element: self.compile(inner, element))
            case Term(name, WithinCircle() as circle):
                return self._any_element(name, document, lambda element: self._within(circle, element))
            case Term(name, condition):
                return self._column(name, condition)
            case _:
                assert_never(tree)

    def _is_pure(self, tree: Predicate, *, top: bool) -> bool:
        match tree:
            case And(parts) | Or(parts):
                return all(self._is_pure(part, top=top) for part in parts)
            case Not(part):
                return self._is_pure(part, top=top)
            case Descend(_, inner):
                return self._is_pure(inner, top=False)
            case Term(name, condition):
                if isinstance(condition, WithinCircle):
                    return False
                return not (top and self._has_column(name, condition))
            case _:
                assert_never(tree)

    def _joined(
        self,
        word: str,
        parts: Iterable[Predicate],
        join: Callable[[tuple[Predicate, ...]], Predicate],
        document: str,
        *,
        top: bool,
    ) -> str:
        """Parts that jsonpath can say become one jsonpath, the others SQL beside it."""
        pure: list[Predicate] = []
        others: list[Predicate] = []
        for part in parts:
            (pure if self._is_pure(part, top=top) else others).append(part)
        said = [join(tuple(pure))] if pure else []
        return "(" + word.join(self.compile(part, document, top=top) for part in (*others, *said)) + ")"

    def _param(self, value: Any, kind: str) -> str:
        self.params.append(value)
        return f"${self._first_param + len(self.params) - 1}::{kind}"

    # --- columns ---------------------------------------------------------------------------

    def _has_column(self, name: str, condition: Condition) -> bool:
        """Whether the row's own columns answer; values of another kind are the document's business."""
        match condition:
            case Comparison(operator, value):
                return self._holds(name, operator, (value,))
            case Among(values):
                return self._holds(name, "=", values)
            case _:
                return False

    def _holds(self, name: str, operator: Operator, values: tuple[Operand, ...]) -> bool:
        if name == "version":
            return all(isinstance(value, int | Decimal) and not isinstance(value, bool) for value in values)
        if name in _COLUMNS or (name in self._indexed and operator == "="):
            texts = [value for value in values if isinstance(value, str)]
            return len(texts) == len(values) and (not name.endswith("At") or all(map(_is_moment, texts)))
        return False

    def _column(self, name: str, condition: Condition) -> str:
        match condition:
            case Comparison(operator, value):
                return self._compared(name, operator, value)
            case Among(values):
                return self._listed(name, values)
            case _:
                raise AssertionError(f"{name} has no column for {condition}")

    def _compared(self, name: str, operator: Operator, value: Operand) -> str:
        column = self._expression(name)
        if name == "id" and not _UUID.fullmatch(str(value)):
            # Not an id, but still a text that comes before or after ids.
            return "FALSE" if operator == "=" else f'{column}::text COLLATE "C" {operator} {self._param(value, "text")}'
        return f"{column} {operator} {self._param(_plain(value), 'text')}{_CASTS.get(name, '')}"

    def _listed(self, name: str, values: tuple[Operand, ...]) -> str:
        texts = [_plain(value) for value in values if name != "id" or _UUID.fullmatch(str(value))]
        cast = f"{_CASTS[name]}[]" if name in _CASTS else ""
        return f"{self._expression(name)} = ANY({self._param(texts, 'text[]')}{cast})"

    def _expression(self, name: str) -> str:
        return f"{self._alias}.{_COLUMNS[name] if name in _COLUMNS else column_of(name)}"

    # --- distances -------------------------------------------------------------------------

    def _any_element(self, name: str, document: str, asked: Callable[[str], str]) -> str:
        self._nested += 1
        element = f"e{self._nested}"
        path = self._param(f"{member('$', name)}[*]", "text")
        return (
            f"EXISTS (SELECT FROM jsonb_path_query({document}, {path}::jsonpath) AS {element}(value)"
            f" WHERE {asked(f'{element}.value')})"
        )

    def _within(self, circle: WithinCircle, point: str) -> str:
        """The haversine formula, as in `evaluate`."""
        longitude = _COORDINATE.format(point=point, place=0, most=180, digits=COORDINATE_DIGITS)
        latitude = _COORDINATE.format(point=point, place=1, most=90, digits=COORDINATE_DIGITS)
        east = self._param(round(_float(circle.longitude), COORDINATE_DIGITS), "float8")
        north = self._param(round(_float(circle.latitude), COORDINATE_DIGITS), "float8")
        metres = self._param(_float(circle.metres), "float8")
        return (
            f"{2 * EARTH_RADIUS_METRES} * asin(least(1, sqrt("
            f"power(sin((radians({north}) - radians({latitude})) / 2), 2)"
            f" + cos(radians({latitude})) * cos(radians({north})) * power(sin(radians({east} - {longitude}) / 2), 2)"
            f"))) <= {metres}"
        )


def _is_moment(text: str) -> bool:
    """Whether a text is a point in time in the one form `binding` gives them."""
    try:
        return _MOMENT.fullmatch(text) is not None and bool(clock.parse(text))
    except ValueError:
        return False


def _plain(value: Operand) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _float(value: Operand) -> float:
    assert isinstance(value, int | Decimal)
    return float(value)


# --- order and pages ------------------------------------------------------------------------


def compile_sort(keys: Sequence[SortKey], alias: str, first_param: int) -> Ordering:
    """The order of the rows `alias`, always a total one: `id` decides between equals.

    Documents without the field come first, as nothing is less than anything; descending, last.
    """
    expressions: list[tuple[str, str]] = []
    params: list[str] = []
    for key in keys:
        direction = "DESC" if key.descending else "ASC"
        if len(key.path) == 1 and key.path[0] in _COLUMNS:
            expressions.append((f"{alias}.{_COLUMNS[key.path[0]]}", direction))
        else:
            params.append(f'{member("$", *key.path)} ? (@.type() != "null")')
            place = f"${first_param + len(params) - 1}::text::jsonpath"
            nulls = "NULLS LAST" if key.descending else "NULLS FIRST"
            expressions.append((f"jsonb_path_query_first({alias}.query, {place})", f"{direction} {nulls}"))
    if not any(key.path == ("id",) for key in keys):
        expressions.append((f"{alias}.id", "ASC"))
    return Ordering(tuple(expressions), tuple(params))


def compile_page(
    table: str,
    project: str,
    tree: Predicate | None,
    keys: Sequence[SortKey],
    page: Paging,
    *,
    indexed: Collection[str] = (),
) -> Fragment:
    """One page of a resource table: a single row with `bodies` and, if asked for, `total`.

    A predicate on the document is answered first, whole, and only its result sorted: with a LIMIT
    in sight the planner would rather walk the date index past every row that does not match.
    """
    where = compile_where(tree, "t", 2, indexed=indexed) if tree is not None else Fragment("TRUE", ())
    order = compile_sort(keys, "t", 2 + len(where.params))
    params = (project, *where.params, *order.params)
    bounds = f"LIMIT ${len(params) + 1}::int OFFSET ${len(params) + 2}::int"
    rows = f"FROM {table} AS t WHERE t.project = $1::text AND {where.sql}"
    if "@@" in where.sql:
        sql = _filtered_page(
            table, rows, order, bounds, total="(SELECT count(*) FROM hit)" if page.with_total else _NONE
        )
    else:
        total = f"(SELECT count(*) {rows})" if page.with_total else _NONE
        sql = f"SELECT {total} AS total, ARRAY(SELECT t.body {rows} ORDER BY {order.sql} {bounds}) AS bodies"
    return Fragment(sql, (*params, page.limit, page.offset))


def _filtered_page(table: str, rows: str, order: Ordering, bounds: str, total: str) -> str:
    columns = "".join(f", {expression} AS k{n}" for n, (expression, _) in enumerate(order.keys))
    directions = ", ".join(f"k{n} {direction}" for n, (_, direction) in enumerate(order.keys))
    return (  # every part is ours, what clients wrote is bound
        f"WITH hit AS MATERIALIZED (SELECT t.id AS hit_id{columns} {rows}),"  # noqa: S608 - see above
        f" page AS (SELECT * FROM hit ORDER BY {directions} {bounds})"
        f" SELECT {total} AS total, ARRAY(SELECT b.body FROM page JOIN {table} AS b"
        f" ON b.project = $1::text AND b.id = page.hit_id ORDER BY {directions}) AS bodies"
    )


def compile_any(table: str, project: str, tree: Predicate | None, *, indexed: Collection[str] = ()) -> Fragment:
    """Whether any resource matches: one row with `found`."""
    where = compile_where(tree, "t", 2, indexed=indexed) if tree is not None else Fragment("TRUE", ())
    sql = f"SELECT EXISTS (SELECT FROM {table} AS t WHERE t.project = $1::text AND {where.sql}) AS found"  # noqa: S608 - as above
    return Fragment(sql, (project, *where.params))
