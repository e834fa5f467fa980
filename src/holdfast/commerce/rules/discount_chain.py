"""The arithmetic of discounts: one after the other, each on what the one before left, to the cent.

Items are lots: so many units at one price, with what each discount took off a unit. A discount that
reaches only some units, or one amount spread over many, splits lots, so that the shares always sum
to exactly what was taken. Nothing falls below zero, and what is free or negative is left alone.
Units priced more finely than in cents are reckoned in the parts they are priced in: rounding each of a
thousand screws to a cent would make them dearer by what is taken off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple, TypeVar, assert_never

from holdfast.commerce.resources.cart.discount_shapes import (
    AbsoluteValue,
    DiscountTarget,
    DiscountValue,
    FixedValue,
    GiftValue,
    MultiBuyTarget,
    RelativeValue,
)
from holdfast.commerce.rules.discount_values import ITEMS_TARGETS, MULTI_BUY_TARGETS
from holdfast.commerce.rules.rounding import divided
from holdfast.commerce.values.money import Money, RoundingMode
from holdfast.commerce.values.reference import Reference

_WHOLE = 10_000

D = TypeVar("D", int, None)


class Step(NamedTuple):
    """One discount of a cart. `final`: no discount after it, once it applied."""

    discount: Reference
    value: DiscountValue
    target: DiscountTarget | None
    final: bool = False


class Taken(NamedTuple):
    """What a discount took off one unit, in the parts its lot is reckoned in."""

    discount: Reference
    cents: int


class Lot(NamedTuple):
    """So many units at one price, after what was taken off each. `scale`: how many of its parts make a cent."""

    quantity: int
    cents: int
    taken: tuple[Taken, ...] = ()
    scale: int = 1

    @property
    def unit(self) -> Fraction:
        """What one unit costs, in cents."""
        return Fraction(self.cents, self.scale)


Lots = tuple[Lot, ...]


class Terms(NamedTuple):
    """What a cart's prices are reckoned in."""

    currency: str
    rounding: RoundingMode


def price_after(lot: Lot, value: DiscountValue, terms: Terms) -> int:
    """What the price of one unit becomes, in the parts of its lot."""
    assert not isinstance(value, GiftValue), "a gift changes no price"
    cents, scale = lot.cents, lot.scale
    match value:
        case RelativeValue():
            left = divided(cents * (_WHOLE - value.permyriad), _WHOLE, terms.rounding)
        case AbsoluteValue():
            left = max(0, cents - cents_in(value.money, terms.currency, 0) * scale)
        case FixedValue():
            fixed = cents_in(value.money, terms.currency, None)
            left = cents if fixed is None else fixed * scale
        case _:
            assert_never(value)
    return min(left, cents) if cents > 0 else cents


def cents_in(amounts: Iterable[Money], currency: str, otherwise: D) -> int | D:
    return next((one.cent_amount for one in amounts if one.currency_code == currency), otherwise)


def reduced(cents: int, steps: Iterable[Step], terms: Terms) -> Lot:
    """A single price, of shipping or in total, after a chain of discounts."""
    lot = Lot(1, cents)
    for step in steps:
        lot = _cut(lot, step, price_after(lot, step.value, terms))
    return lot


def _cut(lot: Lot, step: Step, cents: int) -> Lot:
    if cents >= lot.cents:
        return lot
    return lot._replace(cents=cents, taken=(*lot.taken, Taken(step.discount, lot.cents - cents)))


def after_step(items: Sequence[Lots], matching: Sequence[int], step: Step, terms: Terms) -> list[Lots]:
    """The lots of all items after one discount; `matching` are the places of those it is meant for."""
    assert isinstance(step.target, ITEMS_TARGETS), f"{step.target} is no target of items"
    chosen = {place: items[place] for place in matching}
    untouched: dict[int, Lots] = {}
    if isinstance(step.target, MULTI_BUY_TARGETS):
        chosen, untouched = _multi_buy(chosen, step.target)
    if isinstance(step.value, AbsoluteValue) and step.value.application_mode != "IndividualApplication":
        changed = _spread(chosen, step, step.value, terms)
    else:
        changed = {
            place: tuple(_cut(lot, step, price_after(lot, step.value, terms)) for lot in lots)
            for place, lots in chosen.items()
        }
    return [
        _joined((*changed[place], *untouched.get(place, ()))) if place in changed else lots
        for place, lots in enumerate(items)
    ]


