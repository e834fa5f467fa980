"""No input gives a 5xx: Schemathesis invents requests from the published OpenAPI description, good and bad ones.

The suite keeps a bounded run. The long one is the same test with more cases:

    make test ARGS="tests/http/test_schemathesis.py -s" HOLDFAST_FUZZ_CASES=20000

`HOLDFAST_FUZZ_SEED` replays a run; the seed is printed.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Shop
from tests.http.api import COLLECTIONS, Api

Json = dict[str, Any]

CASES = int(os.environ.get("HOLDFAST_FUZZ_CASES", "2000"))
SEED = int(os.environ.get("HOLDFAST_FUZZ_SEED", "20260501"))
ROUND_SECONDS = 600
ROUNDS_MAX = 40
DESCRIPTION = Path(__file__).parents[2] / "docs" / "api" / "openapi.json"
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
        api.create(f"/{path}", {**draft, "key": "fuzz"})
    ordered = api.create("/carts", cart)
    api.create("/orders", {"cart": {"typeId": "cart", "id": ordered["id"]}, "version": 1, "orderNumber": "fuzz"})


def described(api: Api) -> Json:
    """Aim the description at the project and its resources: most requests should reach the rules behind the shape."""
    document: Json = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    ids = {path: [one["id"] for one in api.get(f"/{path}", limit=20)["results"]] for path in COLLECTIONS}
    document["paths"] = {
        path.replace("{projectKey}", api.key): aimed(item, ids.get(collection_of(path), []))
        for path, item in document["paths"].items()
        if path.startswith("/{projectKey}")
    }
    return document


def collection_of(path: str) -> str:
    """Name the collection that an `{id}` in a path belongs to."""
    head, found, _ = path.partition("/{id}")
    return head.rpartition("/")[2] if found else ""


def aimed(item: Json, ids: list[str]) -> Json:
    """Leave out the project's key, which the path now spells, and prefer ids that exist."""
    return {
        name: [aimed_parameter(one, ids) for one in part if one.get("$ref") != PROJECT_KEY]
        if name == "parameters"
        else {**part, "parameters": aimed({"parameters": part["parameters"]}, ids)["parameters"]}
        if isinstance(part, dict) and "parameters" in part
        else part
        for name, part in item.items()
    }


PROJECT_KEY = "#/components/parameters/projectKey"


def aimed_parameter(parameter: Json, ids: list[str]) -> Json:
    if parameter.get("name") != "id" or not ids:
        return parameter
    return {**parameter, "schema": {"anyOf": [{"enum": ids}, parameter["schema"]]}}


def fuzz(api: Api, document: Path, report: Path, seed: int, cases_each: int) -> int:
    """Run one round and give its number of cases; the report names what failed and how to send it again."""
    run = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "schemathesis"), "run", str(document), "--url", api.project["apiUrl"]),
            *("--header", f"Authorization: Bearer {api.token}"),
            *("--checks", CHECKS, "--phases", "coverage,fuzzing", "--continue-on-failure", "--no-shrink"),
            *("--max-examples", str(cases_each), "--seed", str(seed), "--generation-database", "none"),
            *("--workers", "2", "--warnings", "off", "--suppress-health-check", "all", "--no-color"),
            *("--report", "json", "--report-json-path", str(report)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=ROUND_SECONDS,
    )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2_000:]
    return cases_of(json.loads(report.read_text(encoding="utf-8")))


def cases_of(report: Json) -> int:
    return int(report["summary"]["test_cases"]["total"])


def test_no_invented_request_gets_a_server_error(api: Api, tmp_path: Path) -> None:
    document = tmp_path / "openapi.json"
    description = described(api)
    document.write_text(json.dumps(description), encoding="utf-8")
    operations = sum(len(item) for item in description["paths"].values())
    done = rounds = 0
    while done < CASES and rounds < ROUNDS_MAX:
        cases_each = min(max((CASES - done) // operations, 1), 50)
        done += fuzz(api, document, tmp_path / f"report-{rounds}.json", SEED + rounds, cases_each)
        rounds += 1
        print(f"{done} cases, {operations} operations, seeds {SEED} to {SEED + rounds - 1}")
    assert done >= CASES
    assert api.get("/zones", limit=1)["limit"] == 1, "the shop still answers"
