"""What placing an order asks: that the cart is still worth what it says, and that the stock is there."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.base.errors import InvalidOperation, OutOfStock, PriceChanged, ShippingMethodDoesNotMatchCart
from holdfast.commerce.facts import ByField, ById, Facts
from holdfast.commerce.resources.cart.shape import Cart, CustomLineItem, LineItem, ShippingInfo, StockReservation
from holdfast.commerce.resources.inventory_entry import InventoryEntry, entry_lookup, inventory_entries, place_of
from holdfast.commerce.rules.discount_codes import check_applicable
from holdfast.commerce.rules.item_prices import line_unit
from holdfast.commerce.rules.totals import recalculated, shipping_infos
from holdfast.commerce.stock import StockMovement


def check_current(cart: Cart, facts: Facts) -> None:
    """Whether the cart would cost the same if it were reckoned today; frozen carts cost what they say.

    Raises PriceChanged, ShippingMethodDoesNotMatchCart, DiscountCodeNonApplicable, or InvalidOperation
    when a tax is missing that the tax mode Platform should have found: such a cart would be sold untaxed.
    """
    now = cart if cart.cart_state == "Frozen" else recalculated(cart, facts)
    check_applicable(now, facts)
    if any(info.shipping_method_state == "DoesNotMatchCart" for info in shipping_infos(now)):
        raise ShippingMethodDoesNotMatchCart("The shipping method does not match the cart any more.")
    changed = _differing(cart, now)
    shipping = [_cost(info) for info in shipping_infos(cart)] != [_cost(info) for info in shipping_infos(now)]
    if changed or shipping or (cart.total_price, cart.taxed_price) != (now.total_price, now.taxed_price):
        raise PriceChanged(changed, shipping=shipping)
    if cart.tax_mode == "Platform" and cart.taxed_price is None and cart.items:
        untaxed = ", ".join(item.id for item in cart.items if item.taxed_price is None) or "shipping"
        raise InvalidOperation(f"A cart with untaxed parts cannot be ordered; without a tax rate: {untaxed}.")


def _differing(cart: Cart, now: Cart) -> list[str]:
    """The items that cost something else today; gifts that would come or go are among them."""
    then, today = ({item.id: _worth(item) for item in each.items} for each in (cart, now))
    return [item_id for item_id in then | today if then.get(item_id) != today.get(item_id)]


def _worth(item: LineItem | CustomLineItem) -> tuple[object, ...]:
    """What an item costs, per unit and in all, with and without tax."""
    unit = line_unit(item) if isinstance(item, LineItem) else item.money
    return unit, item.total_price, item.tax_rate, item.taxed_price


def _cost(info: ShippingInfo) -> tuple[object, ...]:
    return info.price, info.discounted_price, info.tax_rate, info.taxed_price


def order_stock(cart: Cart, facts: Facts) -> tuple[StockMovement, ...]:
    """The movements an order of this cart makes, one per line that its inventory mode counts.

    None ignores stock. TrackOnly takes it, below zero if need be. ReserveOnOrder reserves it, beyond
    what is available only where the entry can be restocked. ReserveOnCart does the same, except that
    what the cart has reserved already becomes the order's. Lines of one entry are separate movements:
    the committer takes them together or not at all. Raises OutOfStock for counted lines without an entry.
    """
    facts.gather(stock_lookups(cart))
    kept = _kept(cart)
    found = [(item, _entry(item, kept.get(item.id), facts)) for item in _counted(cart)]
    missing = [item for item, entry in found if entry is None]
    if missing:
        raise OutOfStock([item.id for item in missing], [item.variant.sku or "" for item in missing])
    return tuple(_movement(item, entry, cart, kept.get(item.id)) for item, entry in found if entry is not None)


def stock_lookups(cart: Cart) -> tuple[ByField | ById, ...]:
    """The inventory entries an order of this cart will ask for, one per counted line."""
    kept = _kept(cart)
    return tuple(
        ById(inventory_entries.name, kept[item.id].entry_id) if item.id in kept else _lookup(item)
        for item in _counted(cart)
    )


def place_of_line(item: LineItem) -> str:
    """Where the stock of a line is counted."""
    return place_of(item.variant.sku or "", item.supply_channel)


def entries_of(lines: Sequence[LineItem], facts: Facts) -> dict[str, InventoryEntry | None]:
    """The inventory entry at each line's place, by the line's id; asked for in one go."""
    facts.gather(_lookup(line) for line in lines)
    return {line.id: _entry_at_place(line, facts) for line in lines}


def _lookup(line: LineItem) -> ByField:
    return entry_lookup(line.variant.sku or "", line.supply_channel)


def _entry_at_place(line: LineItem, facts: Facts) -> InventoryEntry | None:
    lookup = _lookup(line)
    return facts.find_by(inventory_entries, lookup.field, lookup.value)


def asking_anew(before: Cart | None, cart: Cart) -> tuple[LineItem, ...]:
    """Lines that came, or whose quantity, place or inventory mode changed. Gifts come by themselves and ask nothing."""
    old = {line.id: _asked(line, before) for line in before.line_items} if before is not None else {}
    return tuple(
        line for line in cart.line_items if line.line_item_mode == "Standard" and old.get(line.id) != _asked(line, cart)
    )


def _asked(line: LineItem, cart: Cart) -> tuple[object, ...]:
    """What a line asks of the stock."""
    return line.quantity, place_of_line(line), mode_of(line, cart)


def _kept(cart: Cart) -> dict[str, StockReservation]:
    """The reservation of each line that has one."""
    return {each.line_item_id: each for each in cart.stock_reserved}


def _entry(item: LineItem, kept: StockReservation | None, facts: Facts) -> InventoryEntry | None:
    """The entry a line has reserved at; without one, or once that is gone, the entry of its place."""
    entry = facts.find(inventory_entries, kept.entry_id) if kept is not None else None
    return entry or _entry_at_place(item, facts)


def _counted(cart: Cart) -> tuple[LineItem, ...]:
    return tuple(item for item in cart.line_items if mode_of(item, cart) != "None")


def mode_of(item: LineItem, cart: Cart) -> str:
    """A line's own inventory mode, or that of the cart."""
    return item.inventory_mode or cart.inventory_mode


def _movement(item: LineItem, entry: InventoryEntry, cart: Cart, kept: StockReservation | None) -> StockMovement:
    sku = item.variant.sku or ""
    if kept is not None and kept.entry_id == entry.id:
        return StockMovement("adopt", entry.id, item.quantity, sku, item.id)
    if mode_of(item, cart) == "TrackOnly":
        return StockMovement("track", entry.id, item.quantity, sku, item.id)
    restockable = entry.restockable_in_days is not None
    return StockMovement("backorder" if restockable else "reserve", entry.id, item.quantity, sku, item.id)
