"""Stores: a part of the shop with its own languages, countries, channels and assortment."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from msgspec import Meta, field
from msgspec.structs import replace

from holdfast.base.errors import InvalidField, InvalidOperation, MissingRoleOnChannel
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages import store as told
from holdfast.commerce.messages.message import Message
from holdfast.commerce.registry import Changed, Resource
from holdfast.commerce.resources.channel import ChannelRole, channels
from holdfast.commerce.rules.custom_fields import custom_actions, custom_fields
from holdfast.commerce.rules.references import resolve_named
from holdfast.commerce.values.custom_fields import CustomFields, CustomFieldsDraft
from holdfast.commerce.values.reference import KeyReference, Reference, ResourceIdentifier
from holdfast.commerce.values.value import (
    Country,
    Key,
    Locale,
    LocalizedString,
    Stored,
    Value,
    adopt,
    distinct,
    empty,
    no,
)

T = TypeVar("T")

# An absolute https address; the empty text removes what was there.
Url = Annotated[str, Meta(pattern=r"^(https://[^\s/]\S*)?\Z", max_length=2048)]
UrlTemplate = Annotated[str, Meta(max_length=2048)]


class StoreCountry(Value):
    code: Country


class ProductSelectionSetting(Value):
    product_selection: Reference
    active: bool = field(default_factory=no)


class ProductSelectionSettingDraft(Value):
    product_selection: ResourceIdentifier
    active: bool = False


class Storefront(Value):
    """Where the store's shoppers find its pages."""

    checkout_url_template: UrlTemplate | None = None
    order_url_template: UrlTemplate | None = None
    terms_of_service_url: Url | None = None
    privacy_policy_url: Url | None = None
    refund_policy_url: Url | None = None
    shipping_policy_url: Url | None = None
    cookie_policy_url: Url | None = None
    imprint_url: Url | None = None
    faq_url: Url | None = None
    contact_url: Url | None = None


class StoreDraft(Value):
    key: Key
    name: LocalizedString | None = None
    languages: tuple[Locale, ...] | None = None
    countries: tuple[StoreCountry, ...] | None = None
    distribution_channels: tuple[ResourceIdentifier, ...] | None = None
    supply_channels: tuple[ResourceIdentifier, ...] | None = None
    product_selections: tuple[ProductSelectionSettingDraft, ...] | None = None
    storefront: Storefront | None = None
    custom: CustomFieldsDraft | None = None


class Store(Stored):
    key: str
    name: LocalizedString | None = None
    languages: tuple[str, ...] = field(default_factory=empty)
    countries: tuple[StoreCountry, ...] = field(default_factory=empty)
    distribution_channels: tuple[Reference, ...] = field(default_factory=empty)
    supply_channels: tuple[Reference, ...] = field(default_factory=empty)
    product_selections: tuple[ProductSelectionSetting, ...] = field(default_factory=empty)
    storefront: Storefront | None = None
    custom: CustomFields | None = None


stores = Resource("store", path="stores", shape=Store, draft=StoreDraft, holds=("channel", "product-selection", "type"))
custom_actions(stores, "store")


def store_reference(target: ResourceIdentifier | KeyReference, facts: Facts) -> KeyReference:
    """How other resources keep a store: by its key, which never changes."""
    return KeyReference(type_id="store", key=facts.get(stores, target).key)


@stores.create
def create_store(draft: StoreDraft, facts: Facts) -> Changed[Store]:
    store = adopt(
        Store,
        draft,
        languages=distinct(draft.languages or ()),
        countries=distinct(draft.countries or ()),
        distribution_channels=_channels(draft.distribution_channels, "ProductDistribution", facts),
        supply_channels=_channels(draft.supply_channels, "InventorySupply", facts),
        product_selections=_selections(draft.product_selections, facts),
        storefront=_storefront(draft.storefront),
        custom=custom_fields(draft.custom, "store", facts),
    )
    return Changed(store, (adopt(told.StoreCreated, store),))


@stores.delete
def delete_store(store: Store, facts: Facts) -> Changed[Store]:
    return Changed(store, (told.StoreDeleted(),))


