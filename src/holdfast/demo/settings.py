"""What the demo shop sells by: taxes, zones, shipping, channels, stores, groups, types, order states, customers."""

from __future__ import annotations

from typing import Final

from holdfast.demo.catalog import STORE_CHANNEL, SUPPLY_CHANNEL, TRADE_GROUP, Draft, money

CURRENCIES: Final = ("EUR", "USD")
COUNTRIES: Final = ("DE", "US", "AT")
LANGUAGES: Final = ("en", "de")

# Sales tax of the state alone, without county and city, in 2026; states without one are taxed at nothing.
AMERICAN_TAXES: Final = (("CA", 0.0725), ("NY", 0.04), ("TX", 0.0625), ("WA", 0.065), ("OR", 0), ("MA", 0.0625))

# Demo accounts, not secrets: docs show how to sign in with one.
CUSTOMER_PASSWORD: Final = "demo-password"  # noqa: S105 - printed for everyone who tries the demo shop

PEOPLE: Final = (
    ("Anna", "Petersen", "Hafenstraße", "12", "20359", "Hamburg", "DE", None),
    ("Jonas", "Brandt", "Torstraße", "88", "10119", "Berlin", "DE", None),
    ("Miriam", "Vogel", "Leopoldstraße", "21", "80802", "München", "DE", None),
    ("Emre", "Yılmaz", "Venloer Straße", "240", "50823", "Köln", "DE", None),
    ("Sofia", "Huber", "Neubaugasse", "5", "1070", "Wien", "AT", None),
    ("Grace", "Miller", "Valencia Street", "766", "94110", "San Francisco", "US", "CA"),
    ("Marcus", "Johnson", "Bedford Avenue", "318", "11249", "Brooklyn", "US", "NY"),
    ("Elena", "Garcia", "Congress Avenue", "1100", "78701", "Austin", "US", "TX"),
    ("Owen", "Clark", "Burnside Street", "1005", "97209", "Portland", "US", "OR"),
    ("Lena", "Krämer", "Lange Straße", "3", "28195", "Bremen", "DE", None),
)


def tax_categories() -> list[Draft]:
    return [
        {
            "key": "standard",
            "name": "Standard",
            "description": "Full rate",
            "rates": [included("DE", "19 % MwSt.", 0.19), included("AT", "20 % USt.", 0.2), *american_rates()],
        },
        {
            "key": "reduced",
            "name": "Reduced",
            "description": "Food and books",
            "rates": [included("DE", "7 % MwSt.", 0.07), included("AT", "10 % USt.", 0.1), no_tax()],
        },
    ]


def included(country: str, name: str, amount: float) -> Draft:
    return {"name": name, "amount": amount, "includedInPrice": True, "country": country}


def american_rates() -> list[Draft]:
    states = [
        {"name": f"{state} sales tax", "amount": amount, "includedInPrice": False, "country": "US", "state": state}
        for state, amount in AMERICAN_TAXES
    ]
    return [*states, no_tax()]


def no_tax() -> Draft:
    return {"name": "No sales tax", "amount": 0, "includedInPrice": False, "country": "US"}


def zones() -> list[Draft]:
    return [
        {"key": "germany", "name": "Germany", "locations": [{"country": "DE"}]},
        {"key": "europe", "name": "Europe", "locations": [{"country": "AT"}]},
        {"key": "united-states", "name": "United States", "locations": [{"country": "US"}]},
    ]


def shipping_methods() -> list[Draft]:
    """Offer a default with free shipping, a fast one, and one whose price falls as the cart grows."""
    return [
        shipping_method("standard", ("Standard", "Standard"), default=True)
        | {
            "zoneRates": [
                zone_rate("germany", rate("EUR", 490, free_above=6000)),
                zone_rate("europe", rate("EUR", 990, free_above=12000)),
                zone_rate("united-states", rate("USD", 690, free_above=8000)),
            ]
        },
        shipping_method("express", ("Express", "Express"))
        | {"zoneRates": [zone_rate("germany", rate("EUR", 1290)), zone_rate("united-states", rate("USD", 1990))]},
        shipping_method("bulky", ("Bulky goods", "Sperrgut"))
        | {
            "zoneRates": [
                zone_rate("germany", rate("EUR", 3990, tiers=((20000, 2490), (50000, 990)))),
                zone_rate("united-states", rate("USD", 4990, tiers=((25000, 2990),))),
            ]
        },
    ]


def shipping_method(key: str, name: tuple[str, str], *, default: bool = False) -> Draft:
    english, german = name
    return {
        "key": key,
        "name": english,
        "localizedName": {"en": english, "de": german},
        "taxCategory": {"typeId": "tax-category", "key": "standard"},
        "isDefault": default,
    }


def zone_rate(zone: str, *rates: Draft) -> Draft:
    return {"zone": {"typeId": "zone", "key": zone}, "shippingRates": list(rates)}


def rate(currency: str, cents: int, free_above: int | None = None, tiers: tuple[tuple[int, int], ...] = ()) -> Draft:
    draft: Draft = {"price": money(currency, cents)}
    if free_above is not None:
        draft["freeAbove"] = money(currency, free_above)
    draft["tiers"] = [
        {"type": "CartValue", "minimumCentAmount": minimum, "price": money(currency, price)} for minimum, price in tiers
    ]
    return draft


