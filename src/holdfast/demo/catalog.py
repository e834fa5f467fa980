"""The demo shop's product types, categories, products and stock, worked out from `goods`: the same every time."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from holdfast.demo.goods import CLOTHES_SIZES, FEATURES, KINDS, MODELS_PER_KIND, PLACES, SHOE_SIZES, Kind
from holdfast.demo.images import COLOURS, SIZE_PIXELS

Draft = dict[str, Any]

GERMAN_COLOURS: Final = {
    "navy": "Marine",
    "moss": "Moos",
    "sand": "Sand",
    "rust": "Rost",
    "charcoal": "Anthrazit",
    "cream": "Creme",
    "sky": "Himmelblau",
    "berry": "Beere",
    "mustard": "Senf",
    "pine": "Kiefer",
}

# Parents stand before their children, so that the levels can be loaded one after the other.
CATEGORY_TREE: Final[tuple[tuple[str, str | None, str, str], ...]] = (
    ("clothing", None, "Clothing", "Kleidung"),
    ("shoes", None, "Shoes", "Schuhe"),
    ("outdoor", None, "Outdoor", "Draußen"),
    ("home", None, "Home", "Zuhause"),
    ("pantry", None, "Pantry", "Vorräte"),
    ("reading", None, "Reading", "Lesen"),
    ("new", None, "New in", "Neu"),
    ("gifts", None, "Gifts", "Geschenke"),
    ("jackets", "clothing", "Jackets", "Jacken"),
    ("knitwear", "clothing", "Knitwear", "Strick"),
    ("shirts", "clothing", "Shirts", "Hemden"),
    ("trousers", "clothing", "Trousers", "Hosen"),
    ("hats", "clothing", "Hats", "Mützen"),
    ("boots", "shoes", "Boots", "Stiefel"),
    ("shoes-low", "shoes", "Low shoes", "Halbschuhe"),
    ("packs", "outdoor", "Packs and bags", "Rucksäcke und Taschen"),
    ("tents", "outdoor", "Tents", "Zelte"),
    ("sleeping", "outdoor", "Sleeping bags", "Schlafsäcke"),
    ("camp-kitchen", "outdoor", "Camp kitchen", "Lagerküche"),
    ("tableware", "home", "Tableware", "Geschirr"),
    ("lighting", "home", "Lighting", "Licht"),
    ("blankets", "home", "Blankets", "Decken"),
    ("coffee", "pantry", "Coffee", "Kaffee"),
    ("tea", "pantry", "Tea", "Tee"),
    ("chocolate", "pantry", "Chocolate", "Schokolade"),
    ("guides", "reading", "Guides", "Reiseführer"),
    ("notebooks", "reading", "Notebooks", "Notizbücher"),
)

PRODUCT_TYPES: Final = (
    ("apparel", "Apparel", CLOTHES_SIZES),
    ("footwear", "Footwear", SHOE_SIZES),
    ("gear", "Gear", ()),
    ("homeware", "Homeware", ()),
    ("food", "Food", ()),
    ("printed", "Printed matter", ()),
)

PLAIN_LETTERS: Final = str.maketrans("üèé. ", "uee--")

SUPPLY_CHANNEL: Final = "warehouse-hamburg"
STORE_CHANNEL: Final = "shop-berlin"
TRADE_GROUP: Final = "trade"


@dataclass(frozen=True)
class Model:
    """One product: a kind, named after a place."""

    kind: Kind
    index: int
    place: str

    @property
    def key(self) -> str:
        return f"{self.kind.key}-{slug(self.place)}"

    def colours(self) -> tuple[str, ...]:
        """Take neighbouring colours from the kind's card, another pair for each model."""
        card = self.kind.colours
        return tuple(card[(self.index + turn) % len(card)] for turn in range(self.kind.colours_each))


@dataclass(frozen=True)
class Variant:
    """One thing that can be put into a cart."""

    model: Model
    colour: str
    size: str | None
    size_index: int

    @property
    def sku(self) -> str:
        parts = (self.model.key, self.colour, *([slug(self.size)] if self.size else []))
        return "-".join(parts).upper()

    @property
    def price_cents(self) -> int:
        """Price in euro cents with German VAT."""
        kind = self.model.kind
        return kind.price_cents + self.model.index * kind.step_cents + self.size_index * kind.size_step_cents


