"""What is refused first: queries, then what has not begun; the order itself last."""

from __future__ import annotations

import pytest

from holdfast.http.criticality import Criticality, criticality

ORDER, STEP, READ, BEGIN, QUERY = Criticality


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/shop/orders", ORDER),
        ("POST", "/shop/me/orders", ORDER),
        ("POST", "/shop/in-store/key=berlin/me/orders", ORDER),
        ("POST", "/shop/orders/1", STEP),
        ("POST", "/shop/carts/1", STEP),
        ("POST", "/shop/me/carts/1", STEP),
        ("DELETE", "/shop/carts/1", STEP),
        ("POST", "/shop/payments", STEP),
        ("POST", "/shop/customers", STEP),
        ("POST", "/shop/login", STEP),
        ("POST", "/oauth/token", STEP),
        ("GET", "/shop/carts/1", STEP),
        ("GET", "/shop/me/active-cart", STEP),
        ("GET", "/shop/shipping-methods/matching-cart", STEP),
        ("GET", "/shop/product-projections/1", READ),
        ("GET", "/shop", READ),
        ("POST", "/shop/carts", BEGIN),
        ("POST", "/shop/in-store/key=berlin/carts", BEGIN),
        ("POST", "/shop/products/1", BEGIN),
        ("POST", "/shop/shipping-methods", BEGIN),
        ("GET", "/shop/product-projections", QUERY),
        ("GET", "/shop/carts", QUERY),
        ("HEAD", "/shop/orders", QUERY),
        ("POST", "/shop/products/search", QUERY),
        ("GET", "/-/live", None),
        ("GET", "/docs/", None),
        ("OPTIONS", "/shop/orders", None),
    ],
)
def test_how_much_a_request_matters(method: str, path: str, expected: Criticality | None) -> None:
    assert criticality(method, path) == expected


@pytest.mark.parametrize("path", ["", "/", "//", "/shop//orders", "/in-store", "/shop/in-store/key=x", "x"])
def test_a_strange_path_is_given_a_place_too(path: str) -> None:
    assert criticality("GET", path) in set(Criticality)