def _joined(lots: Iterable[Lot]) -> Lots:
    """Lots that are alike as one, in the order they first appear."""
    quantities: dict[tuple[int, tuple[Taken, ...], int], int] = {}
    for lot in lots:
        if lot.quantity:
            quantities[lot[1:]] = quantities.get(lot[1:], 0) + lot.quantity
    return tuple(Lot(quantity, *rest) for rest, quantity in quantities.items())


# --- some units of many --------------------------------------------------------------------


def _multi_buy(items: dict[int, Lots], target: MultiBuyTarget) -> tuple[dict[int, Lots], dict[int, Lots]]:
    """The units a multi-buy discounts, the cheapest or the most expensive ones, and the others."""
    units = sum(lot.quantity for lots in items.values() for lot in lots)
    times = units // target.trigger_quantity
    if target.max_occurrence is not None:
        times = min(times, target.max_occurrence)
    left = times * target.discounted_quantity
    places = [(lot.unit, place, index) for place, lots in items.items() for index, lot in enumerate(lots)]
    places.sort(key=lambda entry: entry[0], reverse=target.selection_mode == "MostExpensive")
    chosen: dict[int, list[Lot]] = {place: [] for place in items}
    others: dict[int, list[Lot]] = {place: [] for place in items}
    for _, place, index in places:
        lot = items[place][index]
        quantity = min(lot.quantity, left)
        left -= quantity
        chosen[place].append(lot._replace(quantity=quantity))
        others[place].append(lot._replace(quantity=lot.quantity - quantity))
    return {place: tuple(lots) for place, lots in chosen.items()}, {
        place: tuple(lots) for place, lots in others.items()
    }


# --- one amount over many ------------------------------------------------------------------


def _spread(items: dict[int, Lots], step: Step, value: AbsoluteValue, terms: Terms) -> dict[int, Lots]:
    """The items with one amount taken off all of them together, never more than they cost."""
    lots = [lot for listed in items.values() for lot in listed]
    worth = [divided(max(lot.cents, 0) * lot.quantity, lot.scale, terms.rounding) for lot in lots]
    amount = min(cents_in(value.money, terms.currency, 0), sum(worth))
    even = value.application_mode == "EvenDistribution"
    shares = _even_shares(amount, lots, worth) if even else _proportionate_shares(amount, worth)
    cut = iter([tuple(_shared(lot, share, step)) for lot, share in zip(lots, shares, strict=True)])
    return {place: tuple(part for _ in listed for part in next(cut)) for place, listed in items.items()}


def _proportionate_shares(amount: int, worth: Sequence[int]) -> list[int]:
    """Shares by worth. Running totals are rounded down, so no share exceeds its worth and all sum to the amount."""
    whole = sum(worth)
    shares, reached, given = [], 0, 0
    for part in worth:
        reached += part
        upto = amount * reached // whole if whole else 0
        shares.append(upto - given)
        given = upto
    return shares


def _even_shares(amount: int, lots: Sequence[Lot], worth: Sequence[int]) -> list[int]:
    """The same for every unit; what a cheap unit cannot take, the others take."""
    shares = [0] * len(lots)
    left, units = amount, sum(lot.quantity for lot in lots if lot.cents > 0)
    for place in sorted(range(len(lots)), key=lambda place: lots[place].unit):
        lot = lots[place]
        if lot.cents <= 0:
            continue
        # Rounded up: the last cents go to the cheaper units first, and none is left over.
        share = min(worth[place], -(-left * lot.quantity // units))
        shares[place] = share
        left, units = left - share, units - lot.quantity
    return shares


def _shared(lot: Lot, share: int, step: Step) -> Iterable[Lot]:
    """A lot with an amount taken off all its units together: some units may give one cent, or one part, more."""
    taken = min(share * lot.scale, max(lot.cents, 0) * lot.quantity)
    each, more = divmod(taken, lot.quantity) if lot.quantity else (0, 0)
    yield _cut(lot._replace(quantity=more), step, lot.cents - each - 1)
    yield _cut(lot._replace(quantity=lot.quantity - more), step, lot.cents - each)
