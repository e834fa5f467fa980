"""The purchases every client makes with the Sunrise data, and what each must come to.

One description feeds all clients, whatever language they are written in: what to browse for, what to buy, and the
picture of the cart (see `expected.totals`) after every step.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.clients import sunrise
from tests.clients.expected import Buyer, Line, rate_for, rows_by_sku, select_price, shipping_line, totals

Plan = dict[str, Any]

BROWSED_CATEGORY = "c20"
BROWSED_PRODUCT = "M0E20000000DLYA"


@dataclass(frozen=True)
class Item:
    """A line to put into the cart."""

    sku: str
    quantity: int
    distribution_channel: str | None = None
    supply_channel: str | None = None

    def draft(self) -> dict[str, Any]:
        draft: dict[str, Any] = {"sku": self.sku, "quantity": self.quantity}
        if self.distribution_channel:
            draft["distributionChannel"] = {"typeId": "channel", "key": self.distribution_channel}
        if self.supply_channel:
            draft["supplyChannel"] = {"typeId": "channel", "key": self.supply_channel}
        return draft


@dataclass(frozen=True)
class Wrap:
    """A custom line item, taxed at the low rate, so that a cart has two kinds of tax."""

    cents: int

    def draft(self, currency: str) -> dict[str, Any]:
        return {
            "name": {"en": "Gift wrap"},
            "slug": "gift-wrap",
            "quantity": 1,
            "money": {"currencyCode": currency, "centAmount": self.cents},
            "taxCategory": {"typeId": "tax-category", "key": "low"},
        }


@dataclass(frozen=True)
class Purchase:
    """One buyer's way from an empty cart to an order."""

    name: str
    mode: str
    buyer: Buyer
    address: dict[str, str]
    shipping_method: str
    offered: tuple[str, ...]
    steps: tuple[Item | Wrap, ...]
    cart: dict[str, str] = field(default_factory=dict)
    customer_key: str | None = None

    @property
    def per_unit(self) -> bool:
        return self.cart.get("taxCalculationMode") == "UnitPriceLevel"

    def plan(self) -> Plan:
        """Write the purchase down for a client."""
        return {
            "name": self.name,
            "mode": self.mode,
            "cart": {"currency": self.buyer.currency, "country": self.buyer.country, **self.cart},
            "customerKey": self.customer_key,
            "customerGroup": self.buyer.group,
            "email": f"{self.name}@example.com",
            "password": f"{self.name}-password",
            "address": {**self.address, "country": self.buyer.country, "firstName": "Robin", "lastName": "Buyer"},
            "shippingMethod": self.shipping_method,
            "offered": list(self.offered),
            "steps": self.steps_drafted(),
            "orderNumber": f"order-{self.name}",
            "stock": self.stock(),
        }

    def steps_drafted(self) -> list[dict[str, Any]]:
        return [
            {"action": "addLineItem", **step.draft()}
            if isinstance(step, Item)
            else {"action": "addCustomLineItem", **step.draft(self.buyer.currency)}
            for step in self.steps
        ]

    def pictures(self) -> list[dict[str, Any]]:
        """Work out the cart after every step; the shipping method is set right after the first."""
        return [self.picture(self.steps[:count]) for count in range(1, len(self.steps) + 1)]

    def picture(self, steps: tuple[Item | Wrap, ...]) -> dict[str, Any]:
        items = [self.item_line(step) for step in steps if isinstance(step, Item)]
        low = rate_for("low", self.buyer.country)
        wraps = [Line("gift-wrap", step.cents, 1, low) for step in steps if isinstance(step, Wrap)]
        items_cents = sum(line.total_cents for line in (*items, *wraps))
        shipping = shipping_line(self.shipping_method, self.buyer, items_cents)
        return totals(items, wraps, shipping, per_unit=self.per_unit)

    def item_line(self, item: Item) -> Line:
        row = rows_by_sku()[item.sku]
        cents = select_price(sunrise.prices(row), self.buyer, item.distribution_channel)
        assert cents is not None, f"no price for {item}"
        return Line(item.sku, cents, item.quantity, rate_for("standard", self.buyer.country))

    def stock(self) -> list[dict[str, Any]]:
        """Say what is left of everything that this order reserves."""
        if self.cart.get("inventoryMode") != "ReserveOnOrder":
            return []
        entries = {entry["key"]: entry["quantityOnStock"] for entry in sunrise.inventory()}
        reserved = [
            (sunrise.inventory_key(item.sku, item.supply_channel), item)
            for item in self.steps
            if isinstance(item, Item)
        ]
        return [
            {"key": key, "sku": item.sku, "quantityOnStock": entries[key], "available": entries[key] - item.quantity}
            for key, item in reserved
        ]


