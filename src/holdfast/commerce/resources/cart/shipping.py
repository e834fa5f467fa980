"""How the goods travel: one shipping method, or several with a key and an address each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from holdfast.base.errors import DuplicateField, InvalidField, InvalidOperation, RequiredField
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages.cart import CartEstimatedDeliverySet
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.drafts import (
    ClassificationInputDraft,
    CustomShippingDraft,
    EstimatedDeliveryDraft,
    ExternalTaxRateDraft,
    ScoreInputDraft,
    ShippingDraft,
    ShippingRateInputDraft,
)
from holdfast.commerce.resources.cart.guard import pricing_action, shipping_action
from holdfast.commerce.resources.cart.parts import external_rate, wanted_shipping, with_shipping
from holdfast.commerce.resources.cart.shape import (
    Cart,
    ClassificationInput,
    EstimatedDelivery,
    ScoreInput,
    Shipping,
    ShippingInfo,
    ShippingRateInput,
    carts,
)
from holdfast.commerce.resources.project import CartClassificationType, CartScoreType, project_of
from holdfast.commerce.resources.shipping_method import ShippingRateDraft, shipping_methods
from holdfast.commerce.resources.shipping_method import shipping_rate as stored_rate
from holdfast.commerce.resources.tax_category import tax_categories
from holdfast.commerce.rules.addresses import address_of
from holdfast.commerce.rules.cart_shipping import basket_for, basket_of, chosen, custom_shipping
from holdfast.commerce.rules.custom_fields import custom_fields, with_custom_field, with_custom_type
from holdfast.commerce.rules.deliveries import delivery_of
from holdfast.commerce.rules.item_taxes import require_tax_mode
from holdfast.commerce.values.address import AddressDraft
from holdfast.commerce.values.custom_fields import CustomFields, CustomFieldsDraft
from holdfast.commerce.values.delivery import DeliveryDraft
from holdfast.commerce.values.reference import Reference, ResourceIdentifier
from holdfast.commerce.values.value import Key, Value

SHIPPINGS_MAX = 50


# --- one shipping method -------------------------------------------------------------------


def _check_mode(cart: Cart, mode: str) -> None:
    if cart.shipping_mode != mode:
        raise InvalidOperation(f"This needs a cart with shipping mode '{mode}', not '{cart.shipping_mode}'.")


def choose_method(
    cart: Cart,
    identifier: ResourceIdentifier,
    external_tax_rate: ExternalTaxRateDraft | None,
    estimate: EstimatedDeliveryDraft | None,
    facts: Facts,
) -> Cart:
    """The cart with a shipping method it may have. Raises InvalidOperation otherwise, or without an address."""
    _check_mode(cart, "Single")
    method = facts.get(shipping_methods, identifier)
    if cart.shipping_address is None:
        raise InvalidOperation("A shipping method needs a shipping address first.")
    info = chosen(method, cart, cart.shipping_address, basket_of(cart), facts)
    info = replace(info, tax_rate=_external(external_tax_rate, cart), estimated_delivery=estimated(estimate))
    return replace(cart, shipping_info=info)


def _external(draft: ExternalTaxRateDraft | None, cart: Cart) -> Any:
    if draft is None:
        return None
    require_tax_mode(cart, "External", "An externalTaxRate")
    return external_rate(draft, "externalTaxRate")


def estimated(draft: EstimatedDeliveryDraft | None) -> EstimatedDelivery | None:
    """A delivery window. Raises InvalidField when it ends before it begins."""
    if draft is None:
        return None
    if draft.from_ is not None and draft.until is not None and draft.until < draft.from_:
        raise InvalidField("estimatedDelivery.until", draft.until, "The window ends before it begins.")
    return EstimatedDelivery(from_=draft.from_, until=draft.until)


@shipping_action("setShippingMethod")
def set_shipping_method(
    cart: Cart,
    facts: Facts,
    *,
    shipping_method: ResourceIdentifier | None = None,
    external_tax_rate: ExternalTaxRateDraft | None = None,
    estimated_delivery: EstimatedDeliveryDraft | None = None,
) -> Cart:
    """Choose a shipping method, or none."""
    if shipping_method is None:
        _check_mode(cart, "Single")
        return replace(cart, shipping_info=None, shipping_custom_fields=None)
    return choose_method(cart, shipping_method, external_tax_rate, estimated_delivery, facts)


@shipping_action("setCustomShippingMethod")
def set_custom_shipping_method(
    cart: Cart,
    facts: Facts,
    *,
    shipping_method_name: str,
    shipping_rate: ShippingRateDraft,
    tax_category: ResourceIdentifier | None = None,
    external_tax_rate: ExternalTaxRateDraft | None = None,
    custom: CustomFieldsDraft | None = None,
    estimated_delivery: EstimatedDeliveryDraft | None = None,
) -> Cart:
    """Ship at a rate of the client's own; tax mode Platform needs a tax category for it."""
    _check_mode(cart, "Single")
    if cart.shipping_address is None:
        raise InvalidOperation("A shipping method needs a shipping address first.")
    category = _category(cart, tax_category, facts)
    rate = stored_rate(shipping_rate)
    info = custom_shipping(rate, cart, basket_of(cart), facts, name=shipping_method_name, tax_category=category)
    info = replace(info, tax_rate=_external(external_tax_rate, cart), estimated_delivery=estimated(estimated_delivery))
    return replace(cart, shipping_info=info, shipping_custom_fields=custom_fields(custom, "shipping", facts))


