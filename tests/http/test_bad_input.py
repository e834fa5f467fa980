"""Every kind of bad input gets its published refusal, with the field named, and changes nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from tests.conftest import Shop
from tests.http.api import Api, fresh, refusal

Json = dict[str, Any]

NOBODY = "00000000-0000-4000-8000-000000000000"
EURO = {"currencyCode": "EUR", "centAmount": 1000}
DOLLAR = {"currencyCode": "USD", "centAmount": 1000}
HUGE = 10**19
CUSTOM_LINE: Json = {"name": {"en": "C"}, "slug": "custom", "taxCategory": {"typeId": "tax-category", "key": "tax"}}


@dataclass(frozen=True)
class Seeded:
    """A project with one of everything that the cases need."""

    api: Api
    zone: Json
    category: Json
    product: Json
    customer: Json
    cart: Json
    order: Json


@pytest.fixture(scope="module")
def seeded(shop: Shop) -> Iterator[Seeded]:
    with Api(shop.create_project("bad-input")) as api:
        yield seed(api)


def seed(api: Api) -> Seeded:
    zone = api.create("/zones", {"key": "zone", "name": "Germany", "locations": [{"country": "DE"}]})
    rate = {"name": "19 %", "amount": 0.19, "includedInPrice": True, "country": "DE"}
    api.create("/tax-categories", {"key": "tax", "name": "Tax", "rates": [rate]})
    api.create("/product-types", {"key": "type", "name": "Type", "description": "A type"})
    category = api.create("/categories", {"key": "category", "name": {"en": "C"}, "slug": {"en": "category"}})
    product = api.create("/products", product_draft(key="product", slug="product", sku="SKU"))
    customer = api.create("/customers", {"key": "customer", "email": "ann@example.com", "password": "secret"})
    order = api.create("/orders", order_draft(filled_cart(api), "order-1"))
    return Seeded(api, zone, category, product, customer["customer"], filled_cart(api), order)


def product_draft(*, key: str, slug: str, sku: str, **more: Any) -> Json:
    return {
        "key": key,
        "name": {"en": "Product"},
        "slug": {"en": slug},
        "productType": {"typeId": "product-type", "key": "type"},
        "taxCategory": {"typeId": "tax-category", "key": "tax"},
        "masterVariant": {"sku": sku, "prices": [{"value": EURO}]},
        "publish": True,
        **more,
    }


def cart_draft(**line: Any) -> Json:
    return {"currency": "EUR", "country": "DE", "lineItems": [{"sku": "SKU", **line}]}


def filled_cart(api: Api) -> Json:
    return api.create("/carts", cart_draft(quantity=2) | {"shippingAddress": {"country": "DE"}})


def order_draft(cart: Json, number: str) -> Json:
    return {"cart": {"typeId": "cart", "id": cart["id"]}, "version": cart["version"], "orderNumber": number}


@pytest.fixture(autouse=True)
def nothing_changes(seeded: Seeded) -> Iterator[None]:
    before = seeded.api.everything()
    yield
    assert seeded.api.everything() == before


# --- the body as JSON ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"name": "Zone", "locations": [],}',
        b'{"name": "Zone" "locations": []}',
        b"{'name': 'Zone'}",
        b'{"name": NaN}',
        b'{"name": "\xff\xfe"}',
        b'{"name": "Zone"} and more',
        b"\x00",
    ],
)
def test_malformed_json_is_refused_as_invalid_json(seeded: Seeded, raw: bytes) -> None:
    error = refusal(seeded.api.send("POST", "/zones", raw=raw), 400, "InvalidJsonInput")
    assert error["message"] == "Request body does not contain valid JSON."
    assert error["detailedErrorMessage"]


@pytest.mark.parametrize("raw", [b"[]", b'"zone"', b"7", b"null", b"true"])
def test_json_that_is_no_object_is_refused(seeded: Seeded, raw: bytes) -> None:
    assert refusal(seeded.api.send("POST", "/zones", raw=raw), 400, "InvalidJsonInput")["detailedErrorMessage"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/zones", {"name": 5}, "name"),
        ("/zones", {"name": "Zone", "locations": {"country": "DE"}}, "locations"),
        ("/zones", {"name": "Zone", "locations": [{"country": "DE"}, {"country": 49}]}, "locations[1].country"),
        ("/categories", {"name": "C", "slug": {"en": "slug"}}, "name"),
        ("/categories", {"name": {"en": 1}, "slug": {"en": "slug"}}, "name"),
        ("/carts", {"currency": "EUR", "lineItems": [{"sku": "SKU", "quantity": "2"}]}, "lineItems[0].quantity"),
        ("/carts", {"currency": "EUR", "taxMode": "Magic"}, "taxMode"),
        ("/customers", {"email": True, "password": "secret"}, "email"),
        ("/orders", {"cart": "a cart", "version": 1}, "cart"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_its_path(seeded: Seeded, path: str, body: Json, field: str) -> None:
    error = refusal(seeded.api.send("POST", path, body), 400, "InvalidJsonInput")
    assert field in error["detailedErrorMessage"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/zones", {}, "name"),
        ("/categories", {"name": {"en": "C"}}, "slug"),
        ("/tax-categories", {"name": "T", "rates": [{"name": "R", "country": "DE"}]}, "includedInPrice"),
        ("/products", {"name": {"en": "P"}, "slug": {"en": "another"}}, "productType"),
        ("/carts", {"country": "DE"}, "currency"),
        ("/customers", {"password": "secret"}, "email"),
        ("/payments", {}, "amountPlanned"),
    ],
)
def test_a_missing_required_field_is_refused_by_name(seeded: Seeded, path: str, body: Json, field: str) -> None:
    error = refusal(seeded.api.send("POST", path, body), 400, "InvalidJsonInput")
    assert field in error["detailedErrorMessage"]


def test_a_customer_without_password_is_refused(seeded: Seeded) -> None:
    answer = seeded.api.send("POST", "/customers", {"email": "bob@example.com"})
    assert answer.status_code == 400
    assert "password" in answer.text


def test_a_body_of_ten_megabytes_is_too_large(seeded: Seeded) -> None:
    raw = b'{"name": "' + b"x" * 10_000_000 + b'"}'
    refusal(seeded.api.send("POST", "/zones", raw=raw), 413, "ContentTooLarge")


@pytest.mark.parametrize(
    "deep",
    [
        b'{"name": ' + b"[" * 1000 + b"]" * 1000 + b"}",
        b'{"name": "Zone", "unknown": ' + b"[" * 1000 + b"]" * 1000 + b"}",
        b'{"a": ' * 1000 + b"1" + b"}" * 1000,
        b"[" * 1000 + b"]" * 1000,
        b"[" * 1_000_000,
    ],
)
def test_json_nested_a_thousand_deep_is_refused(seeded: Seeded, deep: bytes) -> None:
    assert refusal(seeded.api.send("POST", "/zones", raw=deep), 400, "InvalidJsonInput")["detailedErrorMessage"]


def test_a_nul_in_a_string_is_refused_with_its_field(seeded: Seeded) -> None:
    for path, body in (
        ("/zones", {"name": "a\0b"}),
        ("/zones", {"name": "Zone", "key": "ke\0y"}),
        ("/categories", {"name": {"en": "a\0b"}, "slug": {"en": fresh("slug")}}),
        ("/customers", {"email": "a\0b@example.com", "password": "secret"}),
        ("/carts", {"currency": "EUR", "customerEmail": "a\0b"}),
    ):
        answer = seeded.api.send("POST", path, body)
        assert answer.status_code == 400, (path, body, answer.text)
        assert re.search("name|key|mail|NUL|u0000", answer.text), answer.text


# --- update actions ------------------------------------------------------------------------


@pytest.mark.parametrize("action", [{"action": "paintItBlue"}, {"action": "setkey", "key": "other"}, {"action": ""}])
def test_an_unknown_action_is_refused_by_its_name(seeded: Seeded, action: Json) -> None:
    body = {"version": seeded.zone["version"], "actions": [action]}
    error = refusal(seeded.api.send("POST", f"/zones/{seeded.zone['id']}", body), 400, "InvalidJsonInput")
    assert action["action"] in error["detailedErrorMessage"]
    assert "action" in error["detailedErrorMessage"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"actions": []}, "version"),
        ({"version": "1", "actions": []}, "version"),
        ({"version": 1}, "actions"),
        ({"version": 1, "actions": {}}, "actions"),
        ({"version": 1, "actions": [{}]}, "action"),
        ({"version": 1, "actions": [{"action": "changeName"}]}, "name"),
        ({"version": 1, "actions": [{"action": "changeName", "name": "B"}, {"action": "addLocation"}]}, "location"),
        (
            {"version": 1, "actions": [{"action": "addLocation", "location": {"country": 1}}]},
            "actions[0].location.country",
        ),
    ],
)
def test_a_malformed_update_is_refused_with_its_path(seeded: Seeded, body: Json, field: str) -> None:
    error = refusal(seeded.api.send("POST", f"/zones/{seeded.zone['id']}", body), 400, "InvalidJsonInput")
    assert field in error["detailedErrorMessage"]


def test_a_good_action_before_a_bad_one_has_no_effect(seeded: Seeded) -> None:
    actions = [
        {"action": "changeName", "name": "Renamed"},
        {"action": "addLocation", "location": {"country": "DE"}},
    ]
    body = {"version": seeded.zone["version"], "actions": actions}
    assert seeded.api.send("POST", f"/zones/{seeded.zone['id']}", body).status_code == 400


def test_a_stale_version_is_told_the_current_one(seeded: Seeded) -> None:
    current = seeded.zone["version"]
    path = f"/zones/{seeded.zone['id']}"
    for version in (current - 1, current + 1):
        body = {"version": version, "actions": [{"action": "changeName", "name": "Late"}]}
        for answer in (
            seeded.api.send("POST", path, body),
            seeded.api.send("DELETE", path, parameters={"version": version}),
        ):
            assert refusal(answer, 409, "ConcurrentModification")["currentVersion"] == current


@pytest.mark.parametrize("version", ["", "one", "1.5", str(HUGE), "-1", None])
def test_deleting_needs_a_version_that_is_a_number(seeded: Seeded, version: str | None) -> None:
    parameters = {} if version is None else {"version": version}
    answer = seeded.api.send("DELETE", f"/zones/{seeded.zone['id']}", parameters=parameters)
    assert answer.status_code in {400, 409}
    assert "version" in answer.text


# --- what a request points at --------------------------------------------------------------


@pytest.mark.parametrize("named", [{"id": NOBODY}, {"key": "nobody"}])
def test_an_unknown_reference_is_refused_with_type_and_name(seeded: Seeded, named: Json) -> None:
    slug = {"en": "unreferenced"}
    for path, draft, field, type_id in (
        ("/categories", {"name": {"en": "C"}, "slug": slug}, "parent", "category"),
        ("/shipping-methods", {"name": "S", "isDefault": False, "zoneRates": []}, "taxCategory", "tax-category"),
        ("/products", {"name": {"en": "P"}, "slug": slug}, "productType", "product-type"),
        ("/inventory", {"sku": "S", "quantityOnStock": 1}, "supplyChannel", "channel"),
        ("/customers", {"email": "new@example.com", "password": "p"}, "customerGroup", "customer-group"),
    ):
        answer = seeded.api.send("POST", path, {**draft, field: {"typeId": type_id, **named}})
        error = refusal(answer, 400, "ReferencedResourceNotFound")
        assert error.items() >= {"typeId": type_id, **named}.items()


def test_an_order_of_an_unknown_cart_is_refused(seeded: Seeded) -> None:
    answer = seeded.api.send("POST", "/orders", order_draft({"id": NOBODY, "version": 1}, "order-2"))
    error = refusal(answer, 400, "ReferencedResourceNotFound")
    assert (error["typeId"], error["id"]) == ("cart", NOBODY)


def test_an_unknown_resource_is_not_found(seeded: Seeded) -> None:
    for path in (f"/zones/{NOBODY}", "/zones/key=nobody", "/zones/no-uuid", "/orders/order-number=none", "/nothing"):
        refusal(seeded.api.send("GET", path), 404, "ResourceNotFound")
    body = {"version": 1, "actions": []}
    refusal(seeded.api.send("POST", f"/zones/{NOBODY}", body), 404, "ResourceNotFound")
    refusal(seeded.api.send("DELETE", f"/zones/{NOBODY}", parameters={"version": 1}), 404, "ResourceNotFound")


def test_something_still_referenced_cannot_be_deleted(seeded: Seeded) -> None:
    for path in ("/product-types/key=type", "/tax-categories/key=tax"):
        answer = seeded.api.send("DELETE", path, parameters={"version": 1})
        refusal(answer, 400, "ReferenceExists")


def test_a_second_use_of_a_unique_value_is_refused_with_field_and_value(seeded: Seeded) -> None:
    name, slug = {"en": "C"}, {"en": fresh("slug")}
    for path, draft, field, value in (
        ("/zones", {"name": "Zone", "key": "zone"}, "key", "zone"),
        ("/categories", {"name": name, "slug": {"en": "category"}}, "slug.en", "category"),
        ("/categories", {"name": name, "slug": slug, "key": "category"}, "key", "category"),
        ("/products", product_draft(key="p-1", slug="product", sku="S-1"), "slug.en", "product"),
        ("/products", product_draft(key="product", slug="s-2", sku="S-2"), "key", "product"),
        ("/products", product_draft(key="p-3", slug="s-3", sku="SKU"), "sku", "SKU"),
        ("/customers", {"email": "Ann@Example.com", "password": "secret"}, "email", "Ann@Example.com"),
        ("/orders", order_draft(seeded.cart, "order-1"), "orderNumber", "order-1"),
    ):
        error = refusal(seeded.api.send("POST", path, draft), 400, "DuplicateField")
        assert (error["field"], error["duplicateValue"]) == (field, value), error


def test_a_value_taken_by_another_cannot_be_changed_to(seeded: Seeded) -> None:
    second = seeded.api.create("/zones", {"name": "Second", "key": fresh("zone")})
    body = {"version": second["version"], "actions": [{"action": "setKey", "key": "zone"}]}
    error = refusal(seeded.api.send("POST", f"/zones/{second['id']}", body), 400, "DuplicateField")
    assert (error["field"], error["duplicateValue"]) == ("key", "zone")
    assert seeded.api.get(f"/zones/{second['id']}") == second
    seeded.api.send("DELETE", f"/zones/{second['id']}", parameters={"version": second["version"]})


# --- who asks ------------------------------------------------------------------------------


def test_without_a_living_token_nobody_gets_in(seeded: Seeded) -> None:
    revoked = seeded.api.fetch_token()
    seeded.api.revoke(revoked)
    for token in ("", "nonsense", f"{seeded.api.key}.{'x' * 43}", revoked):
        answer = seeded.api.send("POST", "/zones", {"name": "Zone"}, token=token)
        refusal(answer, 401, "invalid_token")
        assert answer.json()["error"] == "invalid_token"
        assert answer.json()["error_description"]


def test_an_expired_token_is_refused(seeded: Seeded, shop: Shop) -> None:
    token = shop.expired_token(seeded.api.key, seeded.api.project["clientId"])
    answer = seeded.api.send("POST", "/zones", {"name": "Zone"}, token=token)
    refusal(answer, 401, "invalid_token")


def test_a_token_of_another_project_is_refused(seeded: Seeded, shop: Shop) -> None:
    with Api(shop.create_project("bad-input-stranger")) as stranger:
        for method, path, body in (
            ("GET", "/zones", None),
            ("GET", f"/zones/{seeded.zone['id']}", None),
            ("POST", "/zones", {"name": "Zone"}),
            ("POST", f"/zones/{seeded.zone['id']}", {"version": 1, "actions": []}),
            ("DELETE", f"/zones/{seeded.zone['id']}?version=1", None),
        ):
            answer = stranger.send(method, path, body, project=seeded.api.key)
            refusal(answer, 403, "insufficient_scope")
        refusal(stranger.send("GET", f"/zones/{seeded.zone['id']}"), 404, "ResourceNotFound")
        refusal(stranger.send("GET", "/zones/key=zone"), 404, "ResourceNotFound")


def test_a_missing_scope_is_named(seeded: Seeded) -> None:
    viewer = seeded.api.fetch_token(f"view_products:{seeded.api.key}")
    assert seeded.api.send("GET", "/products", token=viewer).status_code == 200
    for method, path, body in (
        ("POST", "/products", product_draft(key="p", slug="s", sku="S")),
        ("DELETE", f"/products/{seeded.product['id']}?version=1", None),
        ("GET", "/orders", None),
        ("GET", f"/customers/{seeded.customer['id']}", None),
        ("POST", "/zones", {"name": "Zone"}),
    ):
        answer = seeded.api.send(method, path, body, token=viewer)
        refusal(answer, 403, "insufficient_scope")
        assert answer.json()["error"] == "insufficient_scope"
        assert re.search(r"(view|manage)_\w+", answer.json()["message"]), answer.text


# --- queries -------------------------------------------------------------------------------


def test_a_predicate_of_ten_thousand_terms_is_refused(seeded: Seeded) -> None:
    listed = f"name in ({','.join('1' for _ in range(10_000))})"
    refusal(seeded.api.send("GET", "/zones", parameters={"where": listed}), 400, "InvalidInput")
    joined = " or ".join(f'name = "{number}"' for number in range(10_000))
    # Longer than what the server reads ahead of a request: it says no to the URL or to the whole head.
    assert status_of_raw_get(seeded.api, f"/zones?where={quote(joined)}") in (414, 431)


def status_of_raw_get(api: Api, path: str) -> int:
    """Past 64 KB of URL the test client gives up, and the shop's HTTP server answers before there is a body to read."""
    connection = HTTPConnection(urlsplit(api.project["apiUrl"]).netloc, timeout=30)
    connection.request("GET", f"/{api.key}{path}", headers={"Authorization": f"Bearer {api.token}"})
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_nul_in_a_parameter_is_refused(seeded: Seeded) -> None:
    for parameters in ({"where": 'name = "a\0b"'}, {"sort": "na\0me"}, {"expand": "a\0b"}):
        refusal(seeded.api.send("GET", "/zones", parameters=parameters), 400, "InvalidInput")
    refusal(seeded.api.send("GET", "/zones/key=a%00b"), 400, "InvalidInput")


