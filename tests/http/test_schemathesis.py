"""No input gives a 5xx: Schemathesis invents requests from the published OpenAPI description, good and bad ones.

The suite keeps a bounded run. The long one is the same test with more cases, and adds Schemathesis' systematic phase,
which goes through the edges of every schema (some 140,000 requests, a quarter of an hour on two cores):

    make test ARGS="tests/http/test_schemathesis.py -s" HOLDFAST_FUZZ_CASES=20000

`HOLDFAST_FUZZ_SEED` replays a run; the seed is printed.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Shop
from tests.http.api import COLLECTIONS, Api

Json = dict[str, Any]

CASES = int(os.environ.get("HOLDFAST_FUZZ_CASES", "600"))
SEED = int(os.environ.get("HOLDFAST_FUZZ_SEED", "20260501"))
PHASES = "coverage,fuzzing" if CASES > 5_000 else "fuzzing"
ROUND_SECONDS = 1_800
ROUNDS_MAX = 40
DESCRIPTION = Path(__file__).parents[2] / "docs" / "api" / "openapi.json"
PROJECT_KEY = "#/components/parameters/projectKey"
SEEDED_KEY = "fuzz"
VERSIONS = [1, 2, 3]
KNOWN: dict[str, list[Any]] = {
    "version": VERSIONS,
    "key": [SEEDED_KEY],
    "sku": ["FUZZ"],
    "currency": ["EUR"],
    "currencyCode": ["EUR"],
    "country": ["DE"],
}
CHECKS = "not_a_server_error,content_type_conformance,status_code_conformance"


@pytest.fixture(scope="module")
def api(shop: Shop) -> Iterator[Api]:
    with Api(shop.create_project("fuzzed")) as api:
        seed(api)
        yield api


def seed(api: Api) -> None:
    """Put one of everything into the project, so that invented requests get past "not found"."""
    rate = {"name": "19 %", "amount": 0.19, "includedInPrice": True, "country": "DE"}
    euro = {"currencyCode": "EUR", "centAmount": 1000}
    tax = {"typeId": "tax-category", "key": "fuzz"}
    zone_rate = {"zone": {"typeId": "zone", "key": "fuzz"}, "shippingRates": [{"price": euro}]}
    shipping = {"name": "S", "isDefault": True, "taxCategory": tax, "zoneRates": [zone_rate]}
    product = {
        "name": {"en": "P"},
        "slug": {"en": "fuzz"},
        "productType": {"typeId": "product-type", "key": "fuzz"},
        "taxCategory": tax,
        "masterVariant": {"sku": "FUZZ", "prices": [{"value": euro}]},
        "publish": True,
    }
    cart = {"currency": "EUR", "country": "DE", "shippingAddress": {"country": "DE"}, "lineItems": [{"sku": "FUZZ"}]}
    for path, draft in (
        ("zones", {"name": "Z", "locations": [{"country": "DE"}]}),
        ("tax-categories", {"name": "T", "rates": [rate]}),
        ("product-types", {"name": "T", "description": "T", "attributes": []}),
        ("types", {"name": {"en": "T"}, "resourceTypeIds": ["order"], "fieldDefinitions": []}),
        ("categories", {"name": {"en": "C"}, "slug": {"en": "fuzz"}}),
        ("products", product),
        ("channels", {"roles": ["InventorySupply"]}),
        ("stores", {"name": {"en": "S"}}),
        ("customer-groups", {"groupName": "G"}),
        ("states", {"type": "OrderState", "initial": True}),
        ("inventory", {"sku": "FUZZ", "quantityOnStock": 1000}),
        ("shipping-methods", shipping),
        ("customers", {"email": "fuzz@example.com", "password": "secret"}),
        ("carts", cart),
        ("payments", {"amountPlanned": euro}),
    ):
        api.create(f"/{path}", {**draft, "key": SEEDED_KEY})
    ordered = api.create("/carts", cart)
    api.create("/orders", {"cart": {"typeId": "cart", "id": ordered["id"]}, "version": 1, "orderNumber": "fuzz"})


def described(api: Api) -> Json:
    """Aim the description at the project and its resources: most requests should reach the rules behind the shape."""
    document: Json = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    named = {name: [SEEDED_KEY] for name in ("key", "storeKey", "orderNumber")} | {"version": VERSIONS}
    document["paths"] = {
        path.replace("{projectKey}", api.key): aimed_item(item, named | {"id": ids_for(api, path)})
        for path, item in document["paths"].items()
        if path.startswith("/{projectKey}")
    }
    document["components"] = aimed(document["components"], KNOWN)
    return document


@cache
def ids_in(api: Api, collection: str) -> tuple[str, ...]:
    return tuple(one["id"] for one in api.get(f"/{collection}", limit=20)["results"])


def resources_in(api: Api) -> dict[str, int]:
    return {path: api.get(f"/{path}", limit=0)["total"] for path in COLLECTIONS}


def ids_for(api: Api, path: str) -> list[str]:
    """List what the `{id}` of a path could be."""
    collection = path.partition("/{id}")[0].rpartition("/")[2]
    return list(ids_in(api, collection)) if collection in COLLECTIONS else []


def aimed_item(item: Json, named: dict[str, list[Any]]) -> Json:
    """Leave out the project's key, which the path now spells, and prefer names that exist."""
    return {
        name: [aimed_parameter(one, named) for one in part if one.get("$ref") != PROJECT_KEY]
        if name == "parameters"
        else aimed_item(part, named)
        if isinstance(part, dict) and "parameters" in part
        else part
        for name, part in item.items()
    }


