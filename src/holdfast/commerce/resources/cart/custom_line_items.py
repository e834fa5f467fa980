"""Custom line items: fees, services and vouchers that are no products."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.base.errors import InvalidField, InvalidOperation, MaxResourceLimitExceeded, RequiredField
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart import targets
from holdfast.commerce.resources.cart.drafts import (
    QUANTITY_MAX,
    Count,
    CustomLineItemDraft,
    CustomLineItemPriceMode,
    ExternalTaxRateDraft,
    ItemShippingDetailsDraft,
    RecurrenceInfoDraft,
    Slug,
)
from holdfast.commerce.resources.cart.guard import pricing_action
from holdfast.commerce.resources.cart.parts import (
    check_item_key,
    check_recurrence,
    external_rate,
    initial_state,
    money_in,
    wanted_custom_line,
    with_custom_line,
)
from holdfast.commerce.resources.cart.shape import LINE_ITEMS_MAX, Cart, CustomLineItem
from holdfast.commerce.resources.tax_category import tax_categories
from holdfast.commerce.rules.custom_fields import custom_fields
from holdfast.commerce.rules.item_prices import totalled
from holdfast.commerce.rules.item_taxes import require_tax_mode
from holdfast.commerce.values.custom_fields import CustomFieldsDraft
from holdfast.commerce.values.money import MoneyDraft, money
from holdfast.commerce.values.reference import ResourceIdentifier
from holdfast.commerce.values.value import Key, LocalizedString, Quantity


def add_custom_line(cart: Cart, draft: CustomLineItemDraft, facts: Facts) -> Cart:
    """The cart with the item, or more of the identical one it has.

    Raises InvalidOperation when the slug belongs to another item, RequiredField without the tax
    category that the tax mode Platform needs.
    """
    check_recurrence(draft.recurrence_info, facts)
    item = _new_item(cart, draft, facts)
    for known in cart.custom_line_items:
        if known.slug == item.slug:
            if not _alike(known, item):
                raise InvalidOperation(f"The cart already has another custom line item with slug '{item.slug}'.")
            added = with_custom_quantity(known, known.quantity + item.quantity, cart, facts)
            return with_custom_line(cart, targets.merged(added, draft.shipping_details, cart))
    check_item_key(cart.custom_line_items, draft.key, "customLineItems.key")
    if len(cart.custom_line_items) >= LINE_ITEMS_MAX:
        raise MaxResourceLimitExceeded(f"A cart can have at most {LINE_ITEMS_MAX} custom line items.")
    return replace(cart, custom_line_items=(*cart.custom_line_items, item))


def _alike(known: CustomLineItem, item: CustomLineItem) -> bool:
    return (
        known.name == item.name
        and known.money == item.money
        and known.tax_category == item.tax_category
        and known.custom == item.custom
        and known.price_mode == item.price_mode
        and item.key in (None, known.key)
        and (item.tax_rate is None or item.tax_rate == known.tax_rate)
    )


def _new_item(cart: Cart, draft: CustomLineItemDraft, facts: Facts) -> CustomLineItem:
    if cart.tax_mode == "Platform" and draft.tax_category is None:
        raise RequiredField("taxCategory", "A custom line item needs a tax category in the tax mode Platform.")
    rate = None
    if draft.external_tax_rate is not None:
        require_tax_mode(cart, "External", "An externalTaxRate")
        rate = external_rate(draft.external_tax_rate, "externalTaxRate") if cart.shipping_mode == "Single" else None
    item = CustomLineItem(
        id=facts.new_id(),
        key=draft.key,
        name=draft.name,
        money=money_in(draft.money, cart, "money"),
        slug=draft.slug,
        quantity=draft.quantity,
        total_price=money(0, cart.currency),
        state=initial_state(draft.quantity, facts),
        tax_category=facts.resolve(tax_categories, draft.tax_category) if draft.tax_category is not None else None,
        tax_rate=rate,
        custom=custom_fields(draft.custom, "custom-line-item", facts),
        shipping_details=targets.details_of(draft.shipping_details, draft.quantity, cart),
        price_mode=draft.price_mode,
    )
    return totalled(item, cart)


def with_custom_quantity(item: CustomLineItem, quantity: int, cart: Cart, facts: Facts) -> CustomLineItem:
    """The item with another quantity, and the total that follows from it."""
    if quantity > QUANTITY_MAX:
        raise InvalidField("quantity", quantity, f"A custom line item can have at most {QUANTITY_MAX} units.")
    changed = replace(item, quantity=quantity, state=initial_state(quantity, facts), discounted_price_per_quantity=())
    return totalled(targets.revalidated(changed), cart)


@pricing_action("addCustomLineItem")
def add_custom_line_item(
    cart: Cart,
    facts: Facts,
    *,
    money: MoneyDraft,
    name: LocalizedString,
    key: Key | None = None,
    quantity: Count = 1,
    slug: Slug,
    tax_category: ResourceIdentifier | None = None,
    external_tax_rate: ExternalTaxRateDraft | None = None,
    shipping_details: ItemShippingDetailsDraft | None = None,
    custom: CustomFieldsDraft | None = None,
    price_mode: CustomLineItemPriceMode = "Standard",
    recurrence_info: RecurrenceInfoDraft | None = None,
) -> Cart:
    """Add an item that is no product; its money may be negative."""
    draft = CustomLineItemDraft(
        money=money,
        name=name,
        key=key,
        quantity=quantity,
        slug=slug,
        tax_category=tax_category,
        external_tax_rate=external_tax_rate,
        shipping_details=shipping_details,
        custom=custom,
        price_mode=price_mode,
        recurrence_info=recurrence_info,
    )
    return add_custom_line(cart, draft, facts)


@pricing_action("removeCustomLineItem")
def remove_custom_line_item(
    cart: Cart, *, custom_line_item_id: str | None = None, custom_line_item_key: str | None = None
) -> Cart:
    """Remove a custom line item, all of its units."""
    item = wanted_custom_line(cart, custom_line_item_id, custom_line_item_key)
    return replace(cart, custom_line_items=tuple(kept for kept in cart.custom_line_items if kept.id != item.id))


@pricing_action("changeCustomLineItemQuantity")
def change_custom_line_item_quantity(
    cart: Cart,
    facts: Facts,
    *,
    custom_line_item_id: str | None = None,
    custom_line_item_key: str | None = None,
    quantity: Quantity,
) -> Cart:
    """Set how many units there are; zero removes the item."""
    item = wanted_custom_line(cart, custom_line_item_id, custom_line_item_key)
    if quantity == 0:
        return replace(cart, custom_line_items=tuple(kept for kept in cart.custom_line_items if kept.id != item.id))
    if quantity == item.quantity:
        return cart
    return with_custom_line(cart, with_custom_quantity(item, quantity, cart, facts))


@pricing_action("changeCustomLineItemMoney")
def change_custom_line_item_money(
    cart: Cart,
    *,
    custom_line_item_id: str | None = None,
    custom_line_item_key: str | None = None,
    money: MoneyDraft,
) -> Cart:
    """Change what one unit costs; it may be negative."""
    item = wanted_custom_line(cart, custom_line_item_id, custom_line_item_key)
    changed = replace(item, money=money_in(money, cart, "money"), discounted_price_per_quantity=())
    return with_custom_line(cart, totalled(changed, cart))


@pricing_action("changeCustomLineItemPriceMode")
def change_custom_line_item_price_mode(
    cart: Cart,
    *,
    custom_line_item_id: str | None = None,
    custom_line_item_key: str | None = None,
    mode: CustomLineItemPriceMode,
) -> Cart:
    """Choose whether discounts look at the item."""
    item = wanted_custom_line(cart, custom_line_item_id, custom_line_item_key)
    return with_custom_line(cart, replace(item, price_mode=mode))