def test_a_change_is_not_made_when_its_answer_cannot_be_expanded_as_asked(seeded: Seeded) -> None:
    before = seeded.api.everything()
    draft = {"name": "Z", "locations": []}
    refusal(seeded.api.send("POST", "/zones", draft, parameters={"expand": "%%%"}), 400, "InvalidInput")
    assert seeded.api.everything() == before


@pytest.mark.parametrize(
    "predicate",
    [
        "name",
        "name =",
        'name = "open',
        'name = "a" and',
        'name = "a") or (1 = 1',
        'name ~ "a"',
        "name in ()",
        "name in :missing",
        "name = :missing",
        "(" * 500 + 'name = "a"' + ")" * 500,
        "not(" * 500 + 'name = "a"' + ")" * 500,
        "a(" * 500 + 'name = "a"' + ")" * 500,
    ],
)
def test_a_bad_predicate_is_refused_as_malformed(seeded: Seeded, predicate: str) -> None:
    error = refusal(seeded.api.send("GET", "/zones", parameters={"where": predicate}), 400, "InvalidInput")
    assert error["message"].startswith("Malformed parameter: where:"), error


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": "501"},
        {"limit": "-1"},
        {"limit": "many"},
        {"limit": str(HUGE)},
        {"offset": "10001"},
        {"offset": "-1"},
        {"offset": str(HUGE)},
        {"sort": "name sideways"},
        {"sort": "nothingLikeThis asc"},
        {"withTotal": "perhaps"},
    ],
)
def test_a_parameter_out_of_bounds_is_refused_by_name(seeded: Seeded, parameters: dict[str, str]) -> None:
    answer = seeded.api.send("GET", "/zones", parameters=parameters)
    assert refusal(answer, 400, "InvalidInput")
    assert next(iter(parameters)) in answer.json()["message"]