def _category(cart: Cart, identifier: ResourceIdentifier | None, facts: Facts) -> Reference | None:
    if identifier is not None:
        return facts.resolve(tax_categories, identifier)
    if cart.tax_mode == "Platform":
        raise RequiredField("taxCategory", "Custom shipping needs a tax category in the tax mode Platform.")
    return None


# --- several shipping methods --------------------------------------------------------------


def add_shipping(cart: Cart, draft: ShippingDraft, estimate: EstimatedDeliveryDraft | None, facts: Facts) -> Cart:
    """The cart with one more shipping method, to an address of its own."""
    _check_new_key(cart, draft.key)
    method = facts.get(shipping_methods, draft.shipping_method)
    address = address_of(draft.shipping_address, facts)
    rate_input = rate_input_of(draft.shipping_rate_input, facts)
    info = chosen(method, cart, address, basket_for(cart, draft.key, rate_input), facts)
    info = replace(info, estimated_delivery=estimated(estimate))
    return _added(cart, draft, info, rate_input, facts)


def add_custom_shipping(cart: Cart, draft: CustomShippingDraft, facts: Facts) -> Cart:
    """The cart with one more shipping method of the client's own."""
    _check_new_key(cart, draft.key)
    category = _category(cart, draft.tax_category, facts)
    rate_input = rate_input_of(draft.shipping_rate_input, facts)
    info = custom_shipping(
        stored_rate(draft.shipping_rate),
        cart,
        basket_for(cart, draft.key, rate_input),
        facts,
        name=draft.shipping_method_name,
        tax_category=category,
    )
    return _added(cart, draft, info, rate_input, facts)


def _check_new_key(cart: Cart, key: str) -> None:
    _check_mode(cart, "Multiple")
    if any(known.shipping_key == key for known in cart.shipping):
        raise DuplicateField("shippingKey", key)
    if len(cart.shipping) >= SHIPPINGS_MAX:
        raise InvalidOperation(f"A cart can have at most {SHIPPINGS_MAX} shipping methods.")


def _added(
    cart: Cart,
    draft: ShippingDraft | CustomShippingDraft,
    info: ShippingInfo,
    rate_input: ShippingRateInput | None,
    facts: Facts,
) -> Cart:
    info = replace(
        info,
        tax_rate=_external(draft.external_tax_rate, cart),
        deliveries=tuple(delivery_of(delivery, facts) for delivery in draft.deliveries),
    )
    shipping = Shipping(
        shipping_key=draft.key,
        shipping_info=info,
        shipping_address=address_of(draft.shipping_address, facts),
        shipping_rate_input=rate_input,
        shipping_custom_fields=custom_fields(draft.custom, "shipping", facts),
    )
    return replace(cart, shipping=(*cart.shipping, shipping))


@pricing_action("addShippingMethod")
def add_shipping_method(
    cart: Cart,
    facts: Facts,
    *,
    shipping_key: Key,
    shipping_method: ResourceIdentifier,
    shipping_address: AddressDraft,
    shipping_rate_input: ShippingRateInputDraft | None = None,
    external_tax_rate: ExternalTaxRateDraft | None = None,
    deliveries: tuple[DeliveryDraft, ...] = (),
    custom: CustomFieldsDraft | None = None,
    estimated_delivery: EstimatedDeliveryDraft | None = None,
) -> Cart:
    """Add a shipping method under a key; shipping mode Multiple."""
    draft = ShippingDraft(
        key=shipping_key,
        shipping_method=shipping_method,
        shipping_address=shipping_address,
        shipping_rate_input=shipping_rate_input,
        external_tax_rate=external_tax_rate,
        deliveries=deliveries,
        custom=custom,
    )
    return add_shipping(cart, draft, estimated_delivery, facts)


