"""What shoppers may do to their own carts, where that is less than the shop may.

Prices, tax rates and inventory modes are not theirs to set; fields for them are ignored like any
other field that is not published.
"""

from __future__ import annotations

from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.drafts import Count, ItemShippingDetailsDraft, MyTaxMode, RecurrenceInfoDraft
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.values.custom_fields import CustomFieldsDraft
from holdfast.commerce.values.reference import ResourceIdentifier
from holdfast.commerce.values.value import Instant, Key, Positive, Quantity


def _by_shop(name: str, cart: Cart, *facts: Facts, **fields: object) -> Cart | Changed[Cart]:
    """The shop's action with the fields a shopper gave."""
    done: Cart | Changed[Cart] = carts.actions[name].function(cart, *facts, **fields)
    return done


@carts.my_action("addLineItem")
def my_cart_add_line_item(
    cart: Cart,
    facts: Facts,
    *,
    key: Key | None = None,
    product_id: str | None = None,
    variant_id: Positive | None = None,
    sku: str | None = None,
    quantity: Count = 1,
    added_at: Instant | None = None,
    distribution_channel: ResourceIdentifier | None = None,
    supply_channel: ResourceIdentifier | None = None,
    shipping_details: ItemShippingDetailsDraft | None = None,
    recurrence_info: RecurrenceInfoDraft | None = None,
    custom: CustomFieldsDraft | None = None,
) -> Cart | Changed[Cart]:
    """Add units of a variant: by `sku`, or by `productId` and `variantId` (the master variant if left out)."""
    return _by_shop(
        "addLineItem",
        cart,
        facts,
        key=key,
        product_id=product_id,
        variant_id=variant_id,
        sku=sku,
        quantity=quantity,
        added_at=added_at,
        distribution_channel=distribution_channel,
        supply_channel=supply_channel,
        shipping_details=shipping_details,
        recurrence_info=recurrence_info,
        custom=custom,
    )


@carts.my_action("changeLineItemQuantity")
def my_cart_change_line_item_quantity(
    cart: Cart, facts: Facts, *, line_item_id: str | None = None, line_item_key: str | None = None, quantity: Quantity
) -> Cart | Changed[Cart]:
    """Set how many units a line has; zero removes it."""
    return _by_shop(
        "changeLineItemQuantity",
        cart,
        facts,
        line_item_id=line_item_id,
        line_item_key=line_item_key,
        quantity=quantity,
    )


@carts.my_action("removeLineItem")
def my_cart_remove_line_item(
    cart: Cart,
    facts: Facts,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    quantity: Count | None = None,
    shipping_details_to_remove: ItemShippingDetailsDraft | None = None,
) -> Cart | Changed[Cart]:
    """Take units off a line, or the whole line."""
    return _by_shop(
        "removeLineItem",
        cart,
        facts,
        line_item_id=line_item_id,
        line_item_key=line_item_key,
        quantity=quantity,
        shipping_details_to_remove=shipping_details_to_remove,
    )


@carts.my_action("changeTaxMode")
def my_cart_change_tax_mode(cart: Cart, *, tax_mode: MyTaxMode) -> Cart | Changed[Cart]:
    """Change where taxes come from; shoppers cannot do without any."""
    return _by_shop("changeTaxMode", cart, tax_mode=tax_mode)