# --- numbers and money ---------------------------------------------------------------------


@pytest.mark.parametrize("quantity", [0, -1, HUGE, 1e19, 1.5])
def test_a_quantity_that_cannot_be_bought_is_refused_by_name(seeded: Seeded, quantity: float) -> None:
    path, version = f"/carts/{seeded.cart['id']}", seeded.cart["version"]
    line = {"action": "addLineItem", "sku": "SKU", "quantity": quantity}
    custom = {"action": "addCustomLineItem", **CUSTOM_LINE, "money": EURO, "quantity": quantity}
    for answer in (
        seeded.api.send("POST", "/carts", cart_draft(quantity=quantity)),
        seeded.api.send("POST", path, {"version": version, "actions": [line]}),
        seeded.api.send("POST", path, {"version": version, "actions": [custom]}),
    ):
        assert answer.status_code == 400, answer.text
        assert "quantity" in answer.text


@pytest.mark.parametrize("quantity", [-1, HUGE, 1e19])
def test_a_line_cannot_be_changed_to_a_quantity_below_zero_or_beyond_counting(seeded: Seeded, quantity: float) -> None:
    (item,) = seeded.cart["lineItems"]
    action = {"action": "changeLineItemQuantity", "lineItemId": item["id"], "quantity": quantity}
    body = {"version": seeded.cart["version"], "actions": [action]}
    answer = seeded.api.send("POST", f"/carts/{seeded.cart['id']}", body)
    assert answer.status_code == 400, answer.text
    assert "quantity" in answer.text


