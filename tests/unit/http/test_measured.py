"""Which endpoint a request counts for: a name from a short list, whatever is asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.base.counts import counts
from holdfast.base.series import ENDPOINTS, ORDERS, REFUSED, REQUEST_SECONDS, REQUESTS, place
from holdfast.http.measured import count_answer, count_refusal, endpoint_of


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/shop/products/1", "catalogue.read"),
        ("GET", "/shop/product-projections", "catalogue.query"),
        ("GET", "/shop/product-projections/search", "catalogue.query"),
        ("POST", "/shop/products/search", "catalogue.query"),
        ("GET", "/shop/shipping-methods/matching-cart", "catalogue.read"),
        ("POST", "/shop/products/1", "catalogue.write"),
        ("POST", "/shop/carts", "cart.create"),
        ("POST", "/shop/carts/1", "cart.update"),
        ("DELETE", "/shop/carts/1", "cart.update"),
        ("GET", "/shop/carts/1", "cart.read"),
        ("GET", "/shop/me/active-cart", "cart.read"),
        ("GET", "/shop/carts", "cart.query"),
        ("POST", "/shop/orders", "order.place"),
        ("POST", "/shop/in-store/key=berlin/me/orders", "order.place"),
        ("POST", "/shop/orders/import", "order.update"),
        ("GET", "/shop/orders/order-number=1", "order.read"),
        ("GET", "/shop/orders", "order.query"),
        ("POST", "/shop/payments", "payment.write"),
        ("POST", "/shop/login", "customer.write"),
        ("GET", "/shop/me", "customer.read"),
        ("GET", "/shop/inventory", "stock.read"),
        ("GET", "/shop", "settings.read"),
        ("POST", "/shop/states", "settings.write"),
        ("POST", "/oauth/token", "token"),
        ("GET", "/-/live", "internal"),
        ("GET", "/metrics", "internal"),
        ("OPTIONS", "/shop/carts", "other"),
    ],
)
def test_what_a_request_is_for(method: str, path: str, expected: str) -> None:
    assert endpoint_of(method, path) == expected


@given(method=st.sampled_from(["GET", "POST", "PUT", "TRACE", ""]), path=st.text(max_size=60))
def test_nothing_from_outside_becomes_a_name(method: str, path: str) -> None:
    assert endpoint_of(method, path) in ENDPOINTS
    assert endpoint_of(method, f"/{path}") in ENDPOINTS


@given(status=st.integers(min_value=100, max_value=999))
def test_every_status_is_counted_once(status: int) -> None:
    before = sum(counts.numbers[place(REQUESTS, *values)] for values in REQUESTS.values)
    count_answer(endpoint_of("GET", "/shop/products"), status, 0.2)
    assert sum(counts.numbers[place(REQUESTS, *values)] for values in REQUESTS.values) == before + 1


def test_an_answer_is_counted_with_how_long_it_took() -> None:
    counter, histogram = place(REQUESTS, "order.place", "201"), place(REQUEST_SECONDS, "order.place", "2xx")
    width = REQUEST_SECONDS.width
    before = counts.numbers[counter], list(counts.numbers[histogram : histogram + width])
    count_answer(endpoint_of("POST", "/shop/orders"), 201, 0.0006)
    count_answer(endpoint_of("POST", "/shop/orders"), 201, 60.0)
    assert counts.numbers[counter] == before[0] + 2
    added = [now - then for now, then in zip(counts.numbers[histogram : histogram + width], before[1], strict=True)]
    assert added[0] == 1
    assert added[-2] == 1
    assert sum(added[:-1]) == 2
    assert added[-1] == pytest.approx(60.0006)


def test_a_refusal_is_counted_by_its_code_or_as_one_of_the_others() -> None:
    watched = [place(REFUSED, "OutOfStock"), place(REFUSED, "other"), place(ORDERS, "OutOfStock")]
    before = [counts.numbers[index] for index in watched]
    count_refusal("OutOfStock", of_order=True)
    count_refusal("EnumValueIsUsed", of_order=False)
    assert [counts.numbers[index] for index in watched] == [then + 1 for then in before]