def aimed_parameter(parameter: Json, named: dict[str, list[Any]]) -> Json:
    wanted = named.get(parameter.get("name", ""))
    return {**parameter, "schema": preferring(parameter["schema"], wanted)} if wanted else parameter


def aimed(part: Any, named: dict[str, list[Any]]) -> Any:
    """Prefer known values for the properties of these names, wherever a schema has them."""
    if isinstance(part, list):
        return [aimed(one, named) for one in part]
    if not isinstance(part, dict):
        return part
    walked = {name: aimed(inner, named) for name, inner in part.items()}
    if isinstance(properties := walked.get("properties"), dict):
        known = {name: preferring(properties[name], named[name]) for name in named if name in properties}
        walked["properties"] = properties | known
    return walked


def preferring(schema: Json, values: list[Any]) -> Json:
    return {"anyOf": [{"enum": values}, schema]}


def fuzz(api: Api, document: Path, report: Path, seed: int, cases_each: int) -> int:
    """Run one round and give its number of cases; the report names what failed and how to send it again."""
    run = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "schemathesis"), "run", str(document), "--url", api.project["apiUrl"]),
            *("--header", f"Authorization: Bearer {api.token}"),
            *("--checks", CHECKS, "--phases", PHASES, "--continue-on-failure", "--no-shrink"),
            *("--max-examples", str(cases_each), "--seed", str(seed), "--generation-database", "none"),
            *("--workers", "1", "--warnings", "off", "--suppress-health-check", "all", "--no-color"),
            *("--report", "json", "--report-json-path", str(report)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=ROUND_SECONDS,
    )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2_000:]
    return int(json.loads(report.read_text(encoding="utf-8"))["test_cases"]["generated"])


def test_no_invented_request_gets_a_server_error(api: Api, tmp_path: Path) -> None:
    document = tmp_path / "openapi.json"
    description = described(api)
    document.write_text(json.dumps(description), encoding="utf-8")
    operations = sum("responses" in part for item in description["paths"].values() for part in item.values())
    before = resources_in(api)
    done = rounds = 0
    while done < CASES and rounds < ROUNDS_MAX:
        cases_each = min(max((CASES - done) // operations, 1), 50)
        done += fuzz(api, document, tmp_path / f"report-{rounds}.json", SEED + rounds, cases_each)
        rounds += 1
        print(f"{done} cases, {operations} operations, seeds {SEED} to {SEED + rounds - 1}")
    assert done >= CASES
    assert resources_in(api) != before, "no invented request got as far as changing anything"
    assert api.get("/zones", limit=1)["limit"] == 1, "the shop still answers"