@pricing_action("addCustomShippingMethod")
def add_custom_shipping_method(
    cart: Cart,
    facts: Facts,
    *,
    shipping_key: Key,
    shipping_method_name: str,
    shipping_address: AddressDraft,
    shipping_rate: ShippingRateDraft,
    shipping_rate_input: ShippingRateInputDraft | None = None,
    tax_category: ResourceIdentifier | None = None,
    external_tax_rate: ExternalTaxRateDraft | None = None,
    deliveries: tuple[DeliveryDraft, ...] = (),
    custom: CustomFieldsDraft | None = None,
) -> Cart:
    """Add a shipping method of the client's own under a key; shipping mode Multiple."""
    draft = CustomShippingDraft(
        key=shipping_key,
        shipping_method_name=shipping_method_name,
        shipping_address=shipping_address,
        shipping_rate=shipping_rate,
        shipping_rate_input=shipping_rate_input,
        tax_category=tax_category,
        external_tax_rate=external_tax_rate,
        deliveries=deliveries,
        custom=custom,
    )
    return add_custom_shipping(cart, draft, facts)


@pricing_action("removeShippingMethod")
def remove_shipping_method(cart: Cart, *, shipping_key: str) -> Cart:
    """Remove one of several shipping methods; items that it brought no longer count as covered."""
    _check_mode(cart, "Multiple")
    gone = wanted_shipping(cart, shipping_key)
    return replace(cart, shipping=tuple(entry for entry in cart.shipping if entry is not gone))


# --- tier input, estimates, custom fields --------------------------------------------------


def rate_input_of(draft: ShippingRateInputDraft | None, facts: Facts) -> ShippingRateInput | None:
    """The input for tiers, if it is the kind the project is set to. Raises InvalidOperation or InvalidField."""
    if draft is None:
        return None
    configured = project_of(facts).shipping_rate_input_type
    match draft:
        case ScoreInputDraft() if isinstance(configured, CartScoreType):
            return ScoreInput(score=draft.score)
        case ClassificationInputDraft() if isinstance(configured, CartClassificationType):
            for value in configured.values:
                if value.key == draft.key:
                    return ClassificationInput(key=value.key, label=_label(value))
            known = [value.key for value in configured.values]
            raise InvalidField("shippingRateInput.key", draft.key, allowed_values=known)
    raise InvalidOperation("The shipping rate input does not fit the shippingRateInputType of the project.")


def _label(value: Value) -> dict[str, str]:
    label: dict[str, str] = getattr(value, "label", {})
    return label


@pricing_action("setShippingRateInput")
def set_shipping_rate_input(
    cart: Cart, facts: Facts, *, shipping_rate_input: ShippingRateInputDraft | None = None
) -> Cart:
    """Set what selects the tier of the shipping rate."""
    return replace(cart, shipping_rate_input=rate_input_of(shipping_rate_input, facts))


@carts.action("setEstimatedDelivery")
def set_estimated_delivery(
    cart: Cart, *, shipping_key: str | None = None, estimated_delivery: EstimatedDeliveryDraft | None = None
) -> Changed[Cart]:
    """Set when the goods are expected to arrive."""
    window = estimated(estimated_delivery)
    if (cart.shipping_mode == "Multiple") != (shipping_key is not None):
        raise InvalidOperation("'shippingKey' is for carts with shipping mode Multiple, and required there.")
    told = CartEstimatedDeliverySet(shipping_key=shipping_key, estimated_delivery=window)
    if shipping_key is not None:
        shipping = wanted_shipping(cart, shipping_key)
        info = replace(shipping.shipping_info, estimated_delivery=window)
        return Changed(with_shipping(cart, replace(shipping, shipping_info=info)), (told,))
    if cart.shipping_info is None:
        raise InvalidOperation("The cart has no shipping method.")
    return Changed(replace(cart, shipping_info=replace(cart.shipping_info, estimated_delivery=window)), (told,))


class _ShippingFields(Value):
    """The custom fields of shipping, in the form the rules for custom fields take."""

    custom: CustomFields | None = None


def _with_custom(cart: Cart, shipping_key: str | None, change: Callable[[_ShippingFields], _ShippingFields]) -> Cart:
    if shipping_key is not None:
        shipping = wanted_shipping(cart, shipping_key)
        fields = change(_ShippingFields(custom=shipping.shipping_custom_fields)).custom
        return with_shipping(cart, replace(shipping, shipping_custom_fields=fields))
    _check_mode(cart, "Single")
    fields = change(_ShippingFields(custom=cart.shipping_custom_fields)).custom
    return replace(cart, shipping_custom_fields=fields)


@carts.action("setShippingCustomType")
def set_shipping_custom_type(
    cart: Cart,
    facts: Facts,
    *,
    shipping_key: str | None = None,
    type: ResourceIdentifier | None = None,
    fields: dict[str, Any] | None = None,
) -> Cart:
    """Set or remove type and custom fields of shipping."""
    return _with_custom(cart, shipping_key, lambda holder: with_custom_type(holder, type, fields, "shipping", facts))


@carts.action("setShippingCustomField")
def set_shipping_custom_field(
    cart: Cart, facts: Facts, *, shipping_key: str | None = None, name: str, value: Any = None
) -> Cart:
    """Set or remove one custom field of shipping."""
    return _with_custom(cart, shipping_key, lambda holder: with_custom_field(holder, name, value, facts))