def slug(text: str) -> str:
    """Spell a name with the letters that keys and URLs take."""
    return text.lower().translate(PLAIN_LETTERS)


def models() -> Iterator[Model]:
    """List every product; each kind takes its names from another stretch of the coast."""
    for number, kind in enumerate(KINDS):
        for index in range(MODELS_PER_KIND):
            yield Model(kind, index, PLACES[(number * MODELS_PER_KIND + index) % len(PLACES)])


def variants(model: Model) -> Iterator[Variant]:
    for colour in model.colours():
        if not model.kind.sizes:
            yield Variant(model, colour, None, 0)
        for size_index, size in enumerate(model.kind.sizes):
            yield Variant(model, colour, size, size_index)


def product_types() -> list[Draft]:
    return [
        {
            "key": key,
            "name": name,
            "description": f"{name} of the demo shop",
            "attributes": [colour_attribute(), size_attribute(sizes), *common_attributes()],
        }
        for key, name, sizes in PRODUCT_TYPES
    ]


def colour_attribute() -> Draft:
    values = [{"key": key, "label": {"en": key.title(), "de": GERMAN_COLOURS[key]}} for key in COLOURS]
    return attribute("color", "Colour", "Farbe", {"name": "lenum", "values": values})


def size_attribute(sizes: tuple[str, ...]) -> Draft:
    """Sizes with an order of their own are an enumeration; volumes and weights are text.

    Product types may share the name of an attribute only with its type, so these are two.
    """
    if not sizes:
        return attribute("content", "Content", "Inhalt", {"name": "text"})
    return attribute("size", "Size", "Größe", {"name": "enum", "values": [{"key": s, "label": s} for s in sizes]})


def common_attributes() -> list[Draft]:
    return [
        attribute("material", "Material", "Material", {"name": "ltext"}, constraint="SameForAll"),
        attribute("weightGrams", "Weight (g)", "Gewicht (g)", {"name": "number"}),
    ]


def attribute(name: str, en: str, de: str, kind: Draft, constraint: str = "None") -> Draft:
    return {
        "name": name,
        "label": {"en": en, "de": de},
        "type": kind,
        "isRequired": False,
        "isSearchable": True,
        "attributeConstraint": constraint,
    }


def category_levels() -> list[list[Draft]]:
    """Give the category drafts level by level: a parent has to exist before its children."""
    drafts = [
        category(key, parent, en, de, order) for order, (key, parent, en, de) in enumerate(CATEGORY_TREE, start=1)
    ]
    return [[draft for draft in drafts if "parent" not in draft], [draft for draft in drafts if "parent" in draft]]


def category(key: str, parent: str | None, en: str, de: str, order: int) -> Draft:
    draft: Draft = {
        "key": key,
        "name": {"en": en, "de": de},
        "slug": {"en": key, "de": f"{key}-de"},
        "orderHint": f"0.{order:03d}",
        "description": {"en": f"{en}: chosen by our crew.", "de": f"{de}: von unserer Mannschaft ausgesucht."},
    }
    if parent:
        draft["parent"] = {"typeId": "category", "key": parent}
    return draft


def products(pictures_url: str) -> list[Draft]:
    return [product(model, pictures_url) for model in models()]


def product(model: Model, pictures_url: str) -> Draft:
    kind = model.kind
    noun_en, noun_de = kind.name
    first, *others = [variant(one, pictures_url) for one in variants(model)]
    return {
        "key": model.key,
        "productType": {"typeId": "product-type", "key": kind.product_type},
        "taxCategory": {"typeId": "tax-category", "key": kind.tax},
        "name": {"en": f"{model.place} {noun_en}", "de": f"{noun_de} {model.place}"},
        "slug": {"en": f"{slug(model.place)}-{kind.key}", "de": f"{slug(noun_de)}-{slug(model.place)}"},
        "description": description(model),
        "metaTitle": {"en": f"{model.place} {noun_en} | Demo shop", "de": f"{noun_de} {model.place} | Demo-Shop"},
        "searchKeywords": {"en": [{"text": noun_en}, {"text": model.place}], "de": [{"text": noun_de}]},
        "categories": [{"typeId": "category", "key": key} for key in categories_of(model)],
        "masterVariant": first,
        "variants": others,
        "publish": True,
    }


