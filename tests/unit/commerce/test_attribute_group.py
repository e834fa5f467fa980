from __future__ import annotations

import pytest
from tests.unit.commerce.facts import create, update

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.resources.attribute_group import AttributeGroup, AttributeReference, attribute_groups

SIZE, COLOUR = AttributeReference(key="size"), AttributeReference(key="colour")
GROUP = AttributeGroup(id="g", name={"en": "Fit"}, attributes=(SIZE,))


def test_a_group_is_made_of_its_draft() -> None:
    draft = {"key": "fit", "name": {"en": "Fit"}, "attributes": [{"key": "size"}, {"key": "colour"}]}
    group = create(attribute_groups, draft).resource
    assert (group.key, group.name, group.attributes) == ("fit", {"en": "Fit"}, (SIZE, COLOUR))


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"action": "changeName", "name": {"en": "Look"}}, {"name": {"en": "Look"}}),
        ({"action": "setKey", "key": "look"}, {"key": "look"}),
        ({"action": "setDescription", "description": {"en": "d"}}, {"description": {"en": "d"}}),
        ({"action": "addAttribute", "attribute": {"key": "colour"}}, {"attributes": (SIZE, COLOUR)}),
        ({"action": "removeAttribute", "attribute": {"key": "size"}}, {"attributes": ()}),
        ({"action": "setAttributes", "attributes": [{"key": "colour"}]}, {"attributes": (COLOUR,)}),
    ],
)
def test_every_published_action_does_what_it_says(action: dict[str, object], expected: dict[str, object]) -> None:
    changed = update(attribute_groups, GROUP, action).resource
    assert {name: getattr(changed, name) for name in expected} == expected
    assert changed.version == GROUP.version + 1


@pytest.mark.parametrize(
    "action",
    [
        {"action": "addAttribute", "attribute": {"key": "size"}},
        {"action": "setAttributes", "attributes": [{"key": "size"}, {"key": "size"}]},
        {"action": "removeAttribute", "attribute": {"key": "colour"}},
    ],
)
def test_an_attribute_is_in_a_group_once_or_not(action: dict[str, object]) -> None:
    with pytest.raises(InvalidOperation):
        update(attribute_groups, GROUP, action)
