"""Actions on an order itself: its numbers, whose it is, its payments, its custom fields."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from holdfast.base.errors import InvalidField, InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages import order as told
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.shape import PaymentInfo
from holdfast.commerce.resources.channel import channels
from holdfast.commerce.resources.customer.shape import customers
from holdfast.commerce.resources.order.drafts import OrderNumber
from holdfast.commerce.resources.order.shape import Order, SyncInfo, orders
from holdfast.commerce.resources.payment.shape import payments
from holdfast.commerce.resources.project import project_of
from holdfast.commerce.resources.store import stores
from holdfast.commerce.rules.custom_field_messages import Teller, custom_field_messages
from holdfast.commerce.rules.custom_fields import with_custom_field, with_custom_type
from holdfast.commerce.rules.references import resolve_key_named
from holdfast.commerce.values.reference import KeyReference, Reference, ResourceIdentifier
from holdfast.commerce.values.value import Instant, Locale

_TELLER = Teller(
    type_set=lambda custom, old: told.OrderCustomTypeSet(custom_fields=custom, previous_type_id=old),
    type_removed=lambda old: told.OrderCustomTypeRemoved(previous_type_id=old),
    field_added=lambda name, value: told.OrderCustomFieldAdded(name=name, value=value),
    field_changed=lambda name, value, old: told.OrderCustomFieldChanged(name=name, value=value, previous_value=old),
    field_removed=lambda name: told.OrderCustomFieldRemoved(name=name),
)


# --- numbers -------------------------------------------------------------------------------


@orders.action("setOrderNumber")
def set_order_number(order: Order, *, order_number: OrderNumber | None = None) -> Order:
    """Set the order number, once: it is what shop and customer call the order."""
    if order.order_number is not None and order_number != order.order_number:
        raise InvalidOperation(f"The order number '{order.order_number}' is set and cannot be changed.")
    return replace(order, order_number=order_number)


@orders.action("setPurchaseOrderNumber")
def set_purchase_order_number(order: Order, *, purchase_order_number: str | None = None) -> Changed[Order]:
    changed = told.OrderPurchaseOrderNumberSet(
        purchase_order_number=purchase_order_number, old_purchase_order_number=order.purchase_order_number
    )
    return Changed(replace(order, purchase_order_number=purchase_order_number), (changed,))


@orders.action("updateSyncInfo")
def update_sync_info(
    order: Order,
    facts: Facts,
    *,
    channel: ResourceIdentifier,
    external_id: str | None = None,
    synced_at: Instant | None = None,
) -> Order:
    """Note the latest exchange with a channel; each channel has one note."""
    reference = facts.resolve(channels, channel)
    note = SyncInfo(channel=reference, external_id=external_id, synced_at=synced_at or facts.now)
    others = tuple(info for info in order.sync_info if info.channel != reference)
    return replace(order, sync_info=(*others, note))


# --- whose it is ---------------------------------------------------------------------------


@orders.action("setCustomerEmail")
def set_customer_email(order: Order, *, email: str | None = None) -> Changed[Order]:
    changed = told.OrderCustomerEmailSet(email=email, old_email=order.customer_email)
    return Changed(replace(order, customer_email=email), (changed,))


@orders.action("setCustomerId")
def set_customer_id(order: Order, facts: Facts, *, customer_id: str | None = None) -> Changed[Order]:
    """Give the order to a customer, with the customer's group; prices stay what they are."""
    customer = facts.get(customers, customer_id) if customer_id is not None else None
    after = replace(order, customer_id=customer_id, customer_group=customer.customer_group if customer else None)
    changed = told.OrderCustomerSet(
        customer=_customer(customer_id),
        customer_group=after.customer_group,
        old_customer=_customer(order.customer_id),
        old_customer_group=order.customer_group,
    )
    return Changed(after, (changed,))


def _customer(customer_id: str | None) -> Reference | None:
    return Reference(type_id="customer", id=customer_id) if customer_id is not None else None


@orders.action("setLocale")
def set_locale(order: Order, facts: Facts, *, locale: Locale | None = None) -> Order:
    """Set the language, one of the project's."""
    languages = project_of(facts).languages
    if locale is not None and locale not in languages:
        raise InvalidField("locale", locale, allowed_values=list(languages))
    return replace(order, locale=locale)


@orders.action("setStore")
def set_store(order: Order, facts: Facts, *, store: ResourceIdentifier | None = None) -> Changed[Order]:
    """Move the order to another store, or out of its store."""
    after = KeyReference(type_id="store", key=facts.get(stores, store).key) if store else None
    if after == order.store:
        raise InvalidOperation(f"The order '{order.id}' already is in this store, or in none.")
    return Changed(replace(order, store=after), (told.OrderStoreSet(store=after, old_store=order.store),))


@orders.action("setBusinessUnit")
def set_business_unit(order: Order, facts: Facts, *, business_unit: ResourceIdentifier | None = None) -> Changed[Order]:
    """Move the order to another business unit, or out of its own."""
    after = resolve_key_named("business-unit", business_unit, facts) if business_unit else None
    changed = told.OrderBusinessUnitSet(business_unit=after, old_business_unit=order.business_unit)
    return Changed(replace(order, business_unit=after), (changed,))


# --- payments ------------------------------------------------------------------------------


@orders.action("addPayment")
def add_payment(order: Order, facts: Facts, *, payment: ResourceIdentifier) -> Changed[Order]:
    """Record a payment; the order's payment state is changed by an action of its own."""
    reference = facts.resolve(payments, payment)
    present = order.payment_info.payments if order.payment_info else ()
    if reference in present:
        return Changed(order)
    after = replace(order, payment_info=PaymentInfo(payments=(*present, reference)))
    return Changed(after, (told.OrderPaymentAdded(payment_ref=reference),))


@orders.action("removePayment")
def remove_payment(order: Order, facts: Facts, *, payment: ResourceIdentifier) -> Changed[Order]:
    """Take a payment out, even one that no longer exists; removing an absent one changes nothing."""
    present = order.payment_info.payments if order.payment_info else ()
    wanted = payment.id if payment.id is not None else facts.resolve(payments, payment).id
    kept = tuple(reference for reference in present if reference.id != wanted)
    if len(kept) == len(present):
        return Changed(order)
    after = replace(order, payment_info=PaymentInfo(payments=kept) if kept else None)
    reference = Reference(type_id="payment", id=wanted)
    return Changed(after, (told.OrderPaymentRemoved(payment_ref=reference, removed_payment_info=not kept),))


# --- custom fields -------------------------------------------------------------------------


@orders.action("setCustomType")
def set_custom_type(
    order: Order, facts: Facts, *, type: ResourceIdentifier | None = None, fields: dict[str, Any] | None = None
) -> Changed[Order]:
    return _told(order, with_custom_type(order, type, fields, "order", facts))


@orders.action("setCustomField")
def set_custom_field(order: Order, facts: Facts, *, name: str, value: Any = None) -> Changed[Order]:
    return _told(order, with_custom_field(order, name, value, facts))


def _told(before: Order, after: Order) -> Changed[Order]:
    return Changed(after, tuple(custom_field_messages(before.custom, after.custom, _TELLER)))
