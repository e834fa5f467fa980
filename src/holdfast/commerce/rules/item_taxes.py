"""The taxes of the items in a cart.

Platform: the item's tax category and the shipping address decide the rate. External: the rate came
with the item. ExternalAmount: rate and amounts came with the item. Disabled: none.
With several shipping methods (mode Multiple) each of them brings its units to its own address, so
an item has one rate and one taxed portion per method.
"""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.facts import ById, Facts
from holdfast.commerce.resources.cart.shape import Cart, CustomLineItem, LineItem, MethodTaxedPrice, MethodTaxRate
from holdfast.commerce.resources.product.shape import products
from holdfast.commerce.resources.tax_category import TaxCategory, TaxRate, tax_categories
from holdfast.commerce.rules.item_prices import Item, unit_of
from holdfast.commerce.rules.rounding import divided, multiplied
from holdfast.commerce.rules.tax import Lot, rate_at, taxed, total_of
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.taxed_price import TaxedPrice


def category_reference(item: LineItem | CustomLineItem, facts: Facts) -> Reference | None:
    """The tax category of an item: its own, or that of its product."""
    if isinstance(item, CustomLineItem):
        return item.tax_category
    product = facts.find(products, item.product_id)
    return product.tax_category if product is not None else None


def category_of(item: LineItem | CustomLineItem, facts: Facts) -> TaxCategory | None:
    reference = category_reference(item, facts)
    return facts.find(tax_categories, reference) if reference is not None else None


def gather_categories(items: tuple[LineItem | CustomLineItem, ...], facts: Facts) -> None:
    """Ask for the tax categories of all items in one go."""
    references = (category_reference(item, facts) for item in items)
    facts.gather(ById(tax_categories.name, reference.id) for reference in references if reference is not None)


def _is_orphan(item: LineItem | CustomLineItem, facts: Facts) -> bool:
    return isinstance(item, LineItem) and facts.find(products, item.product_id) is None


def rated(item: Item, cart: Cart, facts: Facts) -> Item:
    """The item with the rates of the Platform tax mode; a product that is gone keeps its rate.

    Raises MissingTaxRateForCountry.
    """
    if _is_orphan(item, facts):
        return item
    category = category_of(item, facts)
    if cart.shipping_mode == "Multiple":
        rates = tuple(
            MethodTaxRate(
                shipping_method_key=shipping.shipping_key,
                tax_rate=rate_at(category, shipping.shipping_address) if category is not None else None,
            )
            for shipping in cart.shipping
        )
        return item if rates == item.per_method_tax_rate else replace(item, per_method_tax_rate=rates)
    rate = None
    if category is not None and cart.shipping_address is not None:
        rate = rate_at(category, cart.shipping_address)
    return item if rate == item.tax_rate else replace(item, tax_rate=rate)


def taxed_item(item: Item, cart: Cart) -> Item:
    """The item with its taxed price, from the rates it has."""
    if cart.tax_mode == "ExternalAmount":
        return item
    if cart.shipping_mode == "Multiple":
        return _taxed_by_method(item, cart)
    price = _taxed(item, cart, item.tax_rate) if item.tax_rate is not None else None
    return item if price == item.taxed_price else replace(item, taxed_price=price)


def _taxed(item: LineItem | CustomLineItem, cart: Cart, rate: TaxRate) -> TaxedPrice:
    return taxed(item.total_price.cent_amount, _lots(item, cart), rate, cart.tax_rounding_mode, cart.currency)


def _lots(item: LineItem | CustomLineItem, cart: Cart) -> tuple[Lot, ...]:
    """The units to be rounded one by one; none where that is not asked for or not possible.

    A total given from outside has no unit it is a multiple of, and a unit of high precision would
    lose the very digits it was given for: both are rounded once per line.
    """
    if cart.tax_calculation_mode == "LineItemLevel" or (
        isinstance(item, LineItem) and item.price_mode == "ExternalTotal"
    ):
        return ()
    if item.discounted_price_per_quantity:
        lots = tuple((lot.discounted_price.value, lot.quantity) for lot in item.discounted_price_per_quantity)
    else:
        lots = ((unit_of(item), item.quantity),)
    if any(unit.precise_amount is not None for unit, _ in lots):
        return ()
    return tuple(Lot(unit.cent_amount, quantity) for unit, quantity in lots)


# --- several shipping methods --------------------------------------------------------------


def _taxed_by_method(item: Item, cart: Cart) -> Item:
    portions = _portions(item, cart)
    complete = item.shipping_details is not None and item.shipping_details.valid and bool(portions)
    prices = [portion.taxed_price for portion in portions if portion.taxed_price is not None]
    whole = total_of(prices, cart.currency) if complete and len(prices) == len(portions) else None
    if portions == item.taxed_price_portions and whole == item.taxed_price:
        return item
    return replace(item, taxed_price_portions=portions, taxed_price=whole)


def _portions(item: LineItem | CustomLineItem, cart: Cart) -> tuple[MethodTaxedPrice, ...]:
    rates = {entry.shipping_method_key: entry.tax_rate for entry in item.per_method_tax_rate}
    quantities = quantity_by_method(item)
    portions, reached, given = [], 0, 0
    for key, quantity in quantities.items():
        # Running totals are rounded, so that the portions of a fully distributed item add up to its total.
        reached += quantity
        share = divided(item.total_price.cent_amount * reached, item.quantity, cart.price_rounding_mode)
        rate = rates.get(key)
        price = _portion(item, cart, rate, quantity, share - given) if rate is not None else None
        portions.append(MethodTaxedPrice(shipping_method_key=key, taxed_price=price))
        given = share
    return tuple(portions)


def _portion(item: LineItem | CustomLineItem, cart: Cart, rate: TaxRate, quantity: int, cents: int) -> TaxedPrice:
    units = _lots(item, cart)
    lots = (Lot(units[0].unit_cents, quantity),) if len(units) == 1 else ()
    return taxed(cents, lots, rate, cart.tax_rounding_mode, cart.currency)


def quantity_by_method(item: LineItem | CustomLineItem) -> dict[str, int]:
    """How many units each shipping method brings."""
    quantities: dict[str, int] = {}
    for target in item.shipping_details.targets if item.shipping_details is not None else ():
        if target.shipping_method_key is not None:
            quantities[target.shipping_method_key] = quantities.get(target.shipping_method_key, 0) + target.quantity
    return quantities


def cents_by_method(item: LineItem | CustomLineItem, key: str) -> int:
    """What the units cost that one shipping method brings."""
    quantity = quantity_by_method(item).get(key, 0)
    if item.quantity == quantity:
        return item.total_price.cent_amount
    return multiplied(unit_of(item), quantity, "HalfEven")


def require_tax_mode(cart: Cart, mode: str, what: str) -> None:
    """Whether an external value fits the cart. Raises InvalidOperation."""
    if cart.tax_mode != mode:
        raise InvalidOperation(f"{what} can only be set on a cart with tax mode '{mode}', not '{cart.tax_mode}'.")
