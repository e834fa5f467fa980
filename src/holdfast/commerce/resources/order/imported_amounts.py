"""The amounts of an imported order: prices, rates, taxes and shipping as another system told them."""

from __future__ import annotations

from holdfast.base.errors import InvalidField
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart.shape import DiscountedItemPrice, IncludedDiscount, ShippingInfo
from holdfast.commerce.resources.channel import channels
from holdfast.commerce.resources.customer_group import customer_groups
from holdfast.commerce.resources.order.drafts import (
    DiscountedItemPriceDraft,
    ImportedTaxedPrice,
    ImportedTaxRate,
    OrderImportDraft,
    ShippingInfoImportDraft,
)
from holdfast.commerce.resources.shipping_method import shipping_methods, shipping_rate
from holdfast.commerce.resources.tax_category import TaxRate, rate_amount, tax_categories
from holdfast.commerce.rules.custom_fields import custom_fields
from holdfast.commerce.rules.deliveries import delivery_of
from holdfast.commerce.rules.references import resolve_named
from holdfast.commerce.rules.tax import taxed
from holdfast.commerce.values.money import Money, MoneyDraft, cent_money, typed
from holdfast.commerce.values.price import DiscountedPrice, Price, PriceDraft, PriceTier
from holdfast.commerce.values.taxed_price import TaxedPrice, TaxPortion


def currency_checked(value: Money, currency: str, path: str) -> Money:
    """An amount in the currency of the order. Raises InvalidField."""
    if value.currency_code != currency:
        raise InvalidField(f"{path}.currencyCode", value.currency_code, allowed_values=[currency])
    return value


def _cents(draft: MoneyDraft, currency: str, path: str) -> Money:
    return currency_checked(cent_money(draft, path), currency, path)


def _exact(draft: MoneyDraft, currency: str, path: str) -> Money:
    return currency_checked(typed(draft, path), currency, path)


def imported_price(draft: PriceDraft, currency: str, facts: Facts) -> Price:
    """A unit price as given; unlike the price of a product it may be negative."""
    path = "lineItems.price"
    discounted = None
    if draft.discounted is not None:
        discounted = DiscountedPrice(
            value=_exact(draft.discounted.value, currency, f"{path}.discounted.value"),
            discount=resolve_named("product-discount", draft.discounted.discount, facts),
        )
    return Price(
        id=facts.new_id(),
        key=draft.key,
        value=_exact(draft.value, currency, f"{path}.value"),
        country=draft.country,
        customer_group=facts.resolve(customer_groups, draft.customer_group) if draft.customer_group else None,
        channel=facts.resolve(channels, draft.channel) if draft.channel else None,
        valid_from=draft.valid_from,
        valid_until=draft.valid_until,
        tiers=tuple(
            PriceTier(minimum_quantity=tier.minimum_quantity, value=_exact(tier.value, currency, f"{path}.tiers.value"))
            for tier in draft.tiers
        ),
        discounted=discounted,
        custom=custom_fields(draft.custom, "product-price", facts),
    )


def imported_rate(draft: ImportedTaxRate, path: str) -> TaxRate:
    """A tax rate as given, its amount checked against its sub-rates."""
    return TaxRate(
        id=draft.id,
        key=draft.key,
        name=draft.name,
        amount=rate_amount(draft.amount, draft.sub_rates, path),
        included_in_price=draft.included_in_price,
        country=draft.country,
        state=draft.state or None,
        sub_rates=draft.sub_rates,
    )


def imported_taxed_price(draft: ImportedTaxedPrice | None, currency: str, path: str) -> TaxedPrice | None:
    """Net and gross as given; the tax is what lies between them unless it is given too."""
    if draft is None:
        return None
    net = _cents(draft.total_net, currency, f"{path}.totalNet")
    gross = _cents(draft.total_gross, currency, f"{path}.totalGross")
    tax = _cents(draft.total_tax, currency, f"{path}.totalTax") if draft.total_tax else None
    portions = tuple(
        TaxPortion(
            name=portion.name,
            rate=portion.rate,
            amount=_cents(portion.amount, currency, f"{path}.taxPortions.amount"),
        )
        for portion in draft.tax_portions
    )
    difference = MoneyDraft(currency_code=currency, cent_amount=gross.cent_amount - net.cent_amount)
    return TaxedPrice(
        total_net=net,
        total_gross=gross,
        tax_portions=portions,
        total_tax=tax or cent_money(difference),
    )


def imported_shipping(
    draft: ShippingInfoImportDraft | None, order: OrderImportDraft, currency: str, facts: Facts
) -> ShippingInfo | None:
    """How the order was shipped, with its deliveries; taxed by its rate unless the tax is given."""
    if draft is None:
        return None
    price = _cents(draft.price, currency, "shippingInfo.price")
    discounted = _discounted(draft.discounted_price, currency)
    rate = imported_rate(draft.tax_rate, "shippingInfo.taxRate") if draft.tax_rate else None
    taxed_price = imported_taxed_price(draft.taxed_price, currency, "shippingInfo.taxedPrice")
    if taxed_price is None and rate is not None:
        payable = discounted.value if discounted else price
        taxed_price = taxed(payable.cent_amount, (), rate, order.tax_rounding_mode, currency)
    return ShippingInfo(
        shipping_method_name=draft.shipping_method_name,
        price=price,
        shipping_rate=shipping_rate(draft.shipping_rate),
        taxed_price=taxed_price,
        tax_rate=rate,
        tax_category=facts.resolve(tax_categories, draft.tax_category) if draft.tax_category else None,
        shipping_method=facts.resolve(shipping_methods, draft.shipping_method) if draft.shipping_method else None,
        deliveries=tuple(delivery_of(delivery, facts) for delivery in draft.deliveries),
        discounted_price=discounted,
        shipping_method_state="MatchesCart",
    )


def _discounted(draft: DiscountedItemPriceDraft | None, currency: str) -> DiscountedItemPrice | None:
    if draft is None:
        return None
    path = "shippingInfo.discountedPrice"
    return DiscountedItemPrice(
        value=_cents(draft.value, currency, f"{path}.value"),
        included_discounts=tuple(
            IncludedDiscount(
                discount=included.discount,
                discounted_amount=_cents(included.discounted_amount, currency, f"{path}.includedDiscounts"),
            )
            for included in draft.included_discounts
        ),
    )
