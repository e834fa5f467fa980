"""How few and how many units of an item a line may have."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.commerce.builders.cart import a_cart, add, changed, shop, sku
from tests.unit.commerce.builders.inventory_entry import an_entry

from holdfast.base.errors import LineItemQuantityAboveLimit, LineItemQuantityBelowLimit, Rejected
from holdfast.commerce.values.reference import Reference

DEPOT = {"typeId": "channel", "id": "depot"}
LIMITED = an_entry("shirts", sku="shirt", min_cart_quantity=2, max_cart_quantity=4)
IN_DEPOT = an_entry("depot-shirts", sku="shirt", supply_channel=Reference(type_id="channel", id="depot"))


def quantity(cart: Any, units: int) -> dict[str, Any]:
    return {"action": "changeLineItemQuantity", "lineItemId": cart.line_items[0].id, "quantity": units}


@pytest.mark.parametrize("units", [2, 4])
@pytest.mark.parametrize("mode", ["None", "TrackOnly", "ReserveOnOrder"])
def test_a_line_within_the_limits_is_fine_in_every_mode(units: int, mode: str) -> None:
    a_cart(shop(LIMITED), lineItems=[sku("shirt", units)], inventoryMode=mode)


def test_a_line_above_the_limit_is_refused_as_published() -> None:
    with pytest.raises(LineItemQuantityAboveLimit) as refused:
        a_cart(shop(LIMITED), lineItems=[sku("shirt", 5)])
    assert refused.value.fields.items() >= {"quantity": 5, "maxCartQuantity": 4}.items()
    assert refused.value.message == "Quantity '5' greater than maximum '4'."


def test_a_line_below_the_limit_is_refused_as_published() -> None:
    with pytest.raises(LineItemQuantityBelowLimit) as refused:
        a_cart(shop(LIMITED), lineItems=[sku("shirt")])
    assert refused.value.fields.items() >= {"quantity": 1, "minCartQuantity": 2}.items()
    assert refused.value.message == "Quantity '1' less than minimum '2'."


@pytest.mark.parametrize(("action", "error"), [(5, LineItemQuantityAboveLimit), (1, LineItemQuantityBelowLimit)])
def test_changes_keep_to_the_limits_too(action: int, error: type[Rejected]) -> None:
    cart = a_cart(shop(LIMITED), lineItems=[sku("shirt", 3)])
    with pytest.raises(error) as refused:
        changed(cart, quantity(cart, action), facts=shop(LIMITED))
    assert refused.value.fields["lineItem"] == cart.line_items[0].id
    with pytest.raises(LineItemQuantityAboveLimit):
        changed(cart, add("shirt", 2), facts=shop(LIMITED))


def test_the_entry_of_the_supply_channel_counts() -> None:
    cart = a_cart(shop(LIMITED, IN_DEPOT), lineItems=[sku("shirt", 9, supplyChannel=DEPOT)])
    back = {"action": "setLineItemSupplyChannel", "lineItemId": cart.line_items[0].id}
    with pytest.raises(LineItemQuantityAboveLimit):
        changed(cart, back, facts=shop(LIMITED, IN_DEPOT))


def test_a_line_from_before_the_limit_stays_as_it_is_and_may_go() -> None:
    cart = a_cart(shop(), lineItems=[sku("shirt", 9)])
    limited = shop(LIMITED)
    assert changed(cart, {"action": "setCountry", "country": "DE"}, facts=limited).line_items[0].quantity == 9
    assert changed(cart, quantity(cart, 0), facts=limited).line_items == ()
