"""Projects: the tenant itself, with the currencies, countries, languages and defaults of its shop."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field
from msgspec.structs import replace

from holdfast.base.errors import InvalidField, InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Resource
from holdfast.commerce.rules.common_actions import change_name
from holdfast.commerce.rules.references import resolve_key_named
from holdfast.commerce.values.money import RoundingMode
from holdfast.commerce.values.reference import KeyReference, ResourceIdentifier
from holdfast.commerce.values.value import (
    ClientInfo,
    Country,
    Currency,
    Locale,
    LocalizedString,
    Minutes,
    Stored,
    Value,
    adopt,
    empty,
    no,
)

# First segments of paths that belong to the server.
RESERVED_KEYS = frozenset({"docs", "oauth", "openapi"})
CART_DAYS = 90
SHOPPING_LIST_DAYS = 360
MESSAGE_DAYS = 15

# The first segment of every path and a column of every database key.
ProjectKey = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{2,36}\Z")]
Days = Annotated[int, Meta(ge=1, le=365_250)]
MessageDays = Annotated[int, Meta(ge=1, le=90)]
SearchStatus = Literal["Activated", "Deactivated"]
UnitStatus = Literal["Active", "Inactive"]
Indexed = Literal["products", "products_search", "orders", "customers", "business_units"]


def _message_days() -> int:
    return MESSAGE_DAYS


def _cart_days() -> int:
    return CART_DAYS


def _shopping_list_days() -> int:
    return SHOPPING_LIST_DAYS


def _half_even() -> RoundingMode:
    return "HalfEven"


def _deactivated() -> SearchStatus:
    return "Deactivated"


def _inactive() -> UnitStatus:
    return "Inactive"


def _stacking() -> Literal["Stacking", "BestDeal"]:
    return "Stacking"


def _classic() -> Literal["Classic", "Modular"]:
    return "Classic"


class MessagesConfiguration(Value):
    """Whether messages can be queried, and for how many days."""

    enabled: bool = field(default_factory=no)
    delete_days_after_creation: MessageDays = field(default_factory=_message_days)


class CartsConfiguration(Value):
    """Defaults new carts take."""

    delete_days_after_last_modification: Days = field(default_factory=_cart_days)
    country_tax_rate_fallback_enabled: bool = field(default_factory=no)
    price_rounding_mode: RoundingMode = field(default_factory=_half_even)
    tax_rounding_mode: RoundingMode = field(default_factory=_half_even)


class CartsConfigurationDraft(Value):
    """What is left out keeps its value."""

    delete_days_after_last_modification: Days | None = None
    country_tax_rate_fallback_enabled: bool | None = None
    price_rounding_mode: RoundingMode | None = None
    tax_rounding_mode: RoundingMode | None = None


class ShoppingListsConfiguration(Value):
    delete_days_after_last_modification: Days = field(default_factory=_shopping_list_days)


class EnumValue(Value):
    key: str
    label: LocalizedString


class CartValueType(Value, tag_field="type", tag="CartValue"):
    """Shipping tiers look at the sum of the items."""


class CartClassificationType(Value, tag_field="type", tag="CartClassification"):
    """Shipping tiers look at one of these values, set on the cart."""

    values: tuple[EnumValue, ...]


class CartScoreType(Value, tag_field="type", tag="CartScore"):
    """Shipping tiers look at a score, set on the cart."""


ShippingRateInputType = CartValueType | CartClassificationType | CartScoreType


class ExternalOAuth(Value):
    """Where tokens of another issuer are introspected, and the header that opens the door there."""

    url: Annotated[str, Meta(pattern=r"^https?://[^\s/]\S*\Z", max_length=2048)]
    authorization_header: str


class IndexStatus(Value):
    """One search index: whether it is on, and who switched it when."""

    status: SearchStatus = field(default_factory=_deactivated)
    last_modified_at: str | None = None
    last_modified_by: ClientInfo | None = None


class SearchIndexing(Value):
    products: IndexStatus = field(default_factory=IndexStatus)
    products_search: IndexStatus = field(default_factory=IndexStatus)
    orders: IndexStatus = field(default_factory=IndexStatus)
    customers: IndexStatus = field(default_factory=IndexStatus)
    business_units: IndexStatus = field(default_factory=IndexStatus)


class BusinessUnitConfiguration(Value):
    my_business_unit_status_on_creation: UnitStatus = field(default_factory=_inactive)
    my_business_unit_associate_role_on_creation: KeyReference | None = None


class InventoryConfiguration(Value):
    reservation_expiration_in_minutes: int | None = None
    release_expired_reservations: bool = field(default_factory=no)


class DiscountsConfiguration(Value):
    discount_combination_mode: Literal["Stacking", "BestDeal"] = field(default_factory=_stacking)


class ProjectDraft(Value):
    """What an operator says about a new project; the hosted API has no call for it."""

    key: ProjectKey
    name: str | None = None
    currencies: tuple[Currency, ...] = ("EUR",)
    countries: tuple[Country, ...] = ("DE",)
    languages: tuple[Locale, ...] = ("en",)


class Project(Stored):
    key: str
    name: str
    countries: tuple[str, ...] = field(default_factory=empty)
    currencies: tuple[str, ...] = field(default_factory=empty)
    languages: tuple[str, ...] = field(default_factory=empty)
    trial_until: str | None = None
    messages: MessagesConfiguration = field(default_factory=MessagesConfiguration)
    carts: CartsConfiguration = field(default_factory=CartsConfiguration)
    shopping_lists: ShoppingListsConfiguration = field(default_factory=ShoppingListsConfiguration)
    shipping_rate_input_type: ShippingRateInputType | None = None
    external_o_auth: ExternalOAuth | None = None
    search_indexing: SearchIndexing = field(default_factory=SearchIndexing)
    business_units: BusinessUnitConfiguration = field(default_factory=BusinessUnitConfiguration)
    inventory: InventoryConfiguration = field(default_factory=InventoryConfiguration)
    discounts: DiscountsConfiguration = field(default_factory=DiscountsConfiguration)
    product_catalog_model: Literal["Classic", "Modular"] = field(default_factory=_classic)


projects = Resource("project", path=None, shape=Project, draft=ProjectDraft, scope="project_settings")


def project_of(facts: Facts) -> Project:
    """The project the request belongs to. No request gets this far without one."""
    project = facts.find_by(projects, "key", facts.project_key)
    assert project is not None, f"project {facts.project_key} has clients but no record"
    return project


@projects.create
def create_project(draft: ProjectDraft, facts: Facts) -> Project:
    if draft.key in RESERVED_KEYS:
        raise InvalidField("key", draft.key, f"'{draft.key}' is the beginning of a path of the server itself.")
    return adopt(
        Project,
        draft,
        name=draft.name or draft.key,
        currencies=_listed("currencies", draft.currencies),
        countries=_listed("countries", draft.countries),
        languages=_listed("languages", draft.languages),
    )


def _listed(what: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """The values without repeats; a project is never left without any."""
    if not values:
        raise InvalidOperation(f"A project needs at least one of its {what}.")
    return tuple(dict.fromkeys(values))


projects.action("changeName")(change_name)


@projects.action("changeCurrencies")
def change_currencies(project: Project, *, currencies: tuple[Currency, ...]) -> Project:
    return replace(project, currencies=_listed("currencies", currencies))


@projects.action("changeCountries")
def change_countries(project: Project, *, countries: tuple[Country, ...]) -> Project:
    return replace(project, countries=_listed("countries", countries))


@projects.action("changeLanguages")
def change_languages(project: Project, *, languages: tuple[Locale, ...]) -> Project:
    return replace(project, languages=_listed("languages", languages))


# --- messages, carts, shopping lists -------------------------------------------------------


@projects.action("changeMessagesEnabled")
def change_messages_enabled(project: Project, *, messages_enabled: bool) -> Project:
    """The older way to switch the message query on and off."""
    return replace(project, messages=replace(project.messages, enabled=messages_enabled))


@projects.action("changeMessagesConfiguration")
def change_messages_configuration(project: Project, *, messages_configuration: MessagesConfiguration) -> Project:
    return replace(project, messages=messages_configuration)


@projects.action("changeCartsConfiguration")
def change_carts_configuration(project: Project, *, carts_configuration: CartsConfigurationDraft) -> Project:
    """Change the defaults of new carts; what is left out stays."""
    given = {name: getattr(carts_configuration, name) for name in CartsConfigurationDraft.__struct_fields__}
    return replace(
        project, carts=replace(project.carts, **{name: value for name, value in given.items() if value is not None})
    )


@projects.action("changeCountryTaxRateFallbackEnabled")
def change_country_tax_rate_fallback_enabled(project: Project, *, country_tax_rate_fallback_enabled: bool) -> Project:
    carts = replace(project.carts, country_tax_rate_fallback_enabled=country_tax_rate_fallback_enabled)
    return replace(project, carts=carts)


@projects.action("changePriceRoundingMode")
def change_price_rounding_mode(project: Project, *, price_rounding_mode: RoundingMode) -> Project:
    return replace(project, carts=replace(project.carts, price_rounding_mode=price_rounding_mode))


@projects.action("changeTaxRoundingMode")
def change_tax_rounding_mode(project: Project, *, tax_rounding_mode: RoundingMode) -> Project:
    return replace(project, carts=replace(project.carts, tax_rounding_mode=tax_rounding_mode))


@projects.action("changeShoppingListsConfiguration")
def change_shopping_lists_configuration(
    project: Project, *, shopping_lists_configuration: ShoppingListsConfiguration
) -> Project:
    return replace(project, shopping_lists=shopping_lists_configuration)


# --- shipping, discounts, inventory, sign-in -----------------------------------------------


@projects.action("setShippingRateInputType")
def set_shipping_rate_input_type(
    project: Project, *, shipping_rate_input_type: ShippingRateInputType | None = None
) -> Project:
    """Choose what shipping tiers look at. Classification keys must differ from each other."""
    if isinstance(shipping_rate_input_type, CartClassificationType):
        keys = [value.key for value in shipping_rate_input_type.values]
        if len(set(keys)) < len(keys):
            raise InvalidField("shippingRateInputType.values", keys, "Every value needs a key of its own.")
    return replace(project, shipping_rate_input_type=shipping_rate_input_type)


@projects.action("setExternalOAuth")
def set_external_o_auth(project: Project, *, external_o_auth: ExternalOAuth | None = None) -> Project:
    return replace(project, external_o_auth=external_o_auth)


@projects.action("setDiscountsConfiguration")
def set_discounts_configuration(project: Project, *, discounts_configuration: DiscountsConfiguration) -> Project:
    return replace(project, discounts=discounts_configuration)


@projects.action("setReservationExpirationInMinutes")
def set_reservation_expiration_in_minutes(
    project: Project, *, reservation_expiration_in_minutes: Minutes | None = None
) -> Project:
    inventory = replace(project.inventory, reservation_expiration_in_minutes=reservation_expiration_in_minutes)
    return replace(project, inventory=inventory)


@projects.action("setReleaseExpiredReservations")
def set_release_expired_reservations(project: Project, *, release_expired_reservations: bool) -> Project:
    inventory = replace(project.inventory, release_expired_reservations=release_expired_reservations)
    return replace(project, inventory=inventory)


@projects.action("setProductCatalogModel")
def set_product_catalog_model(project: Project, *, product_catalog_model: Literal["Classic", "Modular"]) -> Project:
    """Variants live in their products; standalone variants are a resource of their own that is not offered."""
    if product_catalog_model == "Modular":
        raise InvalidOperation("The product catalog model 'Modular' is not available.")
    return project


# --- search --------------------------------------------------------------------------------


@projects.action("changeProductSearchIndexingEnabled")
def change_product_search_indexing_enabled(
    project: Project,
    facts: Facts,
    *,
    enabled: bool,
    mode: Literal["ProductProjectionsSearch", "ProductsSearch"] = "ProductProjectionsSearch",
) -> Project:
    index: Indexed = "products" if mode == "ProductProjectionsSearch" else "products_search"
    return _indexed(project, facts, index, "Activated" if enabled else "Deactivated")


@projects.action("changeOrderSearchStatus")
def change_order_search_status(project: Project, facts: Facts, *, status: SearchStatus) -> Project:
    return _indexed(project, facts, "orders", status)


@projects.action("changeCustomerSearchStatus")
def change_customer_search_status(project: Project, facts: Facts, *, status: SearchStatus) -> Project:
    return _indexed(project, facts, "customers", status)


@projects.action("changeBusinessUnitSearchStatus")
def change_business_unit_search_status(project: Project, facts: Facts, *, status: SearchStatus) -> Project:
    return _indexed(project, facts, "business_units", status)


def _indexed(project: Project, facts: Facts, index: Indexed, status: SearchStatus) -> Project:
    before: IndexStatus = getattr(project.search_indexing, index)
    if before.status == status:
        return project
    after = IndexStatus(status=status, last_modified_at=facts.now, last_modified_by=facts.caller.info())
    return replace(project, search_indexing=replace(project.search_indexing, **{index: after}))


# --- business units ------------------------------------------------------------------------


@projects.action("changeMyBusinessUnitStatusOnCreation")
def change_my_business_unit_status_on_creation(project: Project, *, status: UnitStatus) -> Project:
    units = replace(project.business_units, my_business_unit_status_on_creation=status)
    return replace(project, business_units=units)


@projects.action("setMyBusinessUnitAssociateRoleOnCreation")
def set_my_business_unit_associate_role_on_creation(
    project: Project, facts: Facts, *, associate_role: ResourceIdentifier
) -> Project:
    role = resolve_key_named("associate-role", associate_role, facts)
    units = replace(project.business_units, my_business_unit_associate_role_on_creation=role)
    return replace(project, business_units=units)
