"""What a request names is found wherever it stands."""

from __future__ import annotations

from holdfast.commerce.catalogue import load_resources
from holdfast.commerce.facts import ByField, ById
from holdfast.handlers.references import referenced

load_resources()


def test_references_are_found_at_every_depth_once() -> None:
    body = b"""{"a": {"typeId": "zone", "id": "1"}, "b": [{"typeId": "zone", "id": "1"}],
                "c": {"d": [{"typeId": "channel", "key": "berlin"}]}}"""
    assert referenced(body) == [ById("zone", "1"), ByField("channel", "key", "berlin")]


def test_what_names_nothing_is_passed_over() -> None:
    assert referenced(b'[{"typeId": 1}, {"typeId": "nobody", "id": "1"}, {"typeId": "zone"}]') == []


def test_a_few_references_are_left_to_the_decision() -> None:
    assert referenced(b'{"typeId": "zone", "id": "1"}') == []
