"""Customer groups: who gets the prices made for them."""

from __future__ import annotations

from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Resource
from holdfast.commerce.rules.common_actions import change_name, set_key
from holdfast.commerce.rules.custom_fields import custom_actions, custom_fields
from holdfast.commerce.values.custom_fields import CustomFields, CustomFieldsDraft
from holdfast.commerce.values.value import Key, Stored, Value


class CustomerGroupDraft(Value):
    key: Key | None = None
    group_name: str
    custom: CustomFieldsDraft | None = None


class CustomerGroup(Stored):
    key: str | None = None
    name: str
    custom: CustomFields | None = None


customer_groups = Resource(
    "customer-group",
    path="customer-groups",
    shape=CustomerGroup,
    draft=CustomerGroupDraft,
    unique=lambda group: [("name", group.name)],
    holds=("type",),
)
customer_groups.action("changeName")(change_name)
customer_groups.action("setKey")(set_key)
custom_actions(customer_groups, "customer-group")


@customer_groups.create
def create_customer_group(draft: CustomerGroupDraft, facts: Facts) -> CustomerGroup:
    return CustomerGroup(
        key=draft.key, name=draft.group_name, custom=custom_fields(draft.custom, "customer-group", facts)
    )
