"""Which discounts apply to a cart, in which order, and what they make of its items.

Automatic discounts and those of its codes apply by sort order, the highest first; a cart with
direct discounts has only those, in the order they were given. Predicates are asked about the cart
as it would be without any discount: otherwise a discount could take away the reason it applies for,
and reckoning a cart twice would give two results. Items and gifts are done here; what is off
shipping and the total waits until those are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple, assert_never

from msgspec.structs import replace

from holdfast.commerce.facts import Facts
from holdfast.commerce.predicates.cart import cart_matches, is_constant, parse_cart_predicate
from holdfast.commerce.resources.automatic_discounts import DiscountTerms, automatic_terms
from holdfast.commerce.resources.cart.discount_shapes import (
    AbsoluteValue,
    DiscountValue,
    FixedValue,
    GiftValue,
    ItemsTarget,
    RelativeValue,
    ShippingTarget,
    TotalPriceTarget,
)
from holdfast.commerce.resources.cart.shape import (
    LINE_ITEMS_MAX,
    Cart,
    CustomLineItem,
    DiscountedItemPrice,
    DiscountedPriceForQuantity,
    IncludedDiscount,
    LineItem,
)
from holdfast.commerce.rules.amounts import amount
from holdfast.commerce.rules.cart_predicates import Records, cart_document
from holdfast.commerce.rules.discount_chain import Lot, Lots, Step, Terms, after_step, cents_in
from holdfast.commerce.rules.discount_codes import MATCHES, STOPPED, Standing, gather_codes, standing
from holdfast.commerce.rules.discount_values import ITEMS_TARGETS, level_of
from holdfast.commerce.rules.gifts import gift, is_gift
from holdfast.commerce.rules.item_prices import unit_of
from holdfast.commerce.rules.rounding import divided
from holdfast.commerce.rules.validity import is_valid_at
from holdfast.commerce.values.money import Money, fraction_digits
from holdfast.commerce.values.reference import Reference

Undiscounted = Callable[[Cart], Cart]


class Discounted(NamedTuple):
    """A cart with its items discounted, and the steps left for shipping and the total."""

    cart: Cart
    later: tuple[Step, ...] = ()


def discounted(cart: Cart, facts: Facts, undiscounted: Undiscounted) -> Discounted:
    """The cart with its gifts, the discounted prices of its items and the states of its codes.

    undiscounted: makes the cart that predicates are asked about; called only where there are any.
    """
    if cart.direct_discounts:
        return _chained(cart, direct_steps(cart), facts)
    terms = automatic_terms(facts)
    if not terms and not cart.discount_codes:
        return _chained(cart, (), facts) if _has_traces(cart) else Discounted(cart)
    asked = _Asked(cart, facts, undiscounted)
    standings = _standings(cart, asked, facts)
    wanted = {each.id: each for found in standings for each in found.discounts}
    wanted |= {each.id: each for each in terms if is_valid_at(each, facts.now) and asked.is_for(each)}
    ordered = sorted(wanted.values(), key=lambda each: each.sort_order, reverse=True)
    return _chained(cart, [_step(each) for each in ordered], facts, standings)


def direct_steps(cart: Cart) -> list[Step]:
    """The direct discounts of a cart, in the order they were given."""
    return [
        Step(Reference(type_id="direct-discount", id=each.id), each.value, each.target)
        for each in cart.direct_discounts
    ]


def _step(terms: DiscountTerms) -> Step:
    final = terms.stacking_mode == "StopAfterThisDiscount"
    return Step(Reference(type_id="cart-discount", id=terms.id), terms.value, terms.target, final)


def _has_traces(cart: Cart) -> bool:
    return any(item.discounted_price_per_quantity for item in cart.items)


# --- who is asked about what ---------------------------------------------------------------


class _Asked:
    """A cart as predicates see it, made when the first one looks."""

    def __init__(self, cart: Cart, facts: Facts, undiscounted: Undiscounted) -> None:
        self._cart = cart
        self._facts = facts
        self._undiscounted = undiscounted

    @cached_property
    def _document(self) -> dict[str, Any]:
        return cart_document(self._undiscounted(without_discounts(self._cart)), self._facts)

    @cached_property
    def _records(self) -> Records:
        return Records(self._cart, self._facts)

    def meets(self, predicate: str) -> bool:
        tree = parse_cart_predicate(predicate, "cartPredicate")
        return cart_matches(tree, {} if is_constant(tree) else self._document, self._records)

    def is_for(self, terms: DiscountTerms) -> bool:
        return (not terms.stores or self._cart.store in terms.stores) and self.meets(terms.cart_predicate)


def without_discounts(cart: Cart) -> Cart:
    """The cart as if there were no discounts: without gifts, every unit at its price."""
    return replace(
        cart,
        line_items=tuple(_plain(item) for item in cart.line_items if not is_gift(item)),
        custom_line_items=tuple(_plain(item) for item in cart.custom_line_items),
    )


def _plain(item: Any) -> Any:
    return replace(item, discounted_price_per_quantity=()) if item.discounted_price_per_quantity else item


def _standings(cart: Cart, asked: _Asked, facts: Facts) -> list[Standing]:
    gather_codes(cart, facts)
    return [standing(info.discount_code, cart, facts, asked.meets, asked.is_for) for info in cart.discount_codes]


# --- one after the other -------------------------------------------------------------------


def _chained(cart: Cart, steps: Iterable[Step], facts: Facts, standings: Sequence[Standing] = ()) -> Discounted:
    """The cart after a chain of discounts; the first final one that applies ends it."""
    items = [item for item in cart.items if is_discountable(item)]
    plain = [_plain(item) for item in items]
    terms = Terms(cart.currency, cart.price_rounding_mode)
    lots: list[Lots] = [(_lot(item),) for item in items]
    gifts: list[LineItem] = []
    later: list[Step] = []
    reached: set[str] = set()
    records = Records(cart, facts)
    for step in steps:
        reached.add(step.discount.id)
        if isinstance(step.value, GiftValue):
            given = gift(step.discount, step.value, cart, facts) if len(items) + len(gifts) < LINE_ITEMS_MAX else None
            gifts += [given] if given is not None else []
            applied = given is not None
        elif isinstance(step.target, ITEMS_TARGETS):
            matching = _matching(plain, step.target, records)
            after = after_step(lots, matching, step, terms)
            applied, lots = after != lots, after
        else:
            applied = _takes(step, cart)
            later.append(step)
        if applied and step.final:
            break
    priced = {item.id: _priced(item, found, cart.currency) for item, found in zip(items, lots, strict=True)}
    return Discounted(_with_states(_with_items(cart, priced, gifts), standings, reached), tuple(later))


def _lot(item: LineItem | CustomLineItem) -> Lot:
    """The units of an item before discounts."""
    unit = unit_of(item)
    if unit.precise_amount is None:
        return Lot(item.quantity, unit.cent_amount)
    finer = unit.fraction_digits - fraction_digits(unit.currency_code)
    return Lot(item.quantity, unit.precise_amount, scale=10**finer)


def is_discountable(item: LineItem | CustomLineItem) -> bool:
    """Whether discounts may touch the item: not a gift, and not one whose price was given to stand."""
    if isinstance(item, LineItem):
        return item.price_mode != "ExternalTotal" and item.line_item_mode == "Standard"
    return item.price_mode != "External"


def _matching(items: list[LineItem | CustomLineItem], target: ItemsTarget, records: Records) -> list[int]:
    """The places of the items a target means."""
    level = level_of(target)
    return [
        place
        for place, item in enumerate(items)
        if isinstance(item, LineItem) == (level == "lineItem")
        and records.item_meets(place, item, target.predicate, level)
    ]


def _takes(step: Step, cart: Cart) -> bool:
    """Whether a discount on shipping or the total takes anything off, whatever the price turns out to be."""
    if isinstance(step.target, ShippingTarget) and cart.shipping_info is None and not cart.shipping:
        return False
    return _is_something(step.value, cart.currency)


def _is_something(value: DiscountValue, currency: str) -> bool:
    assert not isinstance(value, GiftValue), "a gift is given, it takes nothing off"
    match value:
        case RelativeValue():
            return value.permyriad > 0
        case AbsoluteValue():
            return cents_in(value.money, currency, 0) > 0
        case FixedValue():
            return any(one.currency_code == currency for one in value.money)
        case _:
            assert_never(value)


def _priced(item: LineItem | CustomLineItem, lots: Lots, currency: str) -> LineItem | CustomLineItem:
    """The item with its units at what they cost now; without a trace where nothing was taken off."""
    prices: tuple[DiscountedPriceForQuantity, ...] = ()
    if any(lot.taken for lot in lots):
        prices = tuple(
            DiscountedPriceForQuantity(quantity=lot.quantity, discounted_price=price_of(lot, currency)) for lot in lots
        )
    return item if prices == item.discounted_price_per_quantity else replace(item, discounted_price_per_quantity=prices)


def price_of(lot: Lot, currency: str) -> DiscountedItemPrice:
    """One unit of a lot as carts show it."""
    included = tuple(
        IncludedDiscount(discount=taken.discount, discounted_amount=_money(taken.cents, lot.scale, currency))
        for taken in lot.taken
    )
    return DiscountedItemPrice(value=_money(lot.cents, lot.scale, currency), included_discounts=included)


def _money(parts: int, scale: int, currency: str) -> Money:
    """An amount of high precision only where cents cannot say it."""
    if parts % scale == 0:
        return amount(parts // scale, currency)
    return Money(
        type="highPrecision",
        currency_code=currency,
        cent_amount=divided(parts, scale, "HalfEven"),
        fraction_digits=fraction_digits(currency) + len(str(scale)) - 1,
        precise_amount=parts,
    )


def _with_items(cart: Cart, priced: dict[str, Any], gifts: list[LineItem]) -> Cart:
    """The cart with its items in their place at their new prices, and exactly these gifts."""
    given = {line.id: line for line in gifts}
    lines = [given.pop(line.id, None) if is_gift(line) else priced.get(line.id, line) for line in cart.line_items]
    return replace(
        cart,
        line_items=(*(line for line in lines if line is not None), *given.values()),
        custom_line_items=tuple(priced.get(item.id) or _plain(item) for item in cart.custom_line_items),
    )


def _with_states(cart: Cart, standings: Iterable[Standing], reached: set[str]) -> Cart:
    """The cart with the states of its codes; a code none of whose discounts was reached was stopped."""
    infos = tuple(
        replace(info, state=_state(found, reached)) for info, found in zip(cart.discount_codes, standings, strict=False)
    )
    return replace(cart, discount_codes=infos) if infos and infos != cart.discount_codes else cart


def _state(found: Standing, reached: set[str]) -> str:
    if found.state == MATCHES and not any(terms.id in reached for terms in found.discounts):
        return STOPPED
    return found.state


def later_steps(steps: Iterable[Step], target: type[ShippingTarget | TotalPriceTarget]) -> list[Step]:
    """Those of the steps that wait for shipping, or for the total."""
    return [step for step in steps if isinstance(step.target, target)]
