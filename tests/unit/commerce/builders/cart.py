"""A small shop to fill carts in: products, taxes, zones and shipping methods, and carts on their way."""

from __future__ import annotations

from itertools import count
from typing import Any

import msgspec
from msgspec.structs import replace
from tests.unit.commerce.facts import PROJECT, create, facts_with, update

from holdfast.commerce.catalogue import load_resources
from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import REGISTRY, Changed, Resource
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.resources.channel import Channel
from holdfast.commerce.resources.customer_group import CustomerGroup
from holdfast.commerce.resources.product.shape import Product, ProductCatalogData, ProductData, ProductVariant
from holdfast.commerce.resources.project import Project
from holdfast.commerce.resources.shipping_method import ShippingMethod, ShippingRate, ZoneRate
from holdfast.commerce.resources.store import Store, StoreCountry
from holdfast.commerce.resources.tax_category import TaxCategory, TaxRate
from holdfast.commerce.resources.type import FieldDefinition, StringType, Type
from holdfast.commerce.resources.zone import Location, Zone
from holdfast.commerce.values.money import money
from holdfast.commerce.values.price import Price
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.value import Stored, encode

load_resources()

SHOP = Project(id="project", key=PROJECT, name="Shop", currencies=("EUR", "USD"), languages=("en", "de"))


def a_rate(amount: float = 0.19, country: str = "DE", **more: Any) -> TaxRate:
    given = {"id": f"rate-{country}-{amount}", "name": f"{amount:.0%} {country}", "included_in_price": True, **more}
    return TaxRate(amount=amount, country=country, **given)


NORMAL = TaxCategory(
    id="normal",
    key="normal",
    name="normal",
    rates=(
        a_rate(),
        a_rate(0.2, "FR", included_in_price=False),
        a_rate(0.0625, "US", included_in_price=False),
        a_rate(0.08875, "US", state="NY", included_in_price=False),
    ),
)
REDUCED = TaxCategory(id="reduced", key="reduced", name="reduced", rates=(a_rate(0.07),))

GERMANY = Zone(id="zone-de", name="Germany", locations=(Location(country="DE"),))
AMERICA = Zone(id="zone-us", name="America", locations=(Location(country="US"),))
NEW_YORK = Zone(id="zone-ny", name="New York", locations=(Location(country="US", state="NY"),))


def a_price(cents: int, currency: str = "EUR", **scope: Any) -> Price:
    return Price(id=f"price-{cents}-{currency}", value=money(cents, currency), **scope)


def a_product(
    name: str = "shirt",
    *prices: Price,
    tax_category: str | None = "normal",
    published: bool = True,
    variants: tuple[ProductVariant, ...] = (),
    **more: Any,
) -> Product:
    """A product `name` whose master variant has the SKU `name`."""
    data = ProductData(
        name={"en": name},
        slug={"en": name},
        master_variant=ProductVariant(id=1, sku=name, prices=prices or (a_price(1190),)),
        variants=variants,
    )
    return Product(
        id=f"{name}-id",
        key=name,
        product_type=Reference(type_id="product-type", id="plain"),
        master_data=ProductCatalogData(published=published, current=data, staged=data),
        tax_category=Reference(type_id="tax-category", id=tax_category) if tax_category else None,
        **more,
    )


SHIRT = a_product("shirt", a_price(1190), a_price(1000, "USD"))
BOOK = a_product("book", a_price(1070), tax_category="reduced")


def a_method(*rates: ShippingRate, id: str = "standard", zone: Zone = GERMANY, **more: Any) -> ShippingMethod:
    given = {"active": True, "is_default": False, **more}
    return ShippingMethod(
        id=id,
        key=id,
        name=id,
        tax_category=Reference(type_id="tax-category", id="normal"),
        zone_rates=(ZoneRate(zone=Reference(type_id="zone", id=zone.id), shipping_rates=rates),),
        **given,
    )


STANDARD = a_method(ShippingRate(price=money(490, "EUR"), free_above=money(5000, "EUR")))
EXPRESS = a_method(ShippingRate(price=money(1290, "EUR")), id="express")

OUTLET = Channel(id="outlet", key="outlet", roles=("ProductDistribution",))
DEPOT = Channel(id="depot", key="depot", roles=("InventorySupply",))
BOUTIQUE = Store(
    id="boutique",
    key="boutique",
    countries=(StoreCountry(code="DE"),),
    distribution_channels=(Reference(type_id="channel", id="outlet"),),
)
VIP = CustomerGroup(id="vip", key="vip", name="vip")
GIFT_WRAP = Type(
    id="gift",
    key="gift",
    name={"en": "Gift"},
    resource_type_ids=("order", "line-item", "custom-line-item", "address", "shipping"),
    field_definitions=(FieldDefinition(name="note", label={"en": "note"}, required=False, type=StringType()),),
)

RECORDS: tuple[Stored, ...] = (
    SHOP,
    NORMAL,
    REDUCED,
    GERMANY,
    AMERICA,
    NEW_YORK,
    SHIRT,
    BOOK,
    STANDARD,
    EXPRESS,
    OUTLET,
    DEPOT,
    BOUTIQUE,
    VIP,
    GIFT_WRAP,
)


_requests = count(1)


def later(*known: tuple[Resource[Any], Stored], **session: Any) -> Facts:
    """Facts of one more request: it issues other ids than those before."""
    facts = facts_with(*known, **session)
    facts._base_id = next(_requests) << 20
    return facts


def shop(*records: Stored, **session: Any) -> Facts:
    """Facts that know this shop, with `records` added or in the place of those with the same id."""
    known = {record.id: record for record in (*RECORDS, *records)}
    return later(*((REGISTRY[_kind(record)], record) for record in known.values()), **session)


def _kind(record: Stored) -> str:
    return next(name for name, kind in REGISTRY.items() if type(record) is kind.shape)


DE = {"country": "DE"}


def a_cart(facts: Facts | None = None, *, my: bool = False, **draft: Any) -> Cart:
    """The cart a draft sent as JSON becomes; in euros unless said otherwise."""
    made = create(carts, {"currency": "EUR", **draft}, facts or shop(), my=my)
    return made.resource


def changed(cart: Cart, *actions: dict[str, Any], facts: Facts | None = None, my: bool = False) -> Cart:
    """The cart after update actions sent as JSON."""
    return result(cart, *actions, facts=facts, my=my).resource


def result(cart: Cart, *actions: dict[str, Any], facts: Facts | None = None, my: bool = False) -> Changed[Cart]:
    return update(carts, cart, *actions, facts=facts or shop(), my=my)


def sku(name: str, quantity: int = 1, **more: Any) -> dict[str, Any]:
    """A line item draft."""
    return {"sku": name, "quantity": quantity, **more}


def add(name: str, quantity: int = 1, **more: Any) -> dict[str, Any]:
    """An `addLineItem` action."""
    return {"action": "addLineItem", **sku(name, quantity, **more)}


def eur(cents: int) -> dict[str, Any]:
    return {"currencyCode": "EUR", "centAmount": cents}


def as_json(value: Any) -> Any:
    """A value as clients see it."""
    return msgspec.json.decode(encode(value))


def ordered(cart: Cart) -> Cart:
    return replace(cart, cart_state="Ordered")
