"""SQL made of predicates finds what the evaluator finds, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.commerce.predicates.binding import IGNORE_CASE_LENGTH_MAX
from holdfast.commerce.predicates.evaluate import matches
from holdfast.commerce.predicates.paging import Paging, SortKey
from holdfast.commerce.predicates.parser import DEPTH_MAX, NODES_MAX, parse
from holdfast.commerce.predicates.tree import (
    Among,
    And,
    Comparison,
    ContainsAll,
    Defined,
    Descend,
    Empty,
    MatchesIgnoringCase,
    Not,
    Or,
    Predicate,
    Term,
    WithinCircle,
)
from holdfast.store.where import compile_any, compile_page, compile_where


class Database:
    """A connection for tests that are no coroutines: Hypothesis calls them."""

    def __init__(self, runner: asyncio.Runner, connection: asyncpg.Connection) -> None:
        self._runner = runner
        self._connection = connection

    def fetch(self, sql: str, *params: Any) -> list[Any]:
        return list(self._runner.run(self._connection.fetch(sql, *params)))

    def execute(self, sql: str) -> None:
        self._runner.run(self._connection.execute(sql))


@pytest.fixture(scope="module")
def database(postgres: str) -> Iterator[Database]:
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(postgres))
        yield Database(runner, connection)
        runner.run(connection.close())


# --- documents and predicates that meet ------------------------------------------------------

IDS = (
    "00000000-0000-7000-8000-000000000001",
    "0f000000-0000-7000-8000-000000000002",
    "ff000000-0000-7000-8000-00000000000a",
)
MOMENTS = ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.001Z", "0001-01-01T00:00:00.000Z")
NAMES = ("a", "b", "en-US", 'q"\\', "ключ")
TEXTS = (
    "",
    "x",
    "X",
    "xy",
    "ß",
    "SS",
    "ǆ",
    "ǅ",
    "i",
    "İ",
    "ſ",
    "a.b",
    "a+b",
    "^$",
    "\\",
    '"',
    "'; --",
    "\n",
    "\x7f",
    "\ue000",
    "😀",
    "1",
)
NUMBERS = (0, 1, -1, 10**30, Decimal("0.1"), Decimal("-2.5"), Decimal("1e20"), Decimal("1e-20"))

texts = st.sampled_from(TEXTS) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
numbers = st.sampled_from(NUMBERS) | st.integers() | st.decimals(-1000, 1000, places=3)
scalars = st.one_of(texts, numbers, st.booleans())
found = st.one_of(st.none(), texts, st.booleans(), st.integers(-2, 2), st.sampled_from((0.1, 1.0, -2.5, 1e20, 10**30)))
points = st.builds(
    lambda longitude, latitude: {"type": "Point", "coordinates": [longitude, latitude]},
    st.floats(-180, 180),
    st.floats(-90, 90) | st.just("north"),
)
names = st.sampled_from(NAMES)
values = st.recursive(
    found | points,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
documents = st.builds(
    lambda fields, id_, version, created: {**fields, "id": id_, "version": version, "createdAt": created},
    st.dictionaries(names, values, max_size=4),
    st.sampled_from(IDS),
    st.integers(1, 3),
    st.sampled_from(MOMENTS),
)

listed = st.lists(scalars, min_size=1, max_size=3).map(tuple)
operators = st.sampled_from(("=", "<", ">", "<=", ">="))
conditions = st.one_of(
    st.builds(Comparison, operators, scalars),
    st.builds(Among, listed),
    st.builds(ContainsAll, listed),
    st.just(Defined()),
    st.just(Empty()),
    st.builds(MatchesIgnoringCase, texts),
    st.builds(WithinCircle, st.integers(-180, 180), st.integers(-90, 90), st.integers(1, 20_000_000)),
)
column_terms = st.one_of(
    st.builds(Term, st.just("id"), st.builds(Comparison, operators, st.sampled_from((*IDS, "0f", "zz", "")))),
    st.builds(Term, st.just("id"), st.builds(Among, st.lists(st.sampled_from((*IDS, "x")), min_size=1).map(tuple))),
    st.builds(Term, st.just("version"), st.builds(Comparison, operators, st.integers(0, 4) | numbers)),
    st.builds(Term, st.just("version"), st.builds(Among, st.lists(numbers | st.just(1), min_size=1).map(tuple))),
    st.builds(Term, st.just("createdAt"), st.builds(Comparison, operators, st.sampled_from((*MOMENTS, "2026")))),
    st.builds(Term, st.just("createdAt"), st.builds(Among, st.lists(st.sampled_from(MOMENTS), min_size=1).map(tuple))),
)
trees: st.SearchStrategy[Predicate] = st.recursive(
    st.builds(Term, names, conditions) | column_terms,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, inner),
        st.builds(Descend, names, inner),
    ),
    max_leaves=8,
)

_ROWS = (
    "SELECT n::text::uuid AS id, version, c::timestamptz AS created_at, c::timestamptz AS modified_at, query::jsonb"
    " FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) AS given (n, version, c, query)"
)


def sql_matches(database: Database, tree: Predicate, found: Sequence[dict[str, Any]]) -> list[bool]:
    """Each document's answer, by the SQL of the predicate."""
    where = compile_where(tree, "t", 5)
    columns = zip(*((d["id"], d["version"], d["createdAt"], json.dumps(d)) for d in found), strict=True)
    rows = database.fetch(f"SELECT {where.sql} AS answer FROM ({_ROWS}) AS t", *map(list, columns), *where.params)
    return [row["answer"] for row in rows]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(found=st.lists(documents, min_size=1, max_size=6), tree=trees)
