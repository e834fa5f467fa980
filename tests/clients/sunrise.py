"""The Sunrise data as drafts of the commercetools API.

Sunrise is the published sample catalogue of commercetools (Apache-2.0). It is read from `shared/data/sunrise` beside
the checkout, or from where HOLDFAST_SUNRISE says. Its files were made for a tool that looks things up by name, so what
a draft must name is completed here: keys for zones, the `typeId` of the channels' custom type, tax categories and zones
of the shipping methods.
"""

import csv
import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

Draft = dict[str, Any]

BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[3] / "shared" / "data" / "sunrise"
FOLDER = Path(os.environ.get("HOLDFAST_SUNRISE") or BESIDE_THE_CHECKOUT)
LANGUAGES = ("en", "de", "it")
PRICE = re.compile(
    r"(?:(?P<country>[A-Z]{2})-)?(?P<currency>[A-Z]{3}) (?P<cents>\d+)(?: (?P<group>[\w-]+))?(?:#(?P<channel>[\w-]+))?"
)
ZONE_KEYS = {"Europe": "europe", "United States": "united-states"}


def stages() -> list[Draft]:
    """List all drafts, collection by collection, in an order in which everything named exists already."""
    return [
        {"path": path, "drafts": drafts}
        for path, drafts in (
            ("types", [physical_store_type()]),
            ("tax-categories", read_json("tax-category.json")),
            ("zones", [zone | {"key": ZONE_KEYS[zone["name"]]} for zone in read_json("zones.json")]),
            ("customer-groups", read_json("customer-groups.json")),
            ("channels", channels()),
            ("stores", read_json("stores.json")),
            ("shipping-methods", shipping_methods()),
            ("customers", customers()),
            ("product-types", read_json("product-type.json")),
            *(("categories", level) for level in category_levels()),
            ("products", products()),
            ("inventory", inventory()),
        )
    ]


