"""What query predicates mean, document by document."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.commerce.predicates.evaluate import matches
from holdfast.commerce.predicates.parser import parse

SHOP: dict[str, Any] = {
    "id": "550e8400-e29b-41d4-a716-446655440000",
    "version": 3,
    "createdAt": "2026-01-31T10:00:00.000Z",
    "name": {"en": "Straße 1", "de-AT": "Gasse"},
    "open": True,
    "rating": 4.1,
    "closed": None,
    "empty": [],
    "roles": ["InventorySupply", "Primary"],
    "lines": [{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 5}],
    "attributes": [
        {"name": "sizes", "value": [{"key": "s"}, {"key": "m"}]},
        {"name": "nested", "value": [[1, 2], [3]]},
    ],
    "geoLocation": {"type": "Point", "coordinates": [13.3777, 52.5163]},
}

TRUE = (
    'id = "550e8400-e29b-41d4-a716-446655440000"',
    "version >= 3 and version < 3.5",
    "rating = 4.1",
    'createdAt > "2026-01-31T09:59:59.999Z"',
    'name(en = "Straße 1" and de-AT = "Gasse")',
    'name(en matches ignore case "sTRAßE 1")',
    "open = true",
    'roles = "Primary"',
    'roles in ("Primary", "Other")',
    'roles contains any ("Primary", "Other")',
    'roles contains all ("Primary", "InventorySupply")',
    'lines(sku = "B" and quantity > 4)',
    "lines(quantity = 1) and lines(quantity = 5)",
    "lines is not empty and lines is defined",
    'attributes(name = "sizes" and value(key = "m"))',
    'attributes(name = "nested" and value = 3)',
    "geoLocation within circle(13.4050, 52.5200, 2000)",
    # Nothing is there, so nothing is equal, less or more: only `not` is true.
    "nothing is not defined",
    "nothing is empty",
    'nothing != "x"',
    'nothing not in ("x")',
    "not (nothing < 1)",
    "not (nothing(deeper is not defined))",
    # Null is as good as absent.
    "closed is not defined",
    "closed != true",
    # An empty array is there.
    "empty is defined and empty is empty",
    "empty != 1",
)

FALSE = (
    "version = 4",
    'version = "3"',
    "open = 1",
    "rating = 4.10001",
    'name = "Straße 1"',
    'name(en matches ignore case "strasse 1")',
    'name(en matches ignore case "straße")',
    'name(fr != "x" and en = "y")',
    'roles != "Primary"',
    'roles not in ("Primary")',
    'roles contains all ("Primary", "Other")',
    # The same element must meet all inner conditions.
    'lines(sku = "A" and quantity > 4)',
    "not (lines(quantity > 4))",
    "empty is not empty",
    "empty(x is not defined)",
    "nothing is defined",
    "nothing(x is not defined)",
    "nothing = 1 or nothing < 1 or nothing >= 1",
    "geoLocation within circle(13.4050, 52.5200, 1000)",
    "open within circle(13.4050, 52.5200, 1000)",
    "lines is empty",
)


@pytest.mark.parametrize("text", TRUE)
def test_a_document_matches(text: str) -> None:
    assert matches(parse(text), SHOP)


@pytest.mark.parametrize("text", FALSE)
def test_a_document_does_not_match(text: str) -> None:
    assert not matches(parse(text), SHOP)


@pytest.mark.parametrize("coordinates", [[200, 0], [0, 91], [10**400, 0], ["0", 0], [0], 0, None, [[0, 0]]])
def test_what_is_no_point_on_earth_is_in_no_circle(coordinates: object) -> None:
    assert not matches(parse("at within circle(0, 0, 1000000000)"), {"at": {"coordinates": coordinates}})


def test_a_variable_without_value_is_a_mistake_of_ours() -> None:
    with pytest.raises(AssertionError):
        matches(parse("a = :x"), {"a": 1})
