"""Shipping methods: what bringing goods to a zone costs, and which carts may choose it."""

from __future__ import annotations

from typing import Any

from msgspec import field
from msgspec.structs import replace

from holdfast.base.errors import InvalidField, InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.predicates.cart import parse_cart_predicate
from holdfast.commerce.registry import Resource
from holdfast.commerce.resources.store import stores
from holdfast.commerce.resources.tax_category import tax_categories
from holdfast.commerce.resources.zone import zones
from holdfast.commerce.rules.common_actions import change_name, set_description, set_key
from holdfast.commerce.rules.custom_fields import custom_actions, custom_fields
from holdfast.commerce.rules.price_function import check_price_function
from holdfast.commerce.values.custom_fields import CustomFields, CustomFieldsDraft
from holdfast.commerce.values.money import Money, MoneyDraft, cent_money
from holdfast.commerce.values.reference import KeyReference, Reference, ResourceIdentifier
from holdfast.commerce.values.value import Currency, Key, LocalizedString, Natural, Positive, Stored, Value, empty, no


class PriceFunction(Value):
    """Cents as a function of the score `x`: `(50 * x) + 4000`."""

    currency_code: Currency
    function: str


class CartValueTier(Value, tag_field="type", tag="CartValue"):
    """The price from an item sum of `minimumCentAmount` on."""

    minimum_cent_amount: int
    price: Money
    is_matching: bool | None = None


class CartClassificationTier(Value, tag_field="type", tag="CartClassification"):
    """The price of carts classified as `value`."""

    value: str
    price: Money
    is_matching: bool | None = None


class CartScoreTier(Value, tag_field="type", tag="CartScore"):
    """The price from a score on, fixed or as a function of the score."""

    score: int
    price: Money | None = None
    price_function: PriceFunction | None = None
    is_matching: bool | None = None


ShippingRateTier = CartValueTier | CartClassificationTier | CartScoreTier


class CartValueTierDraft(Value, tag_field="type", tag="CartValue"):
    minimum_cent_amount: Natural
    price: MoneyDraft


class CartClassificationTierDraft(Value, tag_field="type", tag="CartClassification"):
    value: str
    price: MoneyDraft


class CartScoreTierDraft(Value, tag_field="type", tag="CartScore"):
    score: Positive
    price: MoneyDraft | None = None
    price_function: PriceFunction | None = None


ShippingRateTierDraft = CartValueTierDraft | CartClassificationTierDraft | CartScoreTierDraft


class ShippingRateDraft(Value):
    price: MoneyDraft
    free_above: MoneyDraft | None = None
    tiers: tuple[ShippingRateTierDraft, ...] = ()


class ShippingRate(Value):
    """The price in one currency, free from an item sum on, with tiers of one kind."""

    price: Money
    free_above: Money | None = None
    is_matching: bool | None = None
    tiers: tuple[ShippingRateTier, ...] = field(default_factory=empty)


class ZoneRateDraft(Value):
    zone: ResourceIdentifier
    shipping_rates: tuple[ShippingRateDraft, ...] = ()


class ZoneRate(Value):
    zone: Reference
    shipping_rates: tuple[ShippingRate, ...] = field(default_factory=empty)


class ShippingMethodDraft(Value):
    key: Key | None = None
    name: str
    localized_name: LocalizedString | None = None
    description: str | None = None
    localized_description: LocalizedString | None = None
    tax_category: ResourceIdentifier
    zone_rates: tuple[ZoneRateDraft, ...] = ()
    active: bool = True
    is_default: bool
    predicate: str | None = None
    custom: CustomFieldsDraft | None = None
    stores: tuple[ResourceIdentifier, ...] = ()
    carrier: str | None = None


class ShippingMethod(Stored):
    key: str | None = None
    name: str
    localized_name: LocalizedString | None = None
    description: str | None = None
    localized_description: LocalizedString | None = None
    tax_category: Reference
    zone_rates: tuple[ZoneRate, ...] = field(default_factory=empty)
    active: bool = field(default_factory=no)
    is_default: bool = field(default_factory=no)
    predicate: str | None = None
    custom: CustomFields | None = None
    stores: tuple[KeyReference, ...] = field(default_factory=empty)
    carrier: str | None = None


shipping_methods = Resource(
    "shipping-method",
    path="shipping-methods",
    shape=ShippingMethod,
    draft=ShippingMethodDraft,
    scope="shipping_methods",
    holds=("tax-category", "zone", "type"),
)
shipping_methods.action("changeName")(change_name)
shipping_methods.action("setKey")(set_key)
shipping_methods.action("setDescription")(set_description)
custom_actions(shipping_methods, "shipping-method")


# --- rates ---------------------------------------------------------------------------------