def channels() -> list[Draft]:
    return [
        channel(
            STORE_CHANNEL, ("Shop Berlin", "Laden Berlin"), ("Torstraße", "1", "10119", "Berlin", "DE"), (13.40, 52.53)
        ),
        channel(
            "shop-portland",
            ("Shop Portland", "Laden Portland"),
            ("NW 23rd Avenue", "40", "97210", "Portland", "US"),
            (-122.70, 45.52),
        ),
        channel(
            SUPPLY_CHANNEL,
            ("Warehouse Hamburg", "Lager Hamburg"),
            ("Am Sandtorkai", "30", "20457", "Hamburg", "DE"),
            (9.99, 53.54),
        ),
    ]


def channel(key: str, name: tuple[str, str], address: tuple[str, ...], position: tuple[float, float]) -> Draft:
    fields = ("streetName", "streetNumber", "postalCode", "city", "country")
    shop = key.startswith("shop-")
    draft: Draft = {
        "key": key,
        "roles": ["InventorySupply", "ProductDistribution"] if shop else ["InventorySupply"],
        "name": dict(zip(LANGUAGES, name, strict=True)),
        "address": dict(zip(fields, address, strict=True)),
        "geoLocation": {"type": "Point", "coordinates": list(position)},
    }
    if shop:
        hours = {"en": "Mon-Sat 10:00-19:00", "de": "Mo-Sa 10-19 Uhr"}
        draft["custom"] = {"type": {"typeId": "type", "key": "shop-details"}, "fields": {"openingHours": hours}}
    return draft


def stores() -> list[Draft]:
    return [
        store("de", ("Germany", "Deutschland"), ["de", "en"], ["DE", "AT"])
        | {"distributionChannels": [channel_key(STORE_CHANNEL)], "supplyChannels": [channel_key(SUPPLY_CHANNEL)]},
        store("us", ("United States", "USA"), ["en"], ["US"])
        | {"distributionChannels": [channel_key("shop-portland")], "supplyChannels": [channel_key("shop-portland")]},
    ]


def store(key: str, name: tuple[str, str], languages: list[str], countries: list[str]) -> Draft:
    return {
        "key": key,
        "name": dict(zip(LANGUAGES, name, strict=True)),
        "languages": languages,
        "countries": [{"code": code} for code in countries],
    }


def channel_key(key: str) -> Draft:
    return {"typeId": "channel", "key": key}


def customer_groups() -> list[Draft]:
    return [
        {"key": TRADE_GROUP, "groupName": "Trade customers"},
        {"key": "friends", "groupName": "Friends of the shop"},
    ]


def types() -> list[Draft]:
    return [
        {
            "key": "shop-details",
            "name": {"en": "Shop details", "de": "Angaben zum Laden"},
            "resourceTypeIds": ["channel"],
            "fieldDefinitions": [field("openingHours", "Opening hours", "Öffnungszeiten", "LocalizedString")],
        },
        {
            "key": "gift-options",
            "name": {"en": "Gift options", "de": "Geschenkoptionen"},
            "resourceTypeIds": ["order"],
            "fieldDefinitions": [
                field("giftWrap", "Gift wrap", "Geschenkverpackung", "Boolean"),
                field("giftMessage", "Message", "Grußtext", "String"),
            ],
        },
        {
            "key": "engraving",
            "name": {"en": "Engraving", "de": "Gravur"},
            "resourceTypeIds": ["line-item"],
            "fieldDefinitions": [field("engraving", "Text to engrave", "Gravurtext", "String")],
        },
    ]


def field(name: str, english: str, german: str, kind: str) -> Draft:
    return {"name": name, "label": {"en": english, "de": german}, "required": False, "type": {"name": kind}}


def order_states() -> list[list[Draft]]:
    """Give the machine from its end to its start: a state names the states it leads to."""
    return [
        [
            state("order-delivered", "Delivered", "Zugestellt", []),
            state("order-cancelled", "Cancelled", "Storniert", []),
        ],
        [state("order-shipped", "Shipped", "Versandt", ["order-delivered"])],
        [state("order-picking", "Being picked", "In Bearbeitung", ["order-shipped", "order-cancelled"])],
        [state("order-received", "Received", "Eingegangen", ["order-picking", "order-cancelled"], initial=True)],
    ]


def state(key: str, english: str, german: str, leads_to: list[str], *, initial: bool = False) -> Draft:
    return {
        "key": key,
        "type": "OrderState",
        "initial": initial,
        "name": {"en": english, "de": german},
        "transitions": [{"typeId": "state", "key": target} for target in leads_to],
    }


def customers() -> list[Draft]:
    return [customer(number, person) for number, person in enumerate(PEOPLE, start=1)]


def customer(number: int, person: tuple[str | None, ...]) -> Draft:
    """Customer accounts; the first of each country buys at trade prices."""
    fields = ("firstName", "lastName", "streetName", "streetNumber", "postalCode", "city", "country", "state")
    address = {name: value for name, value in zip(fields, person, strict=True) if value}
    email = f"{address['firstName']}@example.com".lower()
    draft: Draft = {
        "key": f"customer-{number:02d}",
        "customerNumber": f"C{number:04d}",
        "email": email,
        "password": CUSTOMER_PASSWORD,
        "firstName": address["firstName"],
        "lastName": address["lastName"],
        "addresses": [{"key": "home", **address, "email": email}],
        "defaultShippingAddress": 0,
        "defaultBillingAddress": 0,
        "isEmailVerified": True,
    }
    if address["firstName"] in {"Anna", "Grace"}:
        draft["customerGroup"] = {"typeId": "customer-group", "key": TRADE_GROUP}
    return draft