def read_json(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@cache
def read_csv(name: str) -> tuple[dict[str, str], ...]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as lines:
        return tuple(csv.DictReader(lines))


def project_settings() -> Draft:
    """Spell languages as the API does; Italian names stand in the data although the project file forgets it."""
    project = read_json("project.json")
    return {
        "currencies": project["currencies"],
        "countries": [*project["countries"], "IT", "GB"],
        "languages": list(LANGUAGES),
    }


def physical_store_type() -> Draft:
    fields = (("openingTimes", "LocalizedString"), ("imageUrl", "String"))
    return {
        "key": "physicalStore",
        "name": {"en": "Physical store"},
        "resourceTypeIds": ["channel"],
        "fieldDefinitions": [
            {"name": name, "label": {"en": name}, "required": False, "type": {"name": kind}} for name, kind in fields
        ],
    }


def channels() -> list[Draft]:
    drafts: list[Draft] = read_json("channels.json")
    for draft in drafts:
        draft["custom"]["type"]["typeId"] = "type"
    return drafts


def shipping_methods() -> list[Draft]:
    drafts: list[Draft] = read_json("shipping-methods.json")
    for draft in drafts:
        draft["taxCategory"] = {"typeId": "tax-category", "key": "standard"}
        for zone_rate in draft["zoneRates"]:
            zone_rate["zone"] = {"typeId": "zone", "key": ZONE_KEYS[zone_rate["zone"]["id"]]}
    return drafts


def customers() -> list[Draft]:
    return [customer(record) for record in read_json("customers.json")]


def customer(record: Draft) -> Draft:
    """Turn a stored customer into a draft, which names its addresses by position and cannot choose their ids."""
    positions = {address["id"]: number for number, address in enumerate(record["addresses"])}
    draft = {key: value for key, value in record.items() if key != "lastMessageSequenceNumber"}
    draft["addresses"] = [{"key": address["id"], **without(address, "id")} for address in record["addresses"]]
    for kind in ("shipping", "billing"):
        draft[f"{kind}Addresses"] = [positions[address_id] for address_id in draft.pop(f"{kind}AddressIds")]
    return draft


def without(record: Draft, *names: str) -> Draft:
    return {key: value for key, value in record.items() if key not in names}


def category_levels() -> list[list[Draft]]:
    levels: list[list[Draft]] = []
    depths: dict[str, int] = {}
    for row in read_csv("categories.csv"):
        depth = depths[row["externalId"]] = depths[row["parentId"]] + 1 if row["parentId"] else 0
        if depth == len(levels):
            levels.append([])
        levels[depth].append(category(row))
    return levels


def category(row: dict[str, str]) -> Draft:
    draft: Draft = {
        "key": row["key"],
        "externalId": row["externalId"],
        "name": localized(row, "name"),
        "slug": localized(row, "slug"),
    }
    if row["parentId"]:
        draft["parent"] = {"typeId": "category", "key": f"c{row['parentId']}"}
    return draft


def localized(row: dict[str, str], name: str) -> dict[str, str]:
    return {language: row[f"{name}.{language}"] for language in LANGUAGES if row.get(f"{name}.{language}")}


@cache
def category_key(path: str) -> str:
    """Find a category by its English path; one product sits in a category that the file lacks, so above it."""
    rows = read_csv("categories.csv")
    found: dict[str, str] | None = None
    for name in path.split(">"):
        parent = found["externalId"] if found else ""
        child = next((row for row in rows if row["parentId"] == parent and row["name.en"] == name), None)
        if child is None:
            break
        found = child
    assert found is not None, f"no category at all for {path}"
    return found["key"]


def product_rows() -> list[list[dict[str, str]]]:
    """Group the lines of both product files: a line with a product type opens a product, others are its variants."""
    groups: list[list[dict[str, str]]] = []
    for row in (*read_csv("products.csv"), *read_csv("products-ci.csv")):
        if row["productType"]:
            groups.append([])
        groups[-1].append(row)
    return groups


def products() -> list[Draft]:
    types = {attribute["name"]: attribute["type"] for attribute in read_json("product-type.json")[0]["attributes"]}
    return [product(rows, types) for rows in product_rows()]


def product(rows: list[dict[str, str]], types: dict[str, Draft]) -> Draft:
    master = rows[0]
    draft: Draft = {
        "key": product_key(master["sku"]),
        "productType": {"typeId": "product-type", "key": master["productType"]},
        "taxCategory": {"typeId": "tax-category", "key": master["tax"]},
        "categories": [
            {"typeId": "category", "key": key}
            for key in dict.fromkeys(category_key(path) for path in master["categories"].split(";"))
        ],
        "masterVariant": variant(master, types),
        "variants": [variant(row, types) for row in rows[1:]],
        "publish": True,
    }
    for name in ("name", "slug", "description", "metaTitle", "metaDescription", "metaKeywords"):
        if texts := localized(master, name):
            draft[name] = texts
    return draft


def product_key(master_sku: str) -> str:
    return f"product-{master_sku}"


def variant(row: dict[str, str], types: dict[str, Draft]) -> Draft:
    return {
        "sku": row["sku"],
        "key": f"variant-{row['sku']}",
        "prices": [price_draft(price) for price in prices(row)],
        "attributes": [
            {"name": name, "value": value}
            for name, kind in types.items()
            if (value := attribute_value(row, name, kind)) not in (None, {})
        ],
        "images": [{"url": url, "dimensions": {"w": 0, "h": 0}} for url in row["images"].split(";")],
    }


def attribute_value(row: dict[str, str], name: str, kind: Draft) -> Any:
    """Read a cell by its attribute's type; enumerations are written by key, empty cells are no attribute."""
    if kind["name"] == "ltext":
        return localized(row, name)
    cell = row.get(name, "")
    if not cell or kind["name"] == "set":
        assert not cell, f"sets are empty in this data, but not {name} of {row['sku']}"
        return None
    return cell == "TRUE" if kind["name"] == "boolean" else cell


def prices(row: dict[str, str]) -> list[dict[str, Any]]:
    """Parse prices such as `DE-EUR 15000#sunrise-store-berlin` or `EUR 12295 b2b` (a customer group)."""
    found = []
    for text in row["prices"].split(";"):
        match = PRICE.fullmatch(text)
        assert match, f"price not understood: {text}"
        found.append({**match.groupdict(), "cents": int(match["cents"])})
    return found


def price_draft(price: dict[str, Any]) -> Draft:
    draft: Draft = {"value": {"currencyCode": price["currency"], "centAmount": price["cents"]}}
    if price["country"]:
        draft["country"] = price["country"]
    if price["group"]:
        draft["customerGroup"] = {"typeId": "customer-group", "key": price["group"]}
    if price["channel"]:
        draft["channel"] = {"typeId": "channel", "key": price["channel"]}
    return draft


def inventory() -> list[Draft]:
    names = ("inventory.csv", "inventory-stores.csv", "inventory-stores-us.csv")
    return [inventory_entry(row) for name in names for row in read_csv(name)]


def inventory_entry(row: dict[str, str]) -> Draft:
    sku, channel = row["sku"], row["supplyChannel"]
    draft: Draft = {"key": inventory_key(sku, channel), "sku": sku, "quantityOnStock": int(row["quantityOnStock"])}
    if channel:
        draft["supplyChannel"] = {"typeId": "channel", "key": channel}
    return draft


def inventory_key(sku: str, channel: str | None) -> str:
    return f"{sku}-{channel}" if channel else sku
