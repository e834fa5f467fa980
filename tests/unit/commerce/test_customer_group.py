from __future__ import annotations

from tests.unit.commerce.facts import create, update

from holdfast.commerce.resources.customer_group import CustomerGroup, customer_groups


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
