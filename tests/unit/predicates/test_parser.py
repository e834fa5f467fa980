"""Query predicates are understood as published, or refused with a position."""

from __future__ import annotations

import contextlib
import sys
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.base.errors import InvalidInput
from holdfast.commerce.predicates.parser import DEPTH_MAX, NODES_MAX, PARTS_MAX, parse, parse_all
from holdfast.commerce.predicates.tokens import TEXT_LENGTH_MAX
from holdfast.commerce.predicates.tree import (
    Among,
    And,
    Comparison,
    Condition,
    ContainsAll,
    Defined,
    Descend,
    Empty,
    MatchesIgnoringCase,
    Not,
    Or,
    Predicate,
    Term,
    Variable,
    WithinCircle,
)


def a(condition: Condition) -> Term:
    return Term("a", condition)


A = a(Comparison("=", 1))
B = Term("b", Comparison("=", 2))
C = Term("c", Comparison("=", 3))


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ('a = "x"', Comparison("=", "x")),
        ("a < 1", Comparison("<", 1)),
        ("a>-2.50", Comparison(">", Decimal("-2.5"))),
        ("a <= 1e3", Comparison("<=", 1000)),
        ("a >= 0.1", Comparison(">=", Decimal("0.1"))),
        ("a = true", Comparison("=", value=True)),
        ("a = FALSE", Comparison("=", value=False)),
        ("a = :x-1", Comparison("=", Variable("x-1"))),
        ('a in ("x", 1, :y)', Among(("x", 1, Variable("y")))),
        ("a in :x", Among((Variable("x"),))),
        ('a contains any ("x")', Among(("x",))),
        ('a contains all ("x", "y")', ContainsAll(("x", "y"))),
        ("a is defined", Defined()),
        ("a is empty", Empty()),
        ('a matches ignore case "X"', MatchesIgnoringCase("X")),
        ("a within circle(13.37, -52.5, 1000)", WithinCircle(Decimal("13.37"), Decimal("-52.5"), 1000)),
    ],
)
def test_each_condition_is_understood(text: str, condition: Condition) -> None:
    assert parse(text) == a(condition)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("a != 1", Comparison("=", 1)),
        ("a <> 1", Comparison("=", 1)),
        ("a not in (1)", Among((1,))),
        ("a is not defined", Defined()),
        ("a is not empty", Empty()),
    ],
)
def test_each_negated_condition_is_not_around_the_positive_one(text: str, condition: Condition) -> None:
    assert parse(text) == Not(a(condition))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a = 1 and b = 2 or c = 3", Or((And((A, B)), C))),
        ("a = 1 and (b = 2 or c = 3)", And((A, Or((B, C))))),
        ("(a = 1) and not (b = 2) or c = 3", Or((And((A, Not(B))), C))),
        ("not(not(a = 1))", Not(Not(A))),
        ("x(y(a = 1 and b = 2))", Descend("x", Descend("y", And((A, B))))),
        ("x(a = 1) and b = 2", And((Descend("x", A), B))),
        ("A = 1 AND B = 2", And((Term("A", Comparison("=", 1)), Term("B", Comparison("=", 2))))),
        ("a=1 aNd(b=2)", And((A, B))),
        ("\n a\t=\r\n1 ", A),
    ],
)
def test_logic_binds_as_published(text: str, tree: Predicate) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("en-US", "en-US"),
        ("2fa", "2fa"),
        ("7", "7"),
        ("1e5", "1e5"),
        ("550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000"),
        ("_x", "_x"),
        ('`my field. "it\'s"`', 'my field. "it\'s"'),
        ("`not`", "not"),
        ("is", "is"),
        ("or", "or"),
        ("not", "not"),
        ("in", "in"),
        ("true", "true"),
    ],
)
def test_names_may_be_locales_ids_keywords_or_quoted(name: str, field: str) -> None:
    assert parse(f'{name} = "x"') == Term(field, Comparison("=", "x"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\"", '"'),
        (r"\\", "\\"),
        (r"\n\t", "\n\t"),
        (r"\/", "/"),
        ("\\u00e9", "é"),
        ("\\ud83d\\ude00", "😀"),
        ("`--'; /* $1", "`--'; /* $1"),
    ],
)
def test_escapes_in_texts_are_resolved(written: str, meant: str) -> None:
    assert parse(f'a = "{written}"') == a(Comparison("=", meant))


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("a", 1),
        ("a =", 3),
        ("a = b", 4),
        ("a = 1 b = 2", 6),
        ("a = 1 and", 9),
        ("a = 1)", 5),
        ("(a = 1", 6),
        ("a()", 2),
        ("a = 'x'", 4),
        ('a = "x', 4),
        ("`` = 1", 0),
        ("`a = 1", 0),
        ("a.b = 1", 1),
        ("a in ()", 6),
        ("a in (1,)", 8),
        ("a in 1", 5),
        ("a is null", 5),
        ("a like 1", 2),
        ("a contains (1)", 11),
        ("a matches 1", 10),
        ("a matches ignore case 1", 22),
        ("a within circle(1, 2)", 20),
        ('a within circle(1, "2", 3)', 19),
        ("a = 1 && b = 2", 6),
        ("a = 1; drop table zone", 5),
        ("a = 1.", 5),
        ("a = 01x", 4),
        ("not a = 1", 4),
        ("a = \0", 4),
        (r'a = "\u0000"', 4),
        (r'a = "\ud83d"', 4),
        ("`\0` = 1", 0),
        ('a = "\ud800"', 4),
        ("a = " + "9" * 65, 4),
        ("a = 1e301", 4),
        ("a = 1e99999999999999999999", 4),
    ],
)
def test_mistakes_are_refused_with_their_position(text: str, position: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(text)
    assert refused.value.message.startswith("Malformed parameter: where: ")
    assert f"(at position {position})" in refused.value.message


@pytest.mark.parametrize(
    "text",
    [
        " or ".join(["a = 1"] * 10_000),
        " or ".join(["a=1"] * (NODES_MAX // 2 + 1)),
        f"a in ({','.join(['1'] * NODES_MAX)})",
        "(" * (DEPTH_MAX + 1) + "a = 1" + ")" * (DEPTH_MAX + 1),
        "a(" * 10_000,
        "not(" * 10_000,
        f'a = "{"x" * TEXT_LENGTH_MAX}"',
    ],
)
def test_more_than_the_bounds_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse(text)


def test_the_deepest_predicate_fits_on_a_short_stack() -> None:
    text = "a(" * DEPTH_MAX + "a = 1" + ")" * DEPTH_MAX
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(500)
    try:
        assert isinstance(parse(text), Descend)
    finally:
        sys.setrecursionlimit(limit)


def test_a_page_of_500_ids_fits() -> None:
    ids = ", ".join(f'"550e8400-e29b-41d4-a716-{n:012}"' for n in range(500))
    tree = parse(f"id in ({ids})")
    assert isinstance(tree, Term)
    assert isinstance(tree.condition, Among)
    assert len(tree.condition.values) == 500


def test_several_predicates_must_all_hold() -> None:
    assert parse_all(["a = 1", " ", "b = 2"]) == And((A, B))
    assert parse_all(["a = 1"]) == A
    assert parse_all([""]) is None
    assert parse_all([]) is None
    with pytest.raises(InvalidInput):
        parse_all(["a = 1"] * (PARTS_MAX + 1))


WORDS = st.sampled_from(
    (
        *("a", "en-US", "`x`", "7", "-1.5", '"t"', ":v", "true", "=", "<>", "<", "(", ")", ",", "."),
        *("and", "or", "not", "in", "is", "defined", "empty", "contains", "all", "any"),
        *("matches", "ignore", "case", "within", "circle", '"', "\\", "\0", "`"),
    )
)


@given(st.text() | st.lists(WORDS, max_size=20).map(" ".join) | st.lists(WORDS, max_size=20).map("".join))
@example("a = 0e999999999999")
@example('a = "\\')
def test_any_text_is_understood_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        parse(text)
