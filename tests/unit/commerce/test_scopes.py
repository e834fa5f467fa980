import pytest

from holdfast.base.errors import OAuthRejected
from holdfast.commerce.scopes import allows, granted, narrowed, of_all_rights


def may(text: str, needed: str, store_key: str | None = None) -> bool:
    return allows(granted(text, "shop"), needed, store_key)


def test_a_scope_opens_what_it_names_and_nothing_else() -> None:
    assert may("view_orders:shop", "view_orders")
    assert not may("view_orders:shop", "manage_orders")
    assert not may("view_orders:shop", "view_customers")


def test_managing_implies_viewing() -> None:
    assert may("manage_payments:shop", "view_payments")


def test_managing_the_project_opens_all_but_the_api_clients() -> None:
    assert may("manage_project:shop", "manage_customers")
    assert may("manage_project:shop", "manage_my_orders", "berlin")
    assert not may("manage_project:shop", "view_api_clients")
    assert may(of_all_rights("shop"), "view_api_clients")


def test_viewing_products_includes_the_published_ones_but_not_the_other_way_round() -> None:
    assert may("view_products:shop", "view_published_products")
    assert not may("view_published_products:shop", "view_products")


def test_the_wide_scopes_still_open_what_was_split_off_them() -> None:
    assert may("manage_products:shop", "manage_categories")
    assert may("view_orders:shop", "view_shipping_methods")
    assert not may("view_orders:shop", "manage_shipping_methods")


@pytest.mark.parametrize("area", ["channels", "tax_categories"])
def test_viewing_products_opens_what_their_pages_need(area: str) -> None:
    assert may("view_products:shop", f"view_{area}")
    assert may("manage_products:shop", f"manage_{area}")
    assert not may("view_published_products:shop", f"view_{area}")


@pytest.mark.parametrize("scope", ["manage_my_orders", "view_orders", "manage_orders"])
def test_whoever_has_carts_may_see_the_shipping_methods(scope: str) -> None:
    assert may(f"{scope}:shop", "view_shipping_methods")
    assert may(f"{scope}:shop:berlin", "view_shipping_methods", "berlin")
    assert not may(f"{scope}:shop:berlin", "view_shipping_methods", "paris")
    assert not may(f"{scope}:shop:berlin", "view_shipping_methods")
    assert not may("manage_my_orders:shop", "manage_shipping_methods")


def test_a_store_scope_opens_its_store_only() -> None:
    text = "manage_orders:shop:berlin"
    assert may(text, "view_orders", "berlin")
    assert not may(text, "view_orders", "paris")
    assert not may(text, "view_orders")


def test_a_store_scope_does_not_open_what_belongs_to_no_store() -> None:
    assert not may("manage_orders:shop:berlin", "manage_shipping_methods", "berlin")


def test_an_open_scope_reaches_into_every_store() -> None:
    assert may("view_orders:shop", "view_orders", "berlin")


@pytest.mark.parametrize(
    "text",
    [
        "manage_everything:shop",
        "manage_orders",
        "manage_orders:",
        "manage_orders:other",
        "manage_orders:shop:",
        "customer_id:shop",
        "anonymous_id:shop",
        ":shop",
    ],
)
def test_a_scope_nobody_knows_is_refused(text: str) -> None:
    with pytest.raises(OAuthRejected) as refusal:
        granted(text, "shop")
    assert refusal.value.oauth_error == "invalid_scope"


def test_a_token_without_asked_scopes_gets_all_of_the_client() -> None:
    assert narrowed("view_orders:shop view_types:shop", None, "shop") == "view_orders:shop view_types:shop"
    assert narrowed("view_orders:shop", "  ", "shop") == "view_orders:shop"


@pytest.mark.parametrize(
    ("owned", "asked"),
    [
        ("manage_project:shop", "manage_project:shop"),
        ("manage_project:shop", "view_products:shop manage_my_orders:shop"),
        ("manage_orders:shop", "view_orders:shop"),
        ("manage_orders:shop", "manage_orders:shop:berlin"),
        ("manage_orders:shop:berlin", "view_orders:shop:berlin"),
    ],
)
def test_a_client_may_ask_for_less_than_it_owns(owned: str, asked: str) -> None:
    assert narrowed(owned, asked, "shop") == asked


@pytest.mark.parametrize(
    ("owned", "asked"),
    [
        ("view_orders:shop", "manage_orders:shop"),
        ("view_orders:shop", "view_orders:shop manage_project:shop"),
        ("manage_orders:shop:berlin", "manage_orders:shop"),
        ("manage_orders:shop:berlin", "manage_orders:shop:paris"),
        ("manage_project:shop", "manage_api_clients:shop"),
        ("manage_project:shop", "manage_project:other"),
        ("manage_project:shop", "customer_id:0b3b6b7e"),
    ],
)
def test_a_client_cannot_ask_for_more_than_it_owns(owned: str, asked: str) -> None:
    with pytest.raises(OAuthRejected) as refusal:
        narrowed(owned, asked, "shop")
    assert refusal.value.oauth_error == "invalid_scope"


def test_a_scope_asked_for_twice_is_granted_once() -> None:
    assert narrowed("view_types:shop", "view_types:shop view_types:shop", "shop") == "view_types:shop"
