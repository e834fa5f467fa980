from __future__ import annotations

import msgspec
from tests.unit.commerce.facts import create, facts_with, update

from holdfast.commerce.messages import customer_group as told
from holdfast.commerce.resources.customer_group import CustomerGroup, customer_groups
from holdfast.commerce.resources.type import Type, types


def test_the_drafts_group_name_becomes_the_name() -> None:
    group = create(customer_groups, {"groupName": "B2B", "key": "b2b"}).resource
    assert (group.name, group.key) == ("B2B", "b2b")


def test_names_are_unique_like_keys() -> None:
    assert customer_groups.unique_values(CustomerGroup(name="B2B", key="b2b")) == (("key", "b2b"), ("name", "B2B"))


def test_name_and_key_can_change() -> None:
    group = update(
        customer_groups,
        CustomerGroup(id="g", name="B2B", key="b2b"),
        {"action": "changeName", "name": "Trade"},
        {"action": "setKey"},
    ).resource
    assert (group.name, group.key) == ("Trade", None)


def test_all_4_published_actions_are_registered() -> None:
    assert set(customer_groups.actions) == {"changeName", "setKey", "setCustomType", "setCustomField"}


def test_custom_fields_that_changed_are_told() -> None:
    discount = {"name": "discount", "label": {"en": "Discount"}, "required": False, "type": {"name": "Number"}}
    type_ = {"id": "t", "key": "t1", "name": {"en": "T"}, "resourceTypeIds": ["customer-group"]}
    facts = facts_with((types, msgspec.convert(type_ | {"fieldDefinitions": [discount]}, Type)))
    typed = update(
        customer_groups,
        CustomerGroup(id="g", name="B2B"),
        {"action": "setCustomType", "type": {"typeId": "type", "key": "t1"}},
        facts=facts,
    )
    assert typed.resource.custom is not None
    assert typed.messages == (told.CustomerGroupCustomTypeSet(custom_fields=typed.resource.custom),)
    changed = update(
        customer_groups, typed.resource, {"action": "setCustomField", "name": "discount", "value": 5}, facts=facts
    )
    assert changed.messages == (told.CustomerGroupCustomFieldAdded(name="discount", value=5),)
