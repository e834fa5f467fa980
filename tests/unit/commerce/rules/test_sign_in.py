from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders.cart import SHIRT, a_cart, a_price, a_product, shop, sku
from tests.unit.commerce.builders.customer import a_customer

from holdfast.base.errors import InvalidOperation, ReferencedResourceNotFound
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart.shape import Cart, CartLock
from holdfast.commerce.rules.sign_in import Luggage, take_over
from holdfast.commerce.values.reference import KeyReference, Reference, ResourceIdentifier
from holdfast.commerce.values.value import Stored

ANNA = a_customer()
VIP_PRICE = a_price(990, customer_group=Reference(type_id="customer-group", id="vip"))


def a_guest_cart(**fields: Any) -> Cart:
    return replace(a_cart(anonymousId="guest", lineItems=[sku("shirt", 2)]), **({"id": "guest-cart"} | fields))


def my_cart(**fields: Any) -> Cart:
    return replace(a_cart(lineItems=[sku("shirt", 1)]), **({"id": "my-cart", "customer_id": "anna"} | fields))


def knowing(*records: Stored, mine: Cart | None = None, session: tuple[Cart, ...] = (), **more: Any) -> Facts:
    """Facts of a shop where Anna has a cart, and the session of `guest` has some."""
    mine_active = 'customerId = "anna" and cartState = "Active" and origin = "Customer"'
    store = ' and store(key = "boutique")' if more.get("store_key") else ""
    matching: dict[tuple[str, str], Any] = {
        ("cart", mine_active + store): (mine,) if mine else (),
        ("cart", 'anonymousId = "guest" and cartState = "Active" and origin = "Customer"' + store): session,
        ("cart", 'anonymousId = "guest"'): session,
        ("order", 'anonymousId = "guest"'): (),
        ("payment", 'anonymousId = "guest"'): (),
    }
    return shop(*session, *((mine,) if mine else ()), *records, matching=matching, **more)


def named(cart: Cart) -> Luggage:
    return Luggage(ResourceIdentifier(type_id="cart", id=cart.id))


def test_who_brings_nothing_goes_on_with_their_own_cart() -> None:
    mine = my_cart()
    taken = take_over(ANNA, Luggage(), knowing(mine=mine), new=False)
    assert (taken.cart, taken.others) == (mine, ())


def test_a_cart_taken_over_has_the_prices_of_its_new_owners_group() -> None:
    guest = a_guest_cart()
    vip = replace(ANNA, customer_group=VIP_PRICE.customer_group)
    shirt = a_product("shirt", a_price(1190), VIP_PRICE)
    taken = take_over(vip, named(guest), knowing(shirt, session=(guest,)), new=True)
    assert taken.cart is not None
    assert taken.cart.total_price.cent_amount == 2 * 990
    assert (taken.cart.customer_id, taken.cart.anonymous_id) == ("anna", None)
    assert taken.cart.version == guest.version + 1


def test_a_merge_changes_both_carts_once() -> None:
    guest, mine = a_guest_cart(version=3), my_cart(version=5)
    taken = take_over(ANNA, named(guest), knowing(mine=mine, session=(guest,)), new=False)
    after = {other.after.id: other.after for other in taken.others if isinstance(other.after, Cart)}
    assert len(taken.others) == 2
    assert after["my-cart"] == taken.cart
    assert (after["my-cart"].version, after["guest-cart"].version) == (6, 4)
    assert after["guest-cart"].cart_state == "Merged"
    assert after["my-cart"].total_price.cent_amount == 2 * 1190


@pytest.mark.parametrize("mode", ["MergeWithExistingCustomerCart", "UseAsNewActiveCustomerCart"])
def test_the_last_cart_of_the_session_is_the_one_shopped_in_and_the_others_change_hands(mode: Any) -> None:
    last, older = a_guest_cart(), a_guest_cart(id="older")
    taken = take_over(ANNA, Luggage(anonymous_id="guest", mode=mode), knowing(session=(last, older)), new=False)
    assert taken.cart is not None
    assert taken.cart.id == last.id
    after = {other.after.id: other.after for other in taken.others if isinstance(other.after, Cart)}
    assert {(cart.customer_id, cart.anonymous_id) for cart in after.values()} == {("anna", None)}
    assert set(after) == {"guest-cart", "older"}


def test_a_price_that_is_gone_keeps_nobody_from_signing_in() -> None:
    guest, mine = a_guest_cart(), my_cart()
    gone = a_product("shirt", a_price(1000, "USD"))
    new = take_over(ANNA, named(guest), knowing(gone, session=(guest,)), new=True).cart
    assert new is not None
    assert (new.customer_id, new.total_price) == ("anna", guest.total_price)
    both = take_over(ANNA, named(guest), knowing(gone, mine=mine, session=(guest,)), new=False)
    assert both.cart is not None
    assert both.cart.customer_id == "anna"


def test_a_locked_cart_keeps_nobody_from_signing_in() -> None:
    guest = a_guest_cart()
    mine = my_cart(lock=CartLock(created_at="2026-01-01T00:00:00.000Z", client_id="other"))
    facts = knowing(mine=mine, session=(guest,))
    facts.caller = facts.caller._replace(scopes=frozenset(("manage_my_profile",)))
    taken = take_over(ANNA, named(guest), facts, new=False)
    assert taken.cart is not None
    assert (taken.cart.id, taken.cart.customer_id) == ("guest-cart", "anna")


@pytest.mark.parametrize(
    "guest",
    [
        a_guest_cart(customer_id="bob"),
        a_guest_cart(cart_state="Ordered"),
        a_guest_cart(cart_state="Merged"),
        a_guest_cart(cart_state="Frozen"),
    ],
    ids=["somebody's", "ordered", "merged", "frozen"],
)
def test_only_active_carts_of_nobody_can_be_named(guest: Cart) -> None:
    with pytest.raises(InvalidOperation):
        take_over(ANNA, named(guest), knowing(session=(guest,)), new=True)


def test_a_named_cart_must_belong_to_the_named_session() -> None:
    guest = a_guest_cart()
    luggage = named(guest)._replace(anonymous_id="another")
    with pytest.raises(InvalidOperation):
        take_over(ANNA, luggage, knowing(session=(guest,)), new=True)


def test_a_cart_of_another_store_cannot_be_brought_into_this_one() -> None:
    guest = a_guest_cart()
    with pytest.raises(InvalidOperation):
        take_over(ANNA, named(guest), knowing(session=(guest,), store_key="boutique"), new=False)
    here = a_guest_cart(store=KeyReference(type_id="store", key="boutique"))
    assert take_over(ANNA, named(here), knowing(session=(here,), store_key="boutique"), new=False).cart is not None


def test_a_cart_that_does_not_exist_is_not_found() -> None:
    missing = Luggage(ResourceIdentifier(type_id="cart", id="nowhere"))
    with pytest.raises(ReferencedResourceNotFound):
        take_over(ANNA, missing, knowing(SHIRT), new=True)
