"""Paging and sorting parameters are read within their published bounds."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import field

from holdfast.base.errors import InvalidInput
from holdfast.commerce.predicates.paging import SORTS_MAX, Paging, SortKey, paging, relocated_keys, sort_keys
from holdfast.commerce.values.custom_fields import CustomFields
from holdfast.commerce.values.value import LocalizedString, Stored, empty


class Shop(Stored):
    name: LocalizedString
    roles: tuple[str, ...] = field(default_factory=empty)
    custom: CustomFields | None = None


def test_a_page_has_20_results_and_a_total_unless_asked_otherwise() -> None:
    assert paging() == Paging(limit=20, offset=0, with_total=True)
    assert paging("500", "10000", "false") == Paging(limit=500, offset=10_000, with_total=False)
    assert paging("0", "0", "True") == Paging(limit=0, offset=0, with_total=True)


@pytest.mark.parametrize("limit", ["501", "-1", "x", "", "1.5", "1e2", " 1", "٣", "9" * 30])
def test_a_limit_beyond_the_bounds_is_refused(limit: str) -> None:
    with pytest.raises(InvalidInput, match=r"^Malformed parameter: limit: "):
        paging(limit)


@pytest.mark.parametrize("offset", ["10001", "-1", "x"])
def test_an_offset_beyond_the_bounds_is_refused(offset: str) -> None:
    with pytest.raises(InvalidInput, match=r"^Malformed parameter: offset: "):
        paging(offset=offset)


def test_a_total_is_wanted_or_not() -> None:
    with pytest.raises(InvalidInput, match=r"^Malformed parameter: withTotal: "):
        paging(with_total="maybe")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("id", SortKey(("id",))),
        ("createdAt desc", SortKey(("createdAt",), descending=True)),
        ("name.en-US ASC", SortKey(("name", "en-US"))),
        ("name.desc desc", SortKey(("name", "desc"), descending=True)),
        ("custom.fields.`my field` DESC", SortKey(("custom", "fields", "my field"), descending=True)),
        ("roles", SortKey(("roles",))),
        ("rank desc", SortKey(("rank",), descending=True)),
    ],
)
def test_a_sort_expression_is_a_path_and_a_direction(text: str, key: SortKey) -> None:
    assert sort_keys([text], Shop, {"rank": int}) == (key,)


def test_several_sort_expressions_keep_their_order() -> None:
    assert sort_keys(["name.en", "id desc"], Shop) == (SortKey(("name", "en")), SortKey(("id",), descending=True))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing",
        "name",
        "name.en.deeper",
        "createdAt down",
        "createdAt desc asc",
        "a..b",
        ".id",
        "id.",
        "id;",
        "id\0",
    ],
)
def test_unknown_fields_and_directions_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^Malformed parameter: sort: "):
        sort_keys([text], Shop)


def test_a_projection_is_sorted_by_what_is_stored() -> None:
    keys = (SortKey(("id",)), SortKey(("name", "en"), descending=True))
    assert relocated_keys(keys, {"id": ("id",)}, ("masterData", "current")) == (
        SortKey(("id",)),
        SortKey(("masterData", "current", "name", "en"), descending=True),
    )


def test_too_many_and_too_deep_sort_expressions_are_refused() -> None:
    for texts in (["id"] * (SORTS_MAX + 1), ["custom.fields" + ".x" * 30]):
        with pytest.raises(InvalidInput):
            sort_keys(texts, Shop)


@given(st.text())
def test_any_text_is_understood_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        sort_keys([text], Shop)
    with contextlib.suppress(InvalidInput):
        paging(text, text, text)
