"""Whose cart it is, where it is sold, and what is written on it."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.base.errors import CountryNotConfiguredInStore, InvalidField, InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages.cart import CartPurchaseOrderNumberSet
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.drafts import Days
from holdfast.commerce.resources.cart.guard import pricing_action
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.resources.customer.shape import customers
from holdfast.commerce.resources.customer_group import customer_groups
from holdfast.commerce.resources.project import project_of
from holdfast.commerce.resources.store import stores
from holdfast.commerce.rules.common_actions import set_key
from holdfast.commerce.rules.custom_fields import custom_actions
from holdfast.commerce.rules.references import resolve_named
from holdfast.commerce.rules.reservations import extended
from holdfast.commerce.values.reference import KeyReference, ResourceIdentifier
from holdfast.commerce.values.value import Country, Locale, Minutes

carts.action("setKey")(set_key)
custom_actions(carts, "order")


def with_customer(cart: Cart, customer_id: str, facts: Facts) -> Cart:
    """The cart as the customer's: group and e-mail come from there, the guest session no longer owns it."""
    customer = facts.get(customers, customer_id)
    return replace(
        cart,
        customer_id=customer.id,
        customer_group=customer.customer_group,
        customer_email=cart.customer_email or customer.email,
        anonymous_id=None,
    )


@pricing_action("setCustomerId")
def set_customer_id(cart: Cart, facts: Facts, *, customer_id: str | None = None) -> Cart:
    """Give the cart to a customer, or take it from one; the customer group goes with it."""
    if customer_id is None:
        return replace(cart, customer_id=None, customer_group=None) if cart.customer_id is not None else cart
    return with_customer(cart, customer_id, facts)


@pricing_action("setCustomerGroup")
def set_customer_group(cart: Cart, facts: Facts, *, customer_group: ResourceIdentifier | None = None) -> Cart:
    """Choose the group whose prices apply, on a cart without a customer."""
    if cart.customer_id is not None:
        raise InvalidOperation("The customer group of the cart is that of its customer.")
    group = facts.resolve(customer_groups, customer_group) if customer_group is not None else None
    return replace(cart, customer_group=group)


@carts.action("setAnonymousId")
def set_anonymous_id(cart: Cart, *, anonymous_id: str | None = None) -> Cart:
    """Bind the cart to a guest session; a customer's cart cannot be bound."""
    if cart.customer_id is not None:
        raise InvalidOperation("The cart belongs to a customer; an anonymousId cannot be set.")
    return replace(cart, anonymous_id=anonymous_id)


@carts.action("setCustomerEmail")
def set_customer_email(cart: Cart, *, email: str | None = None) -> Cart:
    return replace(cart, customer_email=email)


@pricing_action("setCountry")
def set_country(cart: Cart, facts: Facts, *, country: Country | None = None) -> Cart:
    """Choose the country whose prices apply."""
    check_country(country, cart.store, facts)
    return replace(cart, country=country)


def check_country(country: str | None, store: KeyReference | None, facts: Facts) -> None:
    """Whether the store sells there. Raises CountryNotConfiguredInStore."""
    if country is None or store is None:
        return
    codes = [known.code for known in facts.get(stores, store).countries]
    if codes and country not in codes:
        raise CountryNotConfiguredInStore(
            f"The country '{country}' is not configured for the store '{store.key}'.",
            store_countries=codes,
            country=country,
        )


@carts.action("setLocale")
def set_locale(cart: Cart, facts: Facts, *, locale: Locale | None = None) -> Cart:
    check_locale(locale, facts)
    return replace(cart, locale=locale)


def check_locale(locale: str | None, facts: Facts) -> None:
    """Whether the project speaks the language. Raises InvalidField."""
    if locale is None:
        return
    languages = project_of(facts).languages
    if locale not in languages:
        raise InvalidField("locale", locale, allowed_values=list(languages))


@carts.action("setBusinessUnit")
def set_business_unit(cart: Cart, facts: Facts, *, business_unit: ResourceIdentifier) -> Cart:
    """Give the cart to another business unit, which must exist."""
    resolve_named("business-unit", business_unit, facts)
    raise InvalidOperation("The cart belongs to no business unit.")


@carts.action("setPurchaseOrderNumber")
def set_purchase_order_number(cart: Cart, *, purchase_order_number: str | None = None) -> Cart | Changed[Cart]:
    if purchase_order_number == cart.purchase_order_number:
        return cart
    told = CartPurchaseOrderNumberSet(
        purchase_order_number=purchase_order_number, old_purchase_order_number=cart.purchase_order_number
    )
    return Changed(replace(cart, purchase_order_number=purchase_order_number), (told,))


@carts.action("setDeleteDaysAfterLastModification")
def set_delete_days_after_last_modification(
    cart: Cart, facts: Facts, *, delete_days_after_last_modification: Days | None = None
) -> Cart:
    """Set how long an untouched cart is kept; the project's default if left out."""
    days = delete_days_after_last_modification or project_of(facts).carts.delete_days_after_last_modification
    return replace(cart, delete_days_after_last_modification=days)


@carts.action("setReservationExpirationInMinutes")
def set_reservation_expiration_in_minutes(
    cart: Cart, facts: Facts, *, reservation_expiration_in_minutes: Minutes
) -> Cart:
    """Set how long reservations of the cart last, those it has from now on and those it will make."""
    lasting = replace(cart, reservation_expiration_in_minutes=reservation_expiration_in_minutes)
    return extended(lasting, reservation_expiration_in_minutes, facts)
