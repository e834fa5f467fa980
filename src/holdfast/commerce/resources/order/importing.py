"""How an order that happened elsewhere is taken over: prices, taxes and states are trusted.

What it points at must exist, with one exception: products. An imported line carries all it needs of
its product; what the draft leaves out is copied from the product if there still is one.
"""

from __future__ import annotations

from typing import TypeVar

from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation, RequiredField
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages.order import OrderImported
from holdfast.commerce.registry import Changed, born
from holdfast.commerce.resources.cart.shape import CustomLineItem, ItemState, LineItem, PaymentInfo
from holdfast.commerce.resources.cart.targets import details_of
from holdfast.commerce.resources.channel import channels
from holdfast.commerce.resources.customer.shape import customers
from holdfast.commerce.resources.customer_group import customer_groups
from holdfast.commerce.resources.order.drafts import (
    CustomLineItemImportDraft,
    ItemStateDraft,
    LineItemImportDraft,
    OrderImportDraft,
    VariantImportDraft,
)
from holdfast.commerce.resources.order.imported_amounts import (
    currency_checked,
    imported_price,
    imported_rate,
    imported_shipping,
    imported_taxed_price,
)
from holdfast.commerce.resources.order.items import item_states
from holdfast.commerce.resources.order.placing import order_state_of
from holdfast.commerce.resources.order.shape import Order
from holdfast.commerce.resources.order.stock import holdings, stock_taken
from holdfast.commerce.resources.payment.shape import payments
from holdfast.commerce.resources.product.shape import Product, ProductVariant, products
from holdfast.commerce.resources.state import initial_line_item_state
from holdfast.commerce.resources.store import stores
from holdfast.commerce.resources.tax_category import tax_categories
from holdfast.commerce.rules.addresses import address_of
from holdfast.commerce.rules.amounts import amount
from holdfast.commerce.rules.custom_fields import custom_fields
from holdfast.commerce.rules.price_drafts import new_prices
from holdfast.commerce.rules.pricing import unit_price
from holdfast.commerce.rules.references import resolve_key_named
from holdfast.commerce.rules.rounding import multiplied
from holdfast.commerce.rules.tax import Lot, taxed
from holdfast.commerce.values.money import cent_money, typed
from holdfast.commerce.values.reference import KeyReference

Item = TypeVar("Item", LineItem, CustomLineItem)


def import_order(draft: OrderImportDraft, facts: Facts) -> Changed[Order]:
    """The order a draft describes; with an inventory mode it takes its stock like any other."""
    if not draft.line_items and not draft.custom_line_items:
        raise RequiredField("lineItems", "An order has line items or custom line items.")
    frame = _frame(draft, facts)
    order = replace(
        frame,
        line_items=tuple(_line(line, frame, facts) for line in draft.line_items),
        custom_line_items=tuple(_custom_line(line, frame, facts) for line in draft.custom_line_items),
    )
    stock = stock_taken(order, facts)
    whole = born(replace(order, stock_held=holdings(stock)), facts)
    taken = () if whole.order_state == "Cancelled" else stock
    return Changed(whole, (OrderImported(order=whole),), stock=taken)


def _frame(draft: OrderImportDraft, facts: Facts) -> Order:
    """The order without its items, which need its currency, rounding and addresses."""
    total = cent_money(draft.total_price, "totalPrice")
    currency = total.currency_code
    return Order(
        order_number=draft.order_number,
        purchase_order_number=draft.purchase_order_number,
        customer_id=facts.get(customers, draft.customer_id).id if draft.customer_id is not None else None,
        customer_email=draft.customer_email,
        customer_group=facts.resolve(customer_groups, draft.customer_group) if draft.customer_group else None,
        business_unit=resolve_key_named("business-unit", draft.business_unit, facts) if draft.business_unit else None,
        store=KeyReference(type_id="store", key=facts.get(stores, draft.store).key) if draft.store else None,
        total_price=total,
        taxed_price=imported_taxed_price(draft.taxed_price, currency, "taxedPrice"),
        price_rounding_mode=draft.price_rounding_mode or "HalfEven",
        tax_rounding_mode=draft.tax_rounding_mode,
        tax_calculation_mode=draft.tax_calculation_mode,
        inventory_mode=draft.inventory_mode,
        billing_address=address_of(draft.billing_address, facts) if draft.billing_address else None,
        shipping_address=address_of(draft.shipping_address, facts) if draft.shipping_address else None,
        item_shipping_addresses=tuple(address_of(address, facts) for address in draft.item_shipping_addresses),
        shipping_info=imported_shipping(draft.shipping_info, draft, currency, facts),
        payment_info=_payment_info(draft, facts),
        country=draft.country,
        origin=draft.origin,
        order_state=draft.order_state,
        shipment_state=draft.shipment_state,
        payment_state=draft.payment_state,
        state=order_state_of(draft.state, facts),
        custom=custom_fields(draft.custom, "order", facts),
        completed_at=draft.completed_at,
    )


def _payment_info(draft: OrderImportDraft, facts: Facts) -> PaymentInfo | None:
    if draft.payment_info is None or not draft.payment_info.payments:
        return None
    return PaymentInfo(payments=tuple(facts.resolve(payments, payment) for payment in draft.payment_info.payments))


# --- items ---------------------------------------------------------------------------------


