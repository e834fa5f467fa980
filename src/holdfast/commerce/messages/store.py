"""What happened to stores."""

from __future__ import annotations

from typing import Any

from holdfast.commerce.messages.message import Message
from holdfast.commerce.values.custom_fields import CustomFields
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.value import LocalizedString


class StoreCreated(Message):
    name: LocalizedString | None = None
    languages: tuple[str, ...]
    countries: tuple[Any, ...]
    distribution_channels: tuple[Reference, ...]
    supply_channels: tuple[Reference, ...]
    product_selections: tuple[Any, ...]
    custom: CustomFields | None = None


class StoreDeleted(Message): ...


class StoreNameSet(Message):
    name: LocalizedString | None = None


class StoreLanguagesChanged(Message):
    added_languages: tuple[str, ...]
    removed_languages: tuple[str, ...]


class StoreCountriesChanged(Message):
    added_countries: tuple[Any, ...]
    removed_countries: tuple[Any, ...]


class StoreDistributionChannelsChanged(Message):
    added_distribution_channels: tuple[Reference, ...]
    removed_distribution_channels: tuple[Reference, ...]


class StoreSupplyChannelsChanged(Message):
    added_supply_channels: tuple[Reference, ...]
    removed_supply_channels: tuple[Reference, ...]


class StoreProductSelectionsChanged(Message):
    added_product_selections: tuple[Any, ...]
    removed_product_selections: tuple[Any, ...]
    updated_product_selections: tuple[Any, ...]


# --- the storefront's addresses ------------------------------------------------------------


class StoreCheckoutUrlTemplateSet(Message):
    checkout_url_template: str | None = None


class StoreOrderUrlTemplateSet(Message):
    order_url_template: str | None = None


class StoreTermsOfServiceUrlSet(Message):
    terms_of_service_url: str | None = None


class StorePrivacyPolicyUrlSet(Message):
    privacy_policy_url: str | None = None


class StoreRefundPolicyUrlSet(Message):
    refund_policy_url: str | None = None


class StoreShippingPolicyUrlSet(Message):
    shipping_policy_url: str | None = None


class StoreCookiePolicyUrlSet(Message):
    cookie_policy_url: str | None = None


class StoreImprintUrlSet(Message):
    imprint_url: str | None = None


class StoreFaqUrlSet(Message):
    faq_url: str | None = None


class StoreContactUrlSet(Message):
    contact_url: str | None = None
