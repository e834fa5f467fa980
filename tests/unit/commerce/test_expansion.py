"""Reference expansion finds references on paths and puts their targets in place."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.base.errors import InvalidInput
from holdfast.commerce.expansion import PATHS_MAX, REFERENCES_MAX, STEPS_MAX, Target, expanded, parse_paths, pending


def ref(kind: str, resource_id: str, **extra: Any) -> dict[str, Any]:
    return {"typeId": kind, "id": resource_id, **extra}


def all_levels(document: dict[str, Any], store: dict[Target, dict[str, Any]], *paths: str) -> dict[str, Any]:
    """What a handler does: load, put in place, ask again."""
    asked = parse_paths(paths)
    loaded: dict[Target, dict[str, Any]] = {}
    while wanted := {target for target in pending(document, asked) if target in store} - loaded.keys():
        loaded |= {target: store[target] for target in wanted}
        document = expanded(document, asked, loaded)
    return document


CART = {
    "lineItems": [{"productType": ref("product-type", "t1")}, {"productType": ref("product-type", "t2")}],
    "paymentInfo": {"payments": [ref("payment", "p1"), ref("payment", "p2")]},
    "custom": {"type": ref("type", "ty"), "fields": {"gift-card": ref("product", "pr")}},
}


def test_a_star_takes_every_element() -> None:
    assert pending(CART, parse_paths(["lineItems[*].productType"])) == {("product-type", "t1"), ("product-type", "t2")}


def test_a_number_takes_one_element() -> None:
    assert pending(CART, parse_paths(["paymentInfo.payments[1]"])) == {("payment", "p2")}


def test_an_array_without_brackets_leads_nowhere() -> None:
    assert pending(CART, parse_paths(["paymentInfo.payments"])) == set()


def test_custom_fields_are_reached_by_name() -> None:
    assert pending(CART, parse_paths(["custom.fields.gift-card", "custom.type"])) == {("product", "pr"), ("type", "ty")}


@pytest.mark.parametrize("path", ["nothing", "lineItems[7].productType", "custom.type.nowhere[*].x", "lineItems.x", ""])
def test_paths_that_lead_nowhere_are_ignored(path: str) -> None:
    loaded = {("type", "ty"): {"id": "ty"}}
    assert pending(expanded(CART, parse_paths([path]), loaded), parse_paths([path])) == set()


def test_references_behind_references_are_expanded_level_by_level() -> None:
    store: dict[Target, dict[str, Any]] = {
        ("payment", "p1"): {"id": "p1", "paymentStatus": {"state": ref("state", "s1")}},
        ("payment", "p2"): {"id": "p2", "paymentStatus": {}},
        ("state", "s1"): {"id": "s1", "key": "paid"},
    }
    done = all_levels(CART, store, "paymentInfo.payments[*].paymentStatus.state")
    first, second = done["paymentInfo"]["payments"]
    assert first["obj"]["paymentStatus"]["state"]["obj"] == {"id": "s1", "key": "paid"}
    assert second == ref("payment", "p2", obj={"id": "p2", "paymentStatus": {}})


def test_paths_that_begin_alike_all_hold() -> None:
    store: dict[Target, dict[str, Any]] = {
        ("category", "a"): {"parent": ref("category", "b"), "custom": {"type": ref("type", "t")}},
        ("category", "b"): {"id": "b"},
        ("type", "t"): {"id": "t"},
    }
    done = all_levels({"parent": ref("category", "a")}, store, "parent.custom.type", "parent.parent")
    assert done["parent"]["obj"] == {
        "parent": ref("category", "b", obj={"id": "b"}),
        "custom": {"type": ref("type", "t", obj={"id": "t"})},
    }


def test_a_target_that_is_gone_stays_a_plain_reference() -> None:
    document = {"parent": ref("category", "gone")}
    assert all_levels(document, {}, "parent.parent") == document


def test_what_was_given_stays_as_it_was() -> None:
    document = {"parent": ref("category", "a")}
    loaded = {("category", "a"): {"parent": ref("category", "a")}}
    expanded(document, parse_paths(["parent.parent"]), loaded)
    assert document == {"parent": ref("category", "a")}
    assert loaded == {("category", "a"): {"parent": ref("category", "a")}}


def test_a_reference_by_key_is_left_alone() -> None:
    assert pending({"store": {"typeId": "store", "key": "berlin"}}, parse_paths(["store"])) == set()


@pytest.mark.parametrize(
    "path", ["a..b", ".", "a[", "a[]", "a[-1]", "a[*]b", "a b", "[*]", "a\0", "a[9999999999]", "é"]
)
def test_what_is_not_a_path_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput, match=r"^Malformed parameter: expand: "):
        parse_paths([path])


def test_too_many_too_long_and_too_deep_paths_are_refused() -> None:
    for texts in (["a"] * (PATHS_MAX + 1), ["a" * 10_000], [".".join("a" * (STEPS_MAX + 1))]):
        with pytest.raises(InvalidInput):
            parse_paths(texts)


def test_multiplying_references_are_refused() -> None:
    many = {"id": "c", "ancestors": [ref("category", "c") for _ in range(100)]}
    path = parse_paths(["ancestors[*].ancestors[*]"])
    assert REFERENCES_MAX < 100 * 100
    with pytest.raises(InvalidInput, match="references"):
        expanded(many, path, {("category", "c"): many})


@given(st.text())
def test_any_text_is_a_path_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        parse_paths([text])