def _line(draft: LineItemImportDraft, order: Order, facts: Facts) -> LineItem:
    if draft.variant.id is None and draft.variant.sku is None:
        raise RequiredField("lineItems.variant.sku", "A variant is named by 'sku', or by 'productId' and 'id'.")
    product = _product(draft, facts)
    price = imported_price(draft.price, order.total_price.currency_code, facts)
    cents = multiplied(unit_price(price, draft.quantity), draft.quantity, order.price_rounding_mode or "HalfEven")
    item = LineItem(
        id=facts.new_id(),
        key=draft.key,
        product_id=draft.product_id or (product.id if product else ""),
        product_key=product.key if product else None,
        name=draft.name,
        product_slug=product.master_data.current.slug if product else None,
        product_type=product.product_type if product else None,
        variant=_variant(draft.variant, product, facts),
        price=price,
        quantity=draft.quantity,
        total_price=amount(cents, order.total_price.currency_code),
        state=_state(draft.state, draft.quantity, facts),
        supply_channel=facts.resolve(channels, draft.supply_channel) if draft.supply_channel else None,
        distribution_channel=facts.resolve(channels, draft.distribution_channel)
        if draft.distribution_channel
        else None,
        price_mode="Platform",
        line_item_mode="Standard",
        inventory_mode=draft.inventory_mode,
        shipping_details=details_of(draft.shipping_details, draft.quantity, order),
        custom=custom_fields(draft.custom, "line-item", facts),
        added_at=facts.now,
        last_modified_at=facts.now,
    )
    return _taxed(item, unit_price(price, draft.quantity).cent_amount, draft, order)


def _custom_line(draft: CustomLineItemImportDraft, order: Order, facts: Facts) -> CustomLineItem:
    currency = order.total_price.currency_code
    unit = currency_checked(typed(draft.money, "customLineItems.money"), currency, "customLineItems.money")
    cents = multiplied(unit, draft.quantity, order.price_rounding_mode or "HalfEven")
    item = CustomLineItem(
        id=facts.new_id(),
        key=draft.key,
        name=draft.name,
        money=unit,
        slug=draft.slug,
        quantity=draft.quantity,
        total_price=amount(cents, currency),
        state=_state(draft.state, draft.quantity, facts),
        tax_category=facts.resolve(tax_categories, draft.tax_category) if draft.tax_category else None,
        custom=custom_fields(draft.custom, "custom-line-item", facts),
        shipping_details=details_of(draft.shipping_details, draft.quantity, order),
        price_mode=draft.price_mode,
    )
    return _taxed(item, unit.cent_amount, draft, order)


def _taxed(item: Item, unit_cents: int, draft: LineItemImportDraft | CustomLineItemImportDraft, order: Order) -> Item:
    """The item with its tax: as given, else by its rate, else none."""
    currency = order.total_price.currency_code
    if draft.tax_rate is None:
        if draft.taxed_price is not None:
            raise InvalidOperation("A 'taxedPrice' of an item can only be given together with its 'taxRate'.")
        return item
    rate = imported_rate(draft.tax_rate, "taxRate")
    given = imported_taxed_price(draft.taxed_price, currency, "taxedPrice")
    # Only a quantity of whole units can be taxed unit by unit; what was taken back is taxed as a sum.
    by_unit = order.tax_calculation_mode == "UnitPriceLevel" and item.quantity > 0
    lots = (Lot(unit_cents, item.quantity),) if by_unit else ()
    mode = order.tax_rounding_mode or "HalfEven"
    price = given or taxed(item.total_price.cent_amount, lots, rate, mode, currency)
    return replace(item, tax_rate=rate, taxed_price=price)


def _state(drafts: tuple[ItemStateDraft, ...] | None, quantity: int, facts: Facts) -> tuple[ItemState, ...]:
    if drafts is None:
        return (ItemState(quantity=quantity, state=initial_line_item_state(facts.project_key)),)
    return item_states(drafts, quantity, facts)


# --- products ------------------------------------------------------------------------------


def _product(draft: LineItemImportDraft, facts: Facts) -> Product | None:
    """The product of an imported line, if there is one here."""
    if draft.product_id is not None:
        if draft.variant.id is None:
            raise RequiredField("lineItems.variant.id", "With a 'productId' the variant is named by its 'id'.")
        return facts.find(products, draft.product_id)
    if draft.variant.sku is None:
        raise RequiredField("lineItems.productId", "Without a 'sku' the variant's product must be named.")
    return facts.find_by(products, "sku", draft.variant.sku)


def _variant(draft: VariantImportDraft, product: Product | None, facts: Facts) -> ProductVariant:
    """The variant as given, completed by the product's own."""
    present = _present_variant(draft, product)
    return ProductVariant(
        id=draft.id or (present.id if present else 1),
        sku=draft.sku or (present.sku if present else None),
        key=present.key if present else None,
        prices=new_prices(draft.prices, facts) if draft.prices is not None else (present.prices if present else ()),
        attributes=draft.attributes if draft.attributes is not None else (present.attributes if present else ()),
        images=draft.images if draft.images is not None else (present.images if present else ()),
    )


def _present_variant(draft: VariantImportDraft, product: Product | None) -> ProductVariant | None:
    if product is None:
        return None
    current = product.master_data.current
    if draft.id is not None:
        return current.variant(draft.id)
    return current.variant_by_sku(draft.sku or "")