def test_a_sum_beyond_counting_is_refused(seeded: Seeded) -> None:
    most = 2**53 - 1
    dear = {"currencyCode": "EUR", "centAmount": most}
    custom = {**CUSTOM_LINE, "money": dear, "quantity": most}
    answer = seeded.api.send("POST", "/carts", {"currency": "EUR", "customLineItems": [custom]})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    ("field", "action"),
    [
        ("money", {"action": "addCustomLineItem", **CUSTOM_LINE, "money": DOLLAR}),
        ("externalPrice", {"action": "addLineItem", "sku": "SKU", "externalPrice": DOLLAR}),
    ],
)
def test_another_currency_than_the_carts_is_refused_with_its_field(seeded: Seeded, field: str, action: Json) -> None:
    body = {"version": seeded.cart["version"], "actions": [action]}
    answer = seeded.api.send("POST", f"/carts/{seeded.cart['id']}", body)
    assert answer.status_code == 400, answer.text
    assert field in answer.text
    assert "USD" in answer.text


def test_a_transaction_in_another_currency_than_its_payment_is_refused(seeded: Seeded) -> None:
    transaction = {"type": "Charge", "amount": DOLLAR}
    answer = seeded.api.send("POST", "/payments", {"amountPlanned": EURO, "transactions": [transaction]})
    assert answer.status_code == 400, answer.text
    assert "USD" in answer.text


@pytest.mark.parametrize("currency", ["EURO", "eur", "E", "", "€"])
def test_a_currency_that_is_none_is_refused(seeded: Seeded, currency: str) -> None:
    answer = seeded.api.send("POST", "/carts", {"currency": currency})
    assert answer.status_code == 400, answer.text
    assert "currency" in answer.text
