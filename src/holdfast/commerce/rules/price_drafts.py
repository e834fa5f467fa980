"""Prices of a variant: from draft to stored form, and the rules among them.

Each price has a scope of its own: currency, country, customer group and channel. Within a scope
one price may be without a validity window, and windows may not overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from msgspec.structs import replace

from holdfast.base.errors import (
    DuplicatePriceKey,
    DuplicatePriceScope,
    InvalidField,
    MaxResourceLimitExceeded,
    OverlappingPriceValidity,
)
from holdfast.commerce.facts import Facts, Lookup, lookup_of
from holdfast.commerce.resources.channel import channels
from holdfast.commerce.resources.customer_group import customer_groups
from holdfast.commerce.resources.product.shape import PRICES_MAX
from holdfast.commerce.resources.type import types
from holdfast.commerce.rules.custom_fields import custom_fields
from holdfast.commerce.rules.references import resolve_named
from holdfast.commerce.values.money import Money, MoneyDraft, typed
from holdfast.commerce.values.price import (
    DiscountedPrice,
    DiscountedPriceDraft,
    Price,
    PriceDraft,
    PriceTier,
    PriceTierDraft,
)
from holdfast.commerce.values.value import builtins

Prices = tuple[Price, ...]


def lookups_of(drafts: Sequence[PriceDraft]) -> Iterator[Lookup]:
    """The records these prices point at, to be gathered at once."""
    for draft in drafts:
        if draft.channel:
            yield lookup_of(channels.name, draft.channel)
        if draft.customer_group:
            yield lookup_of(customer_groups.name, draft.customer_group)
        if draft.custom:
            yield lookup_of(types.name, draft.custom.type)


def new_prices(drafts: Sequence[PriceDraft], facts: Facts) -> Prices:
    """The stored form of drafted prices, each with an id of its own."""
    facts.gather(lookups_of(drafts))
    return check_prices(tuple(new_price(draft, facts.new_id(), facts) for draft in drafts))


def new_price(draft: PriceDraft, price_id: str, facts: Facts) -> Price:
    """The stored form of a drafted price. Raises InvalidField for amounts and windows that make no sense."""
    value = amount(draft.value, "price.value")
    if draft.valid_from and draft.valid_until and draft.valid_from >= draft.valid_until:
        raise InvalidField("price.validUntil", str(draft.valid_until), "A validity must end after it begins.")
    return Price(
        id=price_id,
        key=draft.key,
        value=value,
        country=draft.country,
        customer_group=facts.resolve(customer_groups, draft.customer_group) if draft.customer_group else None,
        channel=facts.resolve(channels, draft.channel) if draft.channel else None,
        valid_from=str(draft.valid_from) if draft.valid_from else None,
        valid_until=str(draft.valid_until) if draft.valid_until else None,
        tiers=_tiers(draft.tiers, value),
        discounted=discounted_price(draft.discounted, value, facts) if draft.discounted else None,
        custom=custom_fields(draft.custom, "product-price", facts),
    )


def discounted_price(draft: DiscountedPriceDraft, regular: Money, facts: Facts) -> DiscountedPrice:
    """A price that an external product discount left."""
    value = amount(draft.value, "discounted.value", regular.currency_code)
    return DiscountedPrice(value=value, discount=resolve_named("product-discount", draft.discount, facts))


def amount(draft: MoneyDraft, path: str, currency: str | None = None) -> Money:
    """An amount a unit can cost: not negative, in the currency wanted if any."""
    value = typed(draft, path)
    if value.cent_amount < 0 or (value.precise_amount or 0) < 0:
        raise InvalidField(f"{path}.centAmount", value.cent_amount, "A price cannot be negative.")
    if currency not in (None, value.currency_code):
        raise InvalidField(f"{path}.currencyCode", value.currency_code, allowed_values=[currency])
    return value


def check_prices(prices: Prices) -> Prices:
    """Check the prices of one variant against each other.

    Raises MaxResourceLimitExceeded, DuplicatePriceKey, DuplicatePriceScope or OverlappingPriceValidity.
    """
    if len(prices) > PRICES_MAX:
        raise MaxResourceLimitExceeded(f"A variant has at most {PRICES_MAX} prices.", exceeded_resource="price")
    keys: dict[str, Price] = {}
    scopes: dict[Any, list[Price]] = {}
    for price in prices:
        if price.key is not None and keys.setdefault(price.key, price) is not price:
            raise DuplicatePriceKey(f"The price key '{price.key}' is used twice.", conflicting_price=_shown(price))
        scopes.setdefault(_scope(price), []).append(price)
    for same in scopes.values():
        for one, other in combinations(same, 2):
            _check_validity(one, other)
    return prices


def with_price(prices: Prices, price: Price) -> Prices:
    """The prices with one in the place of that with the same id."""
    return check_prices(tuple(price if one.id == price.id else one for one in prices))


def _tiers(drafts: Sequence[PriceTierDraft], value: Money) -> tuple[PriceTier, ...]:
    tiers = sorted(
        (
            PriceTier(
                minimum_quantity=draft.minimum_quantity, value=amount(draft.value, "tiers.value", value.currency_code)
            )
            for draft in drafts
        ),
        key=lambda tier: tier.minimum_quantity,
    )
    quantities = [1, *(tier.minimum_quantity for tier in tiers)]
    if len(set(quantities)) < len(quantities):
        raise InvalidField("tiers.minimumQuantity", quantities[1:], "Tiers begin at different quantities above 1.")
    return tuple(tiers)


def _scope(price: Price) -> Any:
    group, channel = price.customer_group, price.channel
    return price.value.currency_code, price.country, group and group.id, channel and channel.id


def _check_validity(one: Price, other: Price) -> None:
    """Two prices of one scope: a window and no window live together, two windows only apart."""
    bounded = [price.valid_from is not None or price.valid_until is not None for price in (one, other)]
    if not any(bounded):
        raise DuplicatePriceScope(
            "Two prices have the same currency, country, customer group and channel.",
            conflicting_price=_shown(one),
            conflicting_prices=[_shown(one)],
        )
    if all(bounded) and _begins_before_end(one, other) and _begins_before_end(other, one):
        raise OverlappingPriceValidity(
            "Two prices of the same scope are valid at the same time.",
            conflicting_price=_shown(one),
            conflicting_prices=[_shown(one)],
        )


def _begins_before_end(one: Price, other: Price) -> bool:
    return one.valid_from is None or other.valid_until is None or one.valid_from < other.valid_until


def _shown(price: Price) -> Any:
    return builtins(replace(price, custom=None))