def shipping_rate(draft: ShippingRateDraft) -> ShippingRate:
    """A rate as stored. Raises InvalidField when its amounts differ in currency, are negative or its tiers clash."""
    price = _amount(draft.price, draft.price.currency_code, "shippingRate.price")
    free_above = None
    if draft.free_above is not None:
        free_above = _amount(draft.free_above, price.currency_code, "shippingRate.freeAbove")
    tiers = tuple(_tier(tier, price.currency_code) for tier in draft.tiers)
    if len({type(tier) for tier in tiers}) > 1:
        raise InvalidField("shippingRate.tiers", len(tiers), "All tiers of a shipping rate must be of one type.")
    if len({_step(tier) for tier in tiers}) < len(tiers):
        raise InvalidField("shippingRate.tiers", len(tiers), "Two tiers of a shipping rate begin at the same value.")
    return ShippingRate(price=price, free_above=free_above, tiers=tiers)


def _amount(draft: MoneyDraft, currency: str, path: str) -> Money:
    amount = cent_money(draft, path)
    if amount.currency_code != currency:
        raise InvalidField(f"{path}.currencyCode", amount.currency_code, allowed_values=[currency])
    if amount.cent_amount < 0:
        raise InvalidField(f"{path}.centAmount", amount.cent_amount, "Shipping cannot cost less than nothing.")
    return amount


def _tier(draft: ShippingRateTierDraft, currency: str) -> ShippingRateTier:
    path = "shippingRate.tiers"
    match draft:
        case CartValueTierDraft():
            price = _amount(draft.price, currency, f"{path}.price")
            return CartValueTier(minimum_cent_amount=draft.minimum_cent_amount, price=price)
        case CartClassificationTierDraft():
            return CartClassificationTier(value=draft.value, price=_amount(draft.price, currency, f"{path}.price"))
        case CartScoreTierDraft():
            return _score_tier(draft, currency, path)


def _score_tier(draft: CartScoreTierDraft, currency: str, path: str) -> CartScoreTier:
    if (draft.price is None) == (draft.price_function is None):
        raise InvalidField(f"{path}.price", None, "A CartScore tier needs either a price or a price function.")
    if draft.price_function is not None:
        if draft.price_function.currency_code != currency:
            raise InvalidField(f"{path}.priceFunction.currencyCode", draft.price_function.currency_code)
        check_price_function(draft.price_function.function, f"{path}.priceFunction.function")
    price = _amount(draft.price, currency, f"{path}.price") if draft.price is not None else None
    return CartScoreTier(score=draft.score, price=price, price_function=draft.price_function)


def _step(tier: ShippingRateTier) -> int | str:
    match tier:
        case CartValueTier():
            return tier.minimum_cent_amount
        case CartClassificationTier():
            return tier.value
        case CartScoreTier():
            return tier.score


def _zone_rate(zone: Reference, rates: tuple[ShippingRate, ...]) -> ZoneRate:
    currencies = [rate.price.currency_code for rate in rates]
    if len(set(currencies)) < len(currencies):
        raise InvalidOperation(f"Zone {zone.id} already has a shipping rate in this currency.")
    return ZoneRate(zone=zone, shipping_rates=rates)


def _zone_rates(drafts: tuple[ZoneRateDraft, ...], facts: Facts) -> tuple[ZoneRate, ...]:
    made = tuple(
        _zone_rate(facts.resolve(zones, draft.zone), tuple(shipping_rate(rate) for rate in draft.shipping_rates))
        for draft in drafts
    )
    if len({rate.zone.id for rate in made}) < len(made):
        raise InvalidOperation("A shipping method can have a zone only once.")
    return made


def _store_keys(identifiers: tuple[ResourceIdentifier, ...], facts: Facts) -> tuple[KeyReference, ...]:
    keys = dict.fromkeys(facts.get(stores, identifier).key for identifier in identifiers)
    return tuple(KeyReference(type_id="store", key=key) for key in keys)


def _checked_predicate(predicate: str | None) -> str | None:
    if predicate:
        parse_cart_predicate(predicate)
    return predicate or None


# --- draft and actions ---------------------------------------------------------------------


@shipping_methods.create
def create_shipping_method(draft: ShippingMethodDraft, facts: Facts) -> ShippingMethod:
    return ShippingMethod(
        key=draft.key,
        name=draft.name,
        localized_name=draft.localized_name,
        description=draft.description,
        localized_description=draft.localized_description,
        tax_category=facts.resolve(tax_categories, draft.tax_category),
        zone_rates=_zone_rates(draft.zone_rates, facts),
        active=draft.active,
        is_default=draft.is_default,
        predicate=_checked_predicate(draft.predicate),
        custom=custom_fields(draft.custom, "shipping-method", facts),
        stores=_store_keys(draft.stores, facts),
        carrier=draft.carrier,
    )


