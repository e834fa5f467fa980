import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.http.api import COLLECTIONS
from tests.http.published_actions import MINE, PUBLISHED, page

from holdfast.commerce.catalogue import load_resources
from holdfast.commerce.registry import REGISTRY
from holdfast.handlers.catalogue import load_handlers
from holdfast.handlers.endpoints import ENDPOINTS
from holdfast.http.openapi import encode

API = Path(__file__).parents[2] / "docs" / "api"
METHODS = {"get", "head", "post", "delete"}
Json = Any


@pytest.fixture(scope="module")
def description() -> Json:
    load_resources()
    load_handlers()
    return json.loads(encode())


def operations(description: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in description["paths"].items():
        for method in METHODS & item.keys():
            yield path, method, item[method]


def nodes(node: Json) -> Iterator[dict[str, Json]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


def resolved(description: Json, reference: str) -> Json:
    found = description
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_the_checked_in_description_is_the_one_the_registers_give(description: Json) -> None:
    assert (API / "openapi.json").read_bytes() == encode(), "stale: run `holdfast openapi`"


def test_the_coverage_page_is_up_to_date() -> None:
    told = (API / "coverage.md").read_text(encoding="utf-8")
    assert told == page(), "stale: run `python -m tests.http.published_actions > docs/api/coverage.md`"


@pytest.mark.parametrize("kind", PUBLISHED)
def test_every_published_action_is_registered(kind: str) -> None:
    load_resources()
    assert PUBLISHED[kind] <= REGISTRY[kind].actions.keys()


@pytest.mark.parametrize("kind", MINE)
def test_shoppers_may_do_exactly_what_is_published(kind: str) -> None:
    load_resources()
    assert set(REGISTRY[kind].my_actions) == MINE[kind]


def test_every_reference_leads_somewhere(description: Json) -> None:
    for node in nodes(description):
        if isinstance(node.get("$ref"), str):
            assert resolved(description, node["$ref"]) is not None


def test_every_discriminator_leads_to_the_action_it_names(description: Json) -> None:
    seen = 0
    for name, schema in description["components"]["schemas"].items():
        if re.fullmatch(r"\w+Update", name):
            for action, reference in _mapping(schema).items():
                payload = resolved(description, reference)
                assert payload["properties"]["action"] == {"enum": [action]}, f"{name}.{action}"
                seen += 1
    assert seen >= sum(len(resource.actions) for resource in REGISTRY.values())


def _mapping(schema: Json) -> dict[str, str]:
    items = schema["properties"]["actions"]["items"]
    if "$ref" in items:
        name = items["$ref"].rpartition("/")[2]
        return {name: items["$ref"]}
    mapping: dict[str, str] = items["discriminator"]["mapping"]
    return mapping


def test_every_operation_has_a_name_of_its_own(description: Json) -> None:
    names = [operation["operationId"] for _, _, operation in operations(description)]
    assert len(names) == len(set(names))


def test_every_segment_in_braces_is_a_described_parameter(description: Json) -> None:
    for path, item in description["paths"].items():
        told = {
            resolved(description, part["$ref"])["name"] if "$ref" in part else part["name"]
            for part in item["parameters"]
        }
        assert set(re.findall(r"\{(\w+)\}", path)) == told, path


def test_every_registered_endpoint_is_described(description: Json) -> None:
    described = {(method.upper(), re.sub(r"\{\w+\}", "*", path)) for path, method, _ in operations(description)}
    for method, collection, pattern in ENDPOINTS:
        below = "/".join(part for part in (collection.strip("/"), pattern) if part)
        assert (method, f"/*/{below}".rstrip("/")) in described


def test_what_a_request_could_have_changed_is_read_by_the_tests_that_say_it_did_not() -> None:
    load_resources()
    assert set(COLLECTIONS) == {resource.path for resource in REGISTRY.values() if resource.path}


def test_no_pattern_is_written_in_python_only(description: Json) -> None:
    patterns = [node["pattern"] for node in nodes(description) if isinstance(node.get("pattern"), str)]
    assert patterns
    assert not [pattern for pattern in patterns if r"\Z" in pattern or "(?P" in pattern]


def test_what_an_action_does_is_told_by_its_docstring(description: Json) -> None:
    told = description["components"]["schemas"]["ZoneAddLocationAction"]["description"]
    assert told == "Add a country or state; adding one twice is an error."


SHUFFLED = """
import importlib, pkgutil, random, sys
import holdfast.commerce.resources as resources, holdfast.handlers as handlers
rooms = (resources, handlers)
names = [one.name for room in rooms for one in pkgutil.walk_packages(room.__path__, room.__name__ + ".")]
random.Random(7).shuffle(names)
for name in names:
    importlib.import_module(name)
from holdfast.http.openapi import encode
sys.stdout.buffer.write(encode())
"""


def test_the_order_of_imports_is_not_part_of_the_description() -> None:
    done = subprocess.run([sys.executable, "-c", SHUFFLED], capture_output=True, check=True, timeout=60)
    assert done.stdout == (API / "openapi.json").read_bytes()