PURCHASES = (
    # A visitor fills a cart, signs up and orders; the second item makes shipping free.
    Purchase(
        name="germany",
        mode="session",
        buyer=Buyer("EUR", "DE"),
        address={"streetName": "Torstraße", "streetNumber": "1", "postalCode": "10119", "city": "Berlin"},
        shipping_method="std-EU",
        offered=("std-EU", "express-EU"),
        steps=(Item("M0E20000000DGJM", 1), Item(BROWSED_PRODUCT, 2, "sunrise-store-berlin"), Wrap(495)),
    ),
    # A known customer at business prices, who buys the last three of something.
    Purchase(
        name="netherlands",
        mode="customer",
        buyer=Buyer("EUR", "NL", "b2b"),
        address={"streetName": "Herengracht", "streetNumber": "282", "postalCode": "1012BE", "city": "Amsterdam"},
        shipping_method="express-EU",
        offered=("std-EU", "express-EU"),
        steps=(Item(BROWSED_PRODUCT, 2), Item("M0E20000000E8UJ", 3)),
        cart={"inventoryMode": "ReserveOnOrder"},
        customer_key="myKey",
    ),
    # A guest pays a store's prices; tax is rounded for each piece, which comes to another sum than for the line.
    Purchase(
        name="united-states",
        mode="guest",
        buyer=Buyer("USD", "US"),
        address={
            "streetName": "Newbury St",
            "streetNumber": "1",
            "postalCode": "02116",
            "city": "Boston",
            "state": "MA",
        },
        shipping_method="std-US",
        offered=("express-US", "std-US"),
        steps=(
            Item("M0E20000000ET8P", 1, "sunrise-store-boston-2", "sunrise-store-boston-2"),
            Item("M0E20000000DWXZ", 10, "sunrise-store-boston-2", "sunrise-store-boston-2"),
        ),
        cart={"inventoryMode": "ReserveOnOrder", "taxCalculationMode": "UnitPriceLevel"},
    ),
    # 693.75 with 20 % included is 578.125 net: half to even makes it 578.12, half up would not.
    Purchase(
        name="austria",
        mode="guest",
        buyer=Buyer("EUR", "AT"),
        address={"streetName": "Neubaugasse", "streetNumber": "5", "postalCode": "1070", "city": "Wien"},
        shipping_method="express-EU",
        offered=("std-EU", "express-EU"),
        steps=(Item("M0E20000000DTTH", 1),),
    ),
)


def browsing() -> Plan:
    """What to look for in the catalogue, and what must be found."""
    rows = {row["key"]: row for row in sunrise.read_csv("categories.csv")}
    products = sunrise.products()
    browsed = next(product for product in products if product["masterVariant"]["sku"] == BROWSED_PRODUCT)
    return {
        "categorySlug": rows[BROWSED_CATEGORY]["slug.en"],
        "productSlug": browsed["slug"]["en"],
        "probes": [probe(buyer, channel) for buyer, channel in PROBED],
        "expected": {
            "category": BROWSED_CATEGORY,
            "products": sorted(
                product["key"]
                for product in products
                if BROWSED_CATEGORY in [category["key"] for category in product["categories"]]
            ),
            "product": browsed["key"],
            "attributes": {one["name"]: one["value"] for one in browsed["masterVariant"]["attributes"]},
            "prices": [expected_price(buyer, channel) for buyer, channel in PROBED],
        },
    }


PROBED = (
    (Buyer("EUR", "DE"), None),
    (Buyer("EUR", "DE"), "sunrise-store-munich"),
    (Buyer("EUR", "DE", "b2b"), None),
    (Buyer("EUR", "DE", "b2b"), "sunrise-store-munich"),
    (Buyer("EUR", "DE", "gold"), "sunrise-store-vienna"),
    (Buyer("EUR", "NL"), None),
    (Buyer("USD", "US"), "sunrise-store-chicago"),
    (Buyer("USD", "DE"), None),
)


def probe(buyer: Buyer, channel: str | None) -> Plan:
    scope = {"currency": buyer.currency, "country": buyer.country, "group": buyer.group, "channel": channel}
    return {"sku": BROWSED_PRODUCT, **scope}


def expected_price(buyer: Buyer, channel: str | None) -> int | None:
    return select_price(sunrise.prices(rows_by_sku()[BROWSED_PRODUCT]), buyer, channel)


def expected_counts() -> dict[str, int]:
    """How many of each collection there must be after the import."""
    counts: dict[str, int] = {}
    for stage in sunrise.stages():
        counts[stage["path"]] = counts.get(stage["path"], 0) + len(stage["drafts"])
    return counts


def plan_for_clients() -> Plan:
    return {
        "settings": sunrise.project_settings(),
        "stages": sunrise.stages(),
        "browsing": browsing(),
        "purchases": [purchase.plan() for purchase in PURCHASES],
    }