@shipping_methods.action("setLocalizedName")
def set_localized_name(method: ShippingMethod, *, localized_name: LocalizedString | None = None) -> ShippingMethod:
    return replace(method, localized_name=localized_name)


@shipping_methods.action("setLocalizedDescription")
def set_localized_description(
    method: ShippingMethod, *, localized_description: LocalizedString | None = None
) -> ShippingMethod:
    return replace(method, localized_description=localized_description)


@shipping_methods.action("changeTaxCategory")
def change_tax_category(method: ShippingMethod, facts: Facts, *, tax_category: ResourceIdentifier) -> ShippingMethod:
    return replace(method, tax_category=facts.resolve(tax_categories, tax_category))


@shipping_methods.action("changeIsDefault")
def change_is_default(method: ShippingMethod, *, is_default: bool) -> ShippingMethod:
    """The default method is the first that matching carts are offered."""
    return replace(method, is_default=is_default)


@shipping_methods.action("changeActive")
def change_active(method: ShippingMethod, *, active: bool) -> ShippingMethod:
    """Inactive methods are not offered, and no longer match the carts that chose them."""
    return replace(method, active=active)


@shipping_methods.action("setPredicate")
def set_predicate(method: ShippingMethod, *, predicate: str | None = None) -> ShippingMethod:
    """Set which carts may choose this method; without a predicate all may."""
    return replace(method, predicate=_checked_predicate(predicate))


@shipping_methods.action("setCarrier")
def set_carrier(method: ShippingMethod, *, carrier: str | None = None) -> ShippingMethod:
    return replace(method, carrier=carrier)


@shipping_methods.action("addZone")
def add_zone(method: ShippingMethod, facts: Facts, *, zone: ResourceIdentifier) -> ShippingMethod:
    """Serve a zone, still without rates; adding one twice is an error."""
    reference = facts.resolve(zones, zone)
    if any(rate.zone == reference for rate in method.zone_rates):
        raise InvalidOperation(f"The shipping method already has zone {reference.id}.")
    return replace(method, zone_rates=(*method.zone_rates, ZoneRate(zone=reference)))


@shipping_methods.action("removeZone")
def remove_zone(method: ShippingMethod, facts: Facts, *, zone: ResourceIdentifier) -> ShippingMethod:
    """No longer serve a zone; its rates go with it."""
    reference = facts.resolve(zones, zone)
    return replace(method, zone_rates=tuple(rate for rate in method.zone_rates if rate.zone != reference))


@shipping_methods.action("addShippingRate")
def add_shipping_rate(
    method: ShippingMethod, facts: Facts, *, zone: ResourceIdentifier, shipping_rate: ShippingRateDraft
) -> ShippingMethod:
    """Add a rate to a zone, and the zone if it is new; one rate per currency."""
    reference, rate = facts.resolve(zones, zone), _rate(shipping_rate)
    if all(known.zone != reference for known in method.zone_rates):
        return replace(method, zone_rates=(*method.zone_rates, _zone_rate(reference, (rate,))))
    return _with_rates(method, reference, lambda rates: (*rates, rate))


@shipping_methods.action("removeShippingRate")
def remove_shipping_rate(
    method: ShippingMethod, facts: Facts, *, zone: ResourceIdentifier, shipping_rate: ShippingRateDraft
) -> ShippingMethod:
    """Remove the rate that equals the given one; removing an absent rate changes nothing."""
    reference, rate = facts.resolve(zones, zone), _rate(shipping_rate)
    return _with_rates(method, reference, lambda rates: tuple(known for known in rates if known != rate))


# The actions name a parameter as the API does, which hides the function of the same name.
_rate = shipping_rate


def _with_rates(method: ShippingMethod, zone: Reference, change: Any) -> ShippingMethod:
    return replace(
        method,
        zone_rates=tuple(
            _zone_rate(known.zone, change(known.shipping_rates)) if known.zone == zone else known
            for known in method.zone_rates
        ),
    )


@shipping_methods.action("setStores")
def set_stores(method: ShippingMethod, facts: Facts, *, stores: tuple[ResourceIdentifier, ...]) -> ShippingMethod:
    """Offer the method in these stores only; in all of them when the list is empty."""
    return replace(method, stores=_store_keys(stores, facts))


@shipping_methods.action("addStore")
def add_store(method: ShippingMethod, facts: Facts, *, store: ResourceIdentifier) -> ShippingMethod:
    (added,) = _store_keys((store,), facts)
    return method if added in method.stores else replace(method, stores=(*method.stores, added))


@shipping_methods.action("removeStore")
def remove_store(method: ShippingMethod, facts: Facts, *, store: ResourceIdentifier) -> ShippingMethod:
    (removed,) = _store_keys((store,), facts)
    return replace(method, stores=tuple(kept for kept in method.stores if kept != removed))
