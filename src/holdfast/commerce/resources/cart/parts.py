"""What several groups of cart actions need: finding items, putting them back, reading common drafts."""

from __future__ import annotations

from typing import TypeVar

from msgspec.structs import replace

from holdfast.base.errors import DuplicateField, InvalidField, InvalidOperation, MissingRoleOnChannel, RequiredField
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart.drafts import ExternalTaxRateDraft, RecurrenceInfoDraft
from holdfast.commerce.resources.cart.shape import Cart, CustomLineItem, ItemState, LineItem, Shipping
from holdfast.commerce.resources.channel import ChannelRole, channels
from holdfast.commerce.resources.state import initial_line_item_state
from holdfast.commerce.resources.store import stores
from holdfast.commerce.resources.tax_category import TaxRate, rate_amount
from holdfast.commerce.rules.references import resolve_named
from holdfast.commerce.values.money import Money, MoneyDraft, cent_money, typed
from holdfast.commerce.values.reference import Reference, ResourceIdentifier

Item = TypeVar("Item", LineItem, CustomLineItem)


def wanted(items: tuple[Item, ...], what: str, item_id: str | None, item_key: str | None) -> Item:
    """The item an action names by id or key. Raises RequiredField or InvalidOperation."""
    if item_id is None and item_key is None:
        raise RequiredField(f"{what}Id", f"Either '{what}Id' or '{what}Key' is required.")
    for item in items:
        if (item.id == item_id) if item_id is not None else (item.key == item_key):
            return item
    named = f"ID '{item_id}'" if item_id is not None else f"key '{item_key}'"
    raise InvalidOperation(f"The cart has no {what} with {named}.")


def wanted_line(cart: Cart, line_item_id: str | None, line_item_key: str | None) -> LineItem:
    return wanted(cart.line_items, "lineItem", line_item_id, line_item_key)


def wanted_custom_line(cart: Cart, item_id: str | None, item_key: str | None) -> CustomLineItem:
    return wanted(cart.custom_line_items, "customLineItem", item_id, item_key)


def wanted_shipping(cart: Cart, shipping_key: str) -> Shipping:
    """One of several ways of shipping. Raises InvalidOperation."""
    for shipping in cart.shipping:
        if shipping.shipping_key == shipping_key:
            return shipping
    raise InvalidOperation(f"The cart has no shipping with key '{shipping_key}'.")


def with_line(cart: Cart, changed: LineItem) -> Cart:
    """The cart with a line in a new form, found by its id."""
    return replace(cart, line_items=tuple(changed if item.id == changed.id else item for item in cart.line_items))


def with_custom_line(cart: Cart, changed: CustomLineItem) -> Cart:
    items = tuple(changed if item.id == changed.id else item for item in cart.custom_line_items)
    return replace(cart, custom_line_items=items)


def with_shipping(cart: Cart, changed: Shipping) -> Cart:
    entries = tuple(changed if entry.shipping_key == changed.shipping_key else entry for entry in cart.shipping)
    return replace(cart, shipping=entries)


def check_item_key(items: tuple[Item, ...], key: str | None, path: str) -> None:
    """Whether a new item's key is its own in the cart. Raises DuplicateField."""
    if key is not None and any(item.key == key for item in items):
        raise DuplicateField(path, key)


def initial_state(quantity: int, facts: Facts) -> tuple[ItemState, ...]:
    """The workflow state of items in a cart: all units in the built-in first state."""
    return (ItemState(quantity=quantity, state=initial_line_item_state(facts.project_key)),)


def money_in(draft: MoneyDraft, cart: Cart, path: str) -> Money:
    """A drafted amount in the currency of the cart. Raises InvalidField."""
    return _in_currency(typed(draft, path), cart, path)


def cents_in(draft: MoneyDraft, cart: Cart, path: str) -> Money:
    """Like `money_in`, where only whole minor units make sense."""
    return _in_currency(cent_money(draft, path), cart, path)


def _in_currency(amount: Money, cart: Cart, path: str) -> Money:
    if amount.currency_code != cart.currency:
        raise InvalidField(
            f"{path}.currencyCode",
            amount.currency_code,
            f"The currency must be that of the cart, {cart.currency}.",
            allowed_values=[cart.currency],
        )
    return amount


def external_rate(draft: ExternalTaxRateDraft, path: str) -> TaxRate:
    """A tax rate the client found, as stored: without an id, as it belongs to no tax category."""
    return TaxRate(
        name=draft.name,
        amount=rate_amount(draft.amount, draft.sub_rates, path),
        included_in_price=draft.included_in_price,
        country=draft.country,
        state=draft.state or None,
        sub_rates=draft.sub_rates,
    )


def channel_with(
    role: ChannelRole, identifier: ResourceIdentifier | None, cart: Cart, facts: Facts
) -> Reference | None:
    """A channel that has the role, and is the store's own where the store names such channels.

    Raises MissingRoleOnChannel or InvalidOperation.
    """
    if identifier is None:
        return None
    channel = facts.get(channels, identifier)
    reference = Reference(type_id="channel", id=channel.id)
    if role not in channel.roles:
        raise MissingRoleOnChannel(
            f"Given channel with '{channel.id}' does not have the required role '{role}'.",
            channel={"typeId": "channel", "id": channel.id},
            missing_role=role,
        )
    if cart.store is not None:
        store = facts.get(stores, cart.store)
        own = store.distribution_channels if role == "ProductDistribution" else store.supply_channels
        if own and reference not in own:
            raise InvalidOperation(f"The channel '{channel.id}' does not belong to the store '{store.key}'.")
    return reference


def check_recurrence(draft: RecurrenceInfoDraft | None, facts: Facts) -> None:
    """Recurring orders need a recurrence policy: the one named must exist."""
    if draft is not None:
        resolve_named("recurrence-policy", draft.recurrence_policy, facts)
