"""A predicate is checked against the shape it asks about, and its variables get that shape's types."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import field

from holdfast.base.errors import InvalidInput
from holdfast.commerce.predicates.binding import IGNORE_CASE_LENGTH_MAX, bind, relocated
from holdfast.commerce.predicates.evaluate import matches
from holdfast.commerce.predicates.parser import NODES_MAX, parse
from holdfast.commerce.predicates.tree import Among, And, Comparison, Descend, Not, Or, Term, WithinCircle
from holdfast.commerce.values.custom_fields import CustomFields
from holdfast.commerce.values.money import Money
from holdfast.commerce.values.reference import KeyReference, Reference
from holdfast.commerce.values.value import LocalizedString, Stored, Value, empty


class Point(Value):
    type: str
    coordinates: tuple[float, ...]


class Kiosk(Value, tag_field="kind", tag="kiosk"):
    shelves: int


class Hall(Value, tag_field="kind", tag="hall"):
    floors: tuple[int, ...]


class Shop(Stored):
    key: str | None = None
    name: LocalizedString
    open: bool
    valid_from: str | None = None
    rent: Money | None = None
    group: Reference | KeyReference | None = None
    roles: tuple[str, ...] = field(default_factory=empty)
    parents: tuple[Reference, ...] = field(default_factory=empty)
    building: Kiosk | Hall | None = None
    geo_location: Point | None = None
    custom: CustomFields | None = None


def bound(text: str, **variables: Any) -> Any:
    return bind(parse(text), Shop, {name.replace("_", "-"): values for name, values in variables.items()})


@pytest.mark.parametrize(
    "text",
    [
        'id = "x" and version > 1 and lastModifiedAt < "2026-01-01T00:00:00Z"',
        'createdBy(clientId = "x" and customer(id = "y"))',
        'name(en = "x" or de-AT is defined)',
        'rent(centAmount > 100 and currencyCode = "EUR" and type = "centPrecision")',
        'group(id = "x" or key = "y")',
        'roles contains any ("a") or roles = "a" or roles is empty',
        'parents(id in ("a", "b"))',
        'building(kind = "hall" and floors > 2 or shelves = 1)',
        "geoLocation within circle(1, 2, 3)",
        "geoLocation(coordinates > 3)",
        'custom(type(id = "x") and fields(any = 1 and deep(er(est = true))))',
        "open = true",
    ],
)
def test_fields_of_the_shape_may_be_asked_about(text: str) -> None:
    assert bound(text) is not None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("nothing = 1", "nothing"),
        ("valid_from is defined", "valid_from"),
        ("rent(cents = 1)", "cents"),
        ('group(name = "x")', "name"),
        ("key(en = 1)", "en"),
        ("building(windows = 1)", "windows"),
        ('name = "x"', "name"),
        ('name in ("x")', "name"),
        ('rent = "1 EUR"', "rent"),
        ('version = "1"', "1"),
        ("key = 1", "1"),
        ("open = 1", "1"),
        ("roles contains all (true)", "True"),
        ('validFrom < "soon"', "soon"),
        ('createdAt < "9999-12-31T23:59:59-23:59"', "9999"),
        ("version matches ignore case :x", "version"),
        ("geoLocation within circle(181, 0, 1)", "181"),
        ("geoLocation within circle(0, 0, -1)", "-1"),
        ("geoLocation within circle(0, :x, 1)", "x"),
    ],
)
def test_what_the_shape_cannot_answer_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(InvalidInput, match=r"^Malformed parameter: where: ") as refused:
        bound(text, x=["x"])
    assert named in refused.value.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("key = :x", "5"),
        ("name(en = :x)", "5"),
        ("version = :x", 5),
        ("rent(centAmount = :x)", 5),
        ("geoLocation(coordinates = :x)", 5),
    ],
)
def test_a_variable_takes_the_type_of_its_field(text: str, value: object) -> None:
    tree = bound(text, x=["5"])
    while isinstance(tree, Descend):
        tree = tree.inner
    assert tree.condition == Comparison("=", value)  # type: ignore[arg-type]


def test_a_variable_is_read_as_a_boolean_where_the_field_is_one() -> None:
    assert bound("open = :x", x=["TRUE"]) == Term("open", Comparison("=", value=True))


def test_a_variable_in_an_open_field_may_mean_a_text_or_a_number() -> None:
    tree = bound("custom(fields(n = :x and m < :x and k != :x))", x=["5"])
    for stored in ("5", 5):
        assert matches(tree, {"custom": {"fields": {"n": stored, "m": 4, "k": "6"}}})
        assert not matches(tree, {"custom": {"fields": {"n": stored, "m": 4, "k": stored}}})
    assert not matches(tree, {"custom": {"fields": {"n": "6", "m": 4}}})


def test_a_repeated_variable_is_a_list() -> None:
    assert bound("key in :x", x=["a", "b"]) == Term("key", Among(("a", "b")))
    assert bound('key in (:x, "c")', x=["a", "b"]) == Term("key", Among(("a", "b", "c")))
    assert bound("roles contains all (:x)", x=["a", "b"]) == bound('roles = "a" and roles = "b"')
    with pytest.raises(InvalidInput, match="several values"):
        bound("key = :x", x=["a", "b"])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("key = :x", []),
        ("key = :y", ["a"]),
        ("version = :x", ["five"]),
        ("version = :x", ["1e999"]),
        ("version = :x", ["0x1"]),
        ("version = :x", ["٣"]),
        ("open = :x", ["1"]),
        ("key = :x", ["a\0b"]),
        ("key = :x", ["\ud800"]),
        ("createdAt > :x", ["yesterday"]),
        ("key in :x", ["a"] * (NODES_MAX + 1)),
        (" or ".join(["key in :x"] * 100), ["a"] * 100),
    ],
)
def test_missing_unfitting_and_too_many_values_are_refused(text: str, values: list[str]) -> None:
    with pytest.raises(InvalidInput, match=r"^Malformed parameter: where: "):
        bound(text, x=values)


@pytest.mark.parametrize(
    "written",
    ["2026-01-31T10:00:00Z", "2026-01-31T10:00:00.000+00:00", "2026-01-31T12:00:00+02:00", "2026-01-31T10:00"],
)
def test_points_in_time_are_compared_in_the_form_they_are_stored_in(written: str) -> None:
    stored = Comparison(">", "2026-01-31T10:00:00.000Z")
    assert bound(f'validFrom > "{written}"') == Term("validFrom", stored)
    assert bound("createdAt > :x", x=[written]) == Term("createdAt", stored)


def test_extra_fields_exist_for_queries_only() -> None:
    tree = parse('lowercaseEmail = :x and not (key = "x")')
    email = Term("lowercaseEmail", Comparison("=", "a@b"))
    found = bind(tree, Shop, {"x": ["a@b"]}, extra={"lowercaseEmail": str})
    assert found == And((email, Not(Term("key", Comparison("=", "x")))))
    with pytest.raises(InvalidInput, match="lowercaseEmail"):
        bind(tree, Shop, {"x": ["a@b"]})


def test_a_circle_takes_variables() -> None:
    assert bound("geoLocation within circle(:x, 1, :x)", x=["2.0"]) == Term("geoLocation", WithinCircle(2, 1, 2))


def test_letters_in_any_case_are_bounded() -> None:
    text = "x" * (IGNORE_CASE_LENGTH_MAX + 1)
    with pytest.raises(InvalidInput, match="512"):
        bound(f'key matches ignore case "{text}"')


def test_a_projection_is_asked_about_where_its_fields_are_stored() -> None:
    tree = parse('id = "x" and not (name(en = "y")) or published = true')
    name = Descend("name", Term("en", Comparison("=", "y")))
    published = Descend("masterData", Term("published", Comparison("=", value=True)))
    assert relocated(tree, {"id": ("id",), "published": ("masterData", "published")}, ("masterData", "current")) == Or(
        (
            And((Term("id", Comparison("=", "x")), Not(Descend("masterData", Descend("current", name))))),
            published,
        )
    )


@given(st.text())
def test_any_variable_is_typed_or_refused(text: str) -> None:
    for asked in ("key = :x", "version = :x", "open = :x", "createdAt = :x", "custom(fields(a < :x))"):
        try:
            tree = bound(asked, x=[text])
        except InvalidInput:
            continue
        assert not matches(tree, {})
