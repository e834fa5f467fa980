"""Tax categories: which rate applies in which country or state to the products that carry them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, field
from msgspec.structs import replace

from holdfast.base.errors import DuplicateField, InvalidField, InvalidOperation, RequiredField
from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Resource
from holdfast.commerce.rules.common_actions import change_name, set_description, set_key
from holdfast.commerce.values.value import Country, Key, Stored, Value, empty

# A share of a price, 0 to 1. Carried as the number JSON has; `rules/tax.py` reckons with its exact decimal.
Share = Annotated[float, Meta(ge=0, le=1)]


class SubRate(Value):
    """A part of a rate that goes to its own authority: state, county, city."""

    name: str
    amount: Share


class TaxRate(Value):
    """A rate as stored and served; a rate given from outside (tax mode External) has no id."""

    id: str | None = None
    key: str | None = None
    name: str
    amount: float
    included_in_price: bool
    country: str
    state: str | None = None
    sub_rates: tuple[SubRate, ...] = field(default_factory=empty)


class TaxRateDraft(Value):
    key: Key | None = None
    name: str
    amount: Share | None = None
    included_in_price: bool
    country: Country
    state: str | None = None
    sub_rates: tuple[SubRate, ...] = field(default_factory=empty)


class TaxCategoryDraft(Value):
    key: Key | None = None
    name: str
    description: str | None = None
    rates: tuple[TaxRateDraft, ...] = field(default_factory=empty)


class TaxCategory(Stored):
    key: str | None = None
    name: str
    description: str | None = None
    rates: tuple[TaxRate, ...] = field(default_factory=empty)


tax_categories = Resource(
    "tax-category", path="tax-categories", shape=TaxCategory, draft=TaxCategoryDraft, scope="tax_categories"
)
tax_categories.action("changeName")(change_name)
tax_categories.action("setKey")(set_key)
tax_categories.action("setDescription")(set_description)


def rate_amount(amount: float | None, sub_rates: tuple[SubRate, ...], path: str) -> float:
    """The amount of a drafted rate: given, or the sum of its sub-rates; when both, they must agree.

    Raises RequiredField or InvalidField, naming the field below `path`.
    """
    if not sub_rates:
        if amount is None:
            raise RequiredField(f"{path}.amount")
        return amount
    total = sum((Decimal(repr(sub.amount)) for sub in sub_rates), Decimal(0))
    if total > 1 or (amount is not None and Decimal(repr(amount)) != total):
        raise InvalidField(f"{path}.amount", amount, f"The sub-rates of '{path}' sum up to {total}.")
    return float(total)


def _stored(draft: TaxRateDraft, rate_id: str) -> TaxRate:
    return TaxRate(
        id=rate_id,
        key=draft.key,
        name=draft.name,
        amount=rate_amount(draft.amount, draft.sub_rates, "taxRate"),
        included_in_price=draft.included_in_price,
        country=draft.country,
        state=draft.state or None,
        sub_rates=draft.sub_rates,
    )


def _check_keys(rates: tuple[TaxRate, ...]) -> tuple[TaxRate, ...]:
    seen: set[str] = set()
    for rate in rates:
        if rate.key is not None and rate.key in seen:
            raise DuplicateField("rates.key", rate.key)
        seen.add(rate.key or "")
    return rates


def _wanted(category: TaxCategory, rate_id: str | None, rate_key: str | None) -> TaxRate:
    """The rate an action names, by id or by key. Raises InvalidOperation."""
    if (rate_id is None) == (rate_key is None):
        raise InvalidOperation("Either 'taxRateId' or 'taxRateKey' is required.")
    for rate in category.rates:
        if (rate.id == rate_id) if rate_id is not None else (rate.key == rate_key):
            return rate
    raise InvalidOperation(f"Tax category {category.id} has no tax rate '{rate_id or rate_key}'.")


@tax_categories.create
def create_tax_category(draft: TaxCategoryDraft, facts: Facts) -> TaxCategory:
    """A tax category; each of its rates gets an id."""
    rates = tuple(_stored(rate, facts.new_id()) for rate in draft.rates)
    return TaxCategory(key=draft.key, name=draft.name, description=draft.description, rates=_check_keys(rates))


@tax_categories.action("addTaxRate")
def add_tax_rate(category: TaxCategory, facts: Facts, *, tax_rate: TaxRateDraft) -> TaxCategory:
    """Add a rate for a country or state."""
    return replace(category, rates=_check_keys((*category.rates, _stored(tax_rate, facts.new_id()))))


@tax_categories.action("replaceTaxRate")
def replace_tax_rate(
    category: TaxCategory,
    facts: Facts,
    *,
    tax_rate_id: str | None = None,
    tax_rate_key: Key | None = None,
    tax_rate: TaxRateDraft,
) -> TaxCategory:
    """Put a new rate, with a new id, in the place of an existing one."""
    old = _wanted(category, tax_rate_id, tax_rate_key)
    new = _stored(tax_rate, facts.new_id())
    return replace(category, rates=_check_keys(tuple(new if rate is old else rate for rate in category.rates)))


@tax_categories.action("removeTaxRate")
def remove_tax_rate(
    category: TaxCategory, *, tax_rate_id: str | None = None, tax_rate_key: Key | None = None
) -> TaxCategory:
    """Remove a rate; carts that use it find no rate the next time they are settled."""
    old = _wanted(category, tax_rate_id, tax_rate_key)
    return replace(category, rates=tuple(rate for rate in category.rates if rate is not old))