def description(model: Model) -> dict[str, str]:
    """Put wording, material and one feature together, as a shop's editor would."""
    (text_en, text_de), (material_en, material_de) = model.kind.text, model.kind.material
    feature_en, feature_de = FEATURES[zlib.crc32(model.key.encode()) % len(FEATURES)]
    return {
        "en": f"{text_en} {feature_en} Material: {material_en}.",
        "de": f"{text_de} {feature_de} Material: {material_de}.",
    }


def categories_of(model: Model) -> list[str]:
    """Every kind has one category; its first model is new and its cheap ones make gifts."""
    gift = model.kind.price_cents < 5000 and model.index % 2 == 0
    return [model.kind.category, *(["new"] if model.index == 0 else []), *(["gifts"] if gift else [])]


def variant(one: Variant, pictures_url: str) -> Draft:
    kind = one.model.kind
    material_en, material_de = kind.material
    picture = f"{kind.shape}-{one.colour}-{one.model.key}"
    attributes = [
        {"name": "color", "value": one.colour},
        {"name": "material", "value": {"en": material_en, "de": material_de}},
        {"name": "weightGrams", "value": kind.weight_grams * (10 + one.size_index) // 10},
        *([{"name": size_name(kind), "value": one.size}] if one.size else []),
    ]
    return {
        "sku": one.sku,
        "key": one.sku.lower(),
        "prices": prices(one),
        "attributes": attributes,
        "images": [
            {
                "url": f"{pictures_url}/-/demo/images/{picture}.svg",
                "label": f"{one.model.place} {kind.name[0]}, {one.colour}",
                "dimensions": {"w": SIZE_PIXELS, "h": SIZE_PIXELS},
            }
        ],
    }


def size_name(kind: Kind) -> str:
    return "size" if kind.sizes in {CLOTHES_SIZES, SHOE_SIZES} else "content"


def prices(one: Variant) -> list[Draft]:
    """Price a variant for two countries, the rest of Europe, trade customers and one shop."""
    euro = one.price_cents
    dollar = dollar_cents(euro)
    germany = {"country": "DE"}
    america = {"country": "US"}
    trade = {"customerGroup": {"typeId": "customer-group", "key": TRADE_GROUP}}
    scoped = [
        price("EUR", euro, one, **germany),
        price("USD", dollar, one, **america),
        price("EUR", euro * 105 // 100, one),
        price("EUR", euro * 85 // 100, one, **germany, **trade),
        price("USD", dollar * 85 // 100, one, **america, **trade),
    ]
    if one.model.kind.product_type in {"apparel", "footwear"}:
        channel = {"channel": {"typeId": "channel", "key": STORE_CHANNEL}}
        scoped.append(price("EUR", euro * 95 // 100, one, **germany, **channel))
    return scoped


def dollar_cents(euro_cents: int) -> int:
    """Turn a German price with VAT into an American one without: whole dollars, less five cents."""
    return max(euro_cents * 100 // 119 * 118 // 100 // 100, 1) * 100 + 95


def price(currency: str, cents: int, one: Variant, **scope: Any) -> Draft:
    """Food is cheaper by the half dozen and by the dozen."""
    draft: Draft = {"value": money(currency, cents), **scope}
    if one.model.kind.product_type == "food":
        draft["tiers"] = [
            {"minimumQuantity": 6, "value": money(currency, cents * 95 // 100)},
            {"minimumQuantity": 12, "value": money(currency, cents * 90 // 100)},
        ]
    return draft


def money(currency: str, cents: int) -> Draft:
    return {"type": "centPrecision", "currencyCode": currency, "centAmount": cents, "fractionDigits": 2}


def inventory() -> list[Draft]:
    """Every variant has stock; the first model of each kind is also kept in the warehouse."""
    return [entry for model in models() for one in variants(model) for entry in stock(one, warehouse=model.index == 0)]


def stock(one: Variant, *, warehouse: bool) -> Iterator[Draft]:
    """Between 0 and 199 pieces, by the name; now and then one is sold out."""
    sku = one.sku
    pieces = zlib.crc32(sku.encode()) % 200
    yield {"key": sku.lower(), "sku": sku, "quantityOnStock": pieces}
    if warehouse:
        channel = {"typeId": "channel", "key": SUPPLY_CHANNEL}
        key = f"{sku.lower()}-{SUPPLY_CHANNEL}"
        yield {"key": key, "sku": sku, "quantityOnStock": 10 * pieces, "supplyChannel": channel}