def test_sql_and_evaluator_agree(database: Database, found: list[dict[str, Any]], tree: Predicate) -> None:
    assert sql_matches(database, tree, found) == [matches(tree, document) for document in found]


# --- the edges of PostgreSQL -----------------------------------------------------------------

DOCUMENT = {"id": IDS[0], "version": 1, "createdAt": MOMENTS[0], "a": "x"}


@pytest.mark.parametrize(
    "text",
    [
        " or ".join(["a = 1"] * (NODES_MAX // 2 - 1)) + ' or a = "x"',
        f'a in ({", ".join(str(n) for n in range(NODES_MAX - 10))}, "x")',
        "not(not(" * 25 + 'a = "x"' + "))" * 25,
        'a != "' + "y" * 60_000 + '"',
        "a != 1e300 and a != -1e300 and a != 1e-300 and a != " + "9" * 64,
        "version < 1e300 and version > -" + "9" * 63,
        'createdAt < "9999-12-31T23:59:59.999Z" and id > ""',
    ],
)
def test_predicates_at_the_bounds_are_answered(database: Database, text: str) -> None:
    assert sql_matches(database, parse(text), [DOCUMENT]) == [True]


def test_the_deepest_predicate_is_answered(database: Database) -> None:
    document: dict[str, Any] = {"a": 1}
    for _ in range(DEPTH_MAX):
        document = {"a": [document]}
    deepest = parse("a(" * DEPTH_MAX + "a = 1" + ")" * DEPTH_MAX)
    assert sql_matches(database, deepest, [DOCUMENT | document]) == [True]


def test_letters_in_any_case_may_be_as_many_as_are_allowed(database: Database) -> None:
    text = ("aß.[ǆ🄰-\\" * IGNORE_CASE_LENGTH_MAX)[:IGNORE_CASE_LENGTH_MAX]
    tree = Term("a", MatchesIgnoringCase(text.upper() if len(text.upper()) == len(text) else text))
    assert sql_matches(database, tree, [DOCUMENT | {"a": text}, DOCUMENT]) == [True, False]


INJECTIONS = (
    "'; DROP TABLE resource; --",
    '") || true || exists($.a ? (@ == "',
    '" || 1 == 1) //',
    '\\") ? (true',
    "$1",
    "$.*",
    "@",
    "\\",
    '\\"',
    "\\\\'",
    "/* */",
    "'||pg_sleep(10)||'",
    "\u2028",
    "\x01\x1f\x7f",
    ".*",
    "a|b",
    "(?i)x",
    "***=x",
    "^",
    "[",
    "x]",
    "{1,9999}",
)


@pytest.mark.parametrize("text", INJECTIONS)
def test_texts_are_data_wherever_they_stand(database: Database, text: str) -> None:
    others = [DOCUMENT | {"a": other} for other in ("x", "y")]
    there = DOCUMENT | {"a": text, text: "x", "deep": [{text: {"a": text}}]}
    for condition in (Comparison("=", text), Among((text,)), ContainsAll((text,)), MatchesIgnoringCase(text)):
        for tree in (Term("a", condition), Descend("deep", Descend(text, Term("a", condition)))):
            assert sql_matches(database, tree, [there, *others]) == [True] + [False] * len(others)
    assert sql_matches(database, Term(text, Comparison("=", "x")), [there, *others]) == [True] + [False] * len(others)
    circle = Descend(text, Term(text, WithinCircle(0, 0, 1)))
    assert sql_matches(database, circle, [there]) == [False]
    assert not any(text in compile_where(tree, "t", 1).sql for tree in (circle, Term(text, Defined())) if len(text) > 2)


# --- pages of a resource table ---------------------------------------------------------------

ROWS = 3_000
PAGE = Paging()


@pytest.fixture(scope="module")
def shops(database: Database) -> str:
    """A table like every resource type's, of two projects; one row in a thousand is rare."""
    database.execute(
        "CREATE TABLE IF NOT EXISTS shop (project text NOT NULL, id uuid NOT NULL, version bigint NOT NULL,"
        " created_at timestamptz NOT NULL, modified_at timestamptz NOT NULL, body bytea NOT NULL,"
        " query jsonb NOT NULL, PRIMARY KEY (project, id))"
    )
    database.execute("CREATE INDEX ON shop (project, created_at)")
    database.execute("CREATE INDEX ON shop USING gin (query jsonb_path_ops)")
    database.execute(
        "INSERT INTO shop SELECT project, lpad(to_hex(n), 32, '0')::uuid, 1, day, day, convert_to(n::text, 'UTF8'),"
        " jsonb_build_object('n', n, 'kind', CASE WHEN n % 1000 = 0 THEN 'rare' ELSE 'common' END,"
        " 'name', CASE WHEN n % 2 = 0 THEN jsonb_build_object('en', 'shop ' || n) END)"
        f" FROM (SELECT project, n, timestamptz '2026-01-01' - n * interval '1 day' AS day"
        f" FROM unnest(ARRAY['one', 'two']) AS project, generate_series(1, {ROWS}) AS n) AS made"
    )
    database.execute("ANALYZE shop")
    return "shop"


def page_of(database: Database, text: str, *keys: SortKey, page: Paging = PAGE) -> tuple[list[int], int | None]:
    """The numbers on a page, and the total."""
    query = compile_page("shop", "one", parse(text) if text else None, keys, page)
    (row,) = database.fetch(query.sql, *query.params)
    return [int(body) for body in row["bodies"]], row["total"]


def test_a_page_is_of_one_project_and_counts_all_matches(database: Database, shops: str) -> None:
    assert page_of(database, "") == (list(range(1, 21)), ROWS)
    assert page_of(database, 'kind = "rare"') == ([1000, 2000, 3000], 3)
    assert page_of(database, 'kind = "nothing"') == ([], 0)


def test_limit_offset_and_total_are_kept(database: Database, shops: str) -> None:
    page = Paging(limit=2, offset=1, with_total=False)
    for text, expected in (("", [2, 3]), ('kind = "rare"', [2000, 3000]), ("n >= 10 and n < 13", [11, 12])):
        assert page_of(database, text, page=page) == (expected, None)
    assert page_of(database, 'kind = "rare"', page=Paging(limit=0)) == ([], 3)
    assert page_of(database, 'kind = "rare"', page=Paging(offset=10_000)) == ([], 3)


def test_pages_are_sorted_by_columns_fields_and_at_last_ids(database: Database, shops: str) -> None:
    created, name = SortKey(("createdAt",)), SortKey(("name", "en"), descending=True)
    rare = SortKey(("kind",), descending=True)
    top = Paging(limit=4, with_total=False)
    assert page_of(database, "", created, page=top) == ([3000, 2999, 2998, 2997], None)
    assert page_of(database, "n < 12", name, page=top) == ([8, 6, 4, 2], None)
    assert page_of(database, "n < 12", SortKey(("name", "en")), page=Paging(limit=7)) == ([1, 3, 5, 7, 9, 11, 10], 11)
    assert page_of(database, "", rare, created, page=top) == ([3000, 2000, 1000, 2999], None)
    assert page_of(database, "n < 5", SortKey(("id",), descending=True)) == ([4, 3, 2, 1], 4)
    assert page_of(database, "n < 3", SortKey(("x", "'; --", 'y"'))) == ([1, 2], 2)


def test_a_cursor_by_id_meets_every_resource_once(database: Database, shops: str) -> None:
    seen: list[int] = []
    last = "0"
    while page := page_of(database, f'id > "{last}"', SortKey(("id",)), page=Paging(limit=500, with_total=False))[0]:
        seen += page
        last = str(uuid.UUID(int=page[-1]))
    assert seen == list(range(1, ROWS + 1))


def test_whether_anything_matches(database: Database, shops: str) -> None:
    for tree, expected in ((None, True), (parse('kind = "rare"'), True), (parse("n = 0"), False)):
        query = compile_any("shop", "one", tree)
        assert database.fetch(query.sql, *query.params)[0]["found"] is expected


def plan_of(database: Database, text: str, *keys: SortKey, indexed: Sequence[str] = ()) -> str:
    query = compile_page("shop", "one", parse(text), keys, Paging(with_total=False), indexed=indexed)
    return "\n".join(row[0] for row in database.fetch(f"EXPLAIN {query.sql}", *query.params))


@pytest.mark.parametrize("text", ['kind = "rare"', 'kind in ("rare", "x")', 'kind = "rare" and not (n = 1) and n > 2'])
def test_a_selective_predicate_is_found_by_the_index_and_then_sorted(database: Database, shops: str, text: str) -> None:
    plan = plan_of(database, text, SortKey(("createdAt",), descending=True))
    assert "Bitmap Index Scan on shop_query_idx" in plan
    assert "shop_project_created_at_idx" not in plan


def test_a_cursor_by_id_walks_the_primary_key(database: Database, shops: str) -> None:
    plan = plan_of(database, f'id > "{IDS[0]}"', SortKey(("id",)))
    assert "Index Scan using shop_pkey" in plan
    assert "Sort" not in plan


def test_a_field_with_an_index_of_its_own_is_asked_there(database: Database, shops: str) -> None:
    database.execute("ALTER TABLE shop ADD COLUMN IF NOT EXISTS kind text GENERATED ALWAYS AS (query->>'kind') STORED")
    database.execute("CREATE INDEX IF NOT EXISTS shop_kind ON shop (project, kind)")
    database.execute("ANALYZE shop")
    assert "shop_kind" in plan_of(database, 'kind = "rare"', SortKey(("createdAt",)), indexed=("kind",))
    for text in ('kind = "rare"', 'kind in ("rare", "x")', 'not (kind != "rare") and n > 1', 'kind > "common"'):
        query = compile_page("shop", "one", parse(text), (), Paging(), indexed=("kind",))
        assert database.fetch(query.sql, *query.params)[0]["total"] == 3


@pytest.mark.parametrize("tiny", [5e-324, -2e-200, 1e-12])
def test_places_next_to_each_other_are_no_distance_apart(database: Database, tiny: float) -> None:
    here = DOCUMENT | {"a": {"type": "Point", "coordinates": [tiny, -tiny]}}
    assert sql_matches(database, Term("a", WithinCircle(0, 0, 0)), [here]) == [True]