def _added(before: tuple[T, ...], after: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(value for value in after if value not in before)


@stores.action("setName")
def set_name(store: Store, *, name: LocalizedString | None = None) -> Changed[Store]:
    return Changed(replace(store, name=name), (told.StoreNameSet(name=name),))


# --- languages and countries ---------------------------------------------------------------


@stores.action("setLanguages")
def set_languages(store: Store, *, languages: tuple[Locale, ...] | None = None) -> Changed[Store]:
    after = distinct(languages or ())
    message = told.StoreLanguagesChanged(
        added_languages=_added(store.languages, after), removed_languages=_added(after, store.languages)
    )
    return Changed(replace(store, languages=after), (message,))


def _with_countries(store: Store, after: tuple[StoreCountry, ...]) -> Changed[Store]:
    message = told.StoreCountriesChanged(
        added_countries=_added(store.countries, after), removed_countries=_added(after, store.countries)
    )
    return Changed(replace(store, countries=after), (message,))


@stores.action("setCountries")
def set_countries(store: Store, *, countries: tuple[StoreCountry, ...] | None = None) -> Changed[Store]:
    return _with_countries(store, distinct(countries or ()))


@stores.action("addCountry")
def add_country(store: Store, *, country: StoreCountry) -> Changed[Store]:
    """Add a country; one the store has already changes nothing."""
    if country in store.countries:
        return Changed(store)
    return _with_countries(store, (*store.countries, country))


@stores.action("removeCountry")
def remove_country(store: Store, *, country: StoreCountry) -> Changed[Store]:
    """Remove a country; one the store does not have changes nothing."""
    if country not in store.countries:
        return Changed(store)
    return _with_countries(store, tuple(kept for kept in store.countries if kept != country))


# --- channels ------------------------------------------------------------------------------


def _channel(target: ResourceIdentifier, role: ChannelRole, facts: Facts) -> Reference:
    channel = facts.get(channels, target)
    if role not in channel.roles:
        raise MissingRoleOnChannel(
            f"The channel '{channel.id}' has no role '{role}'.",
            channel={"typeId": "channel", "id": channel.id},
            missing_role=role,
        )
    return Reference(type_id="channel", id=channel.id)


def _channels(targets: tuple[ResourceIdentifier, ...] | None, role: ChannelRole, facts: Facts) -> tuple[Reference, ...]:
    return distinct(_channel(target, role, facts) for target in targets or ())


def _with_distribution(store: Store, after: tuple[Reference, ...]) -> Changed[Store]:
    if after == store.distribution_channels:
        return Changed(store)
    message = told.StoreDistributionChannelsChanged(
        added_distribution_channels=_added(store.distribution_channels, after),
        removed_distribution_channels=_added(after, store.distribution_channels),
    )
    return Changed(replace(store, distribution_channels=after), (message,))


def _with_supply(store: Store, after: tuple[Reference, ...]) -> Changed[Store]:
    if after == store.supply_channels:
        return Changed(store)
    message = told.StoreSupplyChannelsChanged(
        added_supply_channels=_added(store.supply_channels, after),
        removed_supply_channels=_added(after, store.supply_channels),
    )
    return Changed(replace(store, supply_channels=after), (message,))


@stores.action("setDistributionChannels")
def set_distribution_channels(
    store: Store, facts: Facts, *, distribution_channels: tuple[ResourceIdentifier, ...] | None = None
) -> Changed[Store]:
    return _with_distribution(store, _channels(distribution_channels, "ProductDistribution", facts))


@stores.action("addDistributionChannel")
def add_distribution_channel(store: Store, facts: Facts, *, distribution_channel: ResourceIdentifier) -> Changed[Store]:
    added = _channel(distribution_channel, "ProductDistribution", facts)
    return _with_distribution(store, distinct((*store.distribution_channels, added)))


@stores.action("removeDistributionChannel")
def remove_distribution_channel(
    store: Store, facts: Facts, *, distribution_channel: ResourceIdentifier
) -> Changed[Store]:
    removed = facts.resolve(channels, distribution_channel)
    return _with_distribution(store, tuple(kept for kept in store.distribution_channels if kept != removed))


@stores.action("setSupplyChannels")
def set_supply_channels(
    store: Store, facts: Facts, *, supply_channels: tuple[ResourceIdentifier, ...] | None = None
) -> Changed[Store]:
    return _with_supply(store, _channels(supply_channels, "InventorySupply", facts))


@stores.action("addSupplyChannel")
def add_supply_channel(store: Store, facts: Facts, *, supply_channel: ResourceIdentifier) -> Changed[Store]:
    return _with_supply(store, distinct((*store.supply_channels, _channel(supply_channel, "InventorySupply", facts))))


@stores.action("removeSupplyChannel")
def remove_supply_channel(store: Store, facts: Facts, *, supply_channel: ResourceIdentifier) -> Changed[Store]:
    removed = facts.resolve(channels, supply_channel)
    return _with_supply(store, tuple(kept for kept in store.supply_channels if kept != removed))


# --- product selections --------------------------------------------------------------------


def _selections(
    drafts: tuple[ProductSelectionSettingDraft, ...] | None, facts: Facts
) -> tuple[ProductSelectionSetting, ...]:
    settings = {
        setting.product_selection.id: setting
        for setting in (_selection(draft.product_selection, draft.active, facts) for draft in drafts or ())
    }
    return tuple(settings.values())


def _selection(target: ResourceIdentifier, active: bool, facts: Facts) -> ProductSelectionSetting:
    return ProductSelectionSetting(product_selection=resolve_named("product-selection", target, facts), active=active)


def _with_selections(store: Store, after: tuple[ProductSelectionSetting, ...]) -> Changed[Store]:
    if after == store.product_selections:
        return Changed(store)
    known = {setting.product_selection for setting in store.product_selections}
    kept = {setting.product_selection for setting in after}
    fresh = _added(store.product_selections, after)
    message = told.StoreProductSelectionsChanged(
        added_product_selections=tuple(one for one in fresh if one.product_selection not in known),
        removed_product_selections=tuple(one for one in store.product_selections if one.product_selection not in kept),
        updated_product_selections=tuple(one for one in fresh if one.product_selection in known),
    )
    return Changed(replace(store, product_selections=after), (message,))


@stores.action("setProductSelections")
def set_product_selections(
    store: Store, facts: Facts, *, product_selections: tuple[ProductSelectionSettingDraft, ...] | None = None
) -> Changed[Store]:
    return _with_selections(store, _selections(product_selections, facts))


@stores.action("addProductSelection")
def add_product_selection(
    store: Store, facts: Facts, *, product_selection: ResourceIdentifier, active: bool = False
) -> Changed[Store]:
    """Add a selection; one the store has already changes nothing."""
    added = _selection(product_selection, active, facts)
    if any(setting.product_selection == added.product_selection for setting in store.product_selections):
        return Changed(store)
    return _with_selections(store, (*store.product_selections, added))


@stores.action("changeProductSelectionActive")
def change_product_selection_active(
    store: Store, facts: Facts, *, product_selection: ResourceIdentifier, active: bool = False
) -> Changed[Store]:
    """Switch a selection of the store on or off; another one is an error."""
    changed = _selection(product_selection, active, facts)
    if all(setting.product_selection != changed.product_selection for setting in store.product_selections):
        raise InvalidOperation(f"Store {store.id} has no product selection {changed.product_selection.id}.")
    return _with_selections(
        store,
        tuple(
            changed if setting.product_selection == changed.product_selection else setting
            for setting in store.product_selections
        ),
    )


@stores.action("removeProductSelection")
def remove_product_selection(store: Store, facts: Facts, *, product_selection: ResourceIdentifier) -> Changed[Store]:
    removed = resolve_named("product-selection", product_selection, facts)
    kept = tuple(setting for setting in store.product_selections if setting.product_selection != removed)
    return _with_selections(store, kept)


# --- the storefront's addresses ------------------------------------------------------------


def _storefront(given: Storefront | None) -> Storefront | None:
    """The addresses that are not empty; None when there are none."""
    if given is None:
        return None
    _check_template("checkoutUrlTemplate", given.checkout_url_template, "checkoutId")
    _check_template("orderUrlTemplate", given.order_url_template, "orderId")
    kept = Storefront(**{name: getattr(given, name) or None for name in Storefront.__struct_fields__})
    return None if kept == Storefront() else kept


def _check_template(name: str, template: str | None, variable: str) -> None:
    if template and not any(variable in part.partition("}")[0] for part in template.split("{")[1:]):
        raise InvalidField(name, template, f"The template must contain the variable '{{{variable}}}'.")


def _showing(store: Store, message: Message, **address: Any) -> Changed[Store]:
    """The store with one address of its storefront set or removed."""
    after = replace(store, storefront=_storefront(replace(store.storefront or Storefront(), **address)))
    return Changed(after, (message,) if after != store else ())


@stores.action("setCheckoutUrlTemplate")
def set_checkout_url_template(store: Store, *, checkout_url_template: UrlTemplate | None = None) -> Changed[Store]:
    message = told.StoreCheckoutUrlTemplateSet(checkout_url_template=checkout_url_template or None)
    return _showing(store, message, checkout_url_template=checkout_url_template)


@stores.action("setOrderUrlTemplate")
def set_order_url_template(store: Store, *, order_url_template: UrlTemplate | None = None) -> Changed[Store]:
    message = told.StoreOrderUrlTemplateSet(order_url_template=order_url_template or None)
    return _showing(store, message, order_url_template=order_url_template)


@stores.action("setTermsOfServiceUrl")
def set_terms_of_service_url(store: Store, *, terms_of_service_url: Url | None = None) -> Changed[Store]:
    message = told.StoreTermsOfServiceUrlSet(terms_of_service_url=terms_of_service_url or None)
    return _showing(store, message, terms_of_service_url=terms_of_service_url)


@stores.action("setPrivacyPolicyUrl")
def set_privacy_policy_url(store: Store, *, privacy_policy_url: Url | None = None) -> Changed[Store]:
    message = told.StorePrivacyPolicyUrlSet(privacy_policy_url=privacy_policy_url or None)
    return _showing(store, message, privacy_policy_url=privacy_policy_url)


@stores.action("setRefundPolicyUrl")
def set_refund_policy_url(store: Store, *, refund_policy_url: Url | None = None) -> Changed[Store]:
    message = told.StoreRefundPolicyUrlSet(refund_policy_url=refund_policy_url or None)
    return _showing(store, message, refund_policy_url=refund_policy_url)


@stores.action("setShippingPolicyUrl")
def set_shipping_policy_url(store: Store, *, shipping_policy_url: Url | None = None) -> Changed[Store]:
    message = told.StoreShippingPolicyUrlSet(shipping_policy_url=shipping_policy_url or None)
    return _showing(store, message, shipping_policy_url=shipping_policy_url)


@stores.action("setCookiePolicyUrl")
def set_cookie_policy_url(store: Store, *, cookie_policy_url: Url | None = None) -> Changed[Store]:
    message = told.StoreCookiePolicyUrlSet(cookie_policy_url=cookie_policy_url or None)
    return _showing(store, message, cookie_policy_url=cookie_policy_url)


@stores.action("setImprintUrl")
def set_imprint_url(store: Store, *, imprint_url: Url | None = None) -> Changed[Store]:
    return _showing(store, told.StoreImprintUrlSet(imprint_url=imprint_url or None), imprint_url=imprint_url)


@stores.action("setFaqUrl")
def set_faq_url(store: Store, *, faq_url: Url | None = None) -> Changed[Store]:
    return _showing(store, told.StoreFaqUrlSet(faq_url=faq_url or None), faq_url=faq_url)


@stores.action("setContactUrl")
def set_contact_url(store: Store, *, contact_url: Url | None = None) -> Changed[Store]:
    return _showing(store, told.StoreContactUrlSet(contact_url=contact_url or None), contact_url=contact_url)
