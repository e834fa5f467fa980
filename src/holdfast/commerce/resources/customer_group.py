"""Customer groups: who gets the prices made for them."""

from __future__ import annotations

from holdfast.commerce.facts import Facts
from holdfast.commerce.messages import customer_group as told
from holdfast.commerce.registry import Changed, Resource
from holdfast.commerce.rules.common_actions import change_name, set_key
from holdfast.commerce.rules.custom_field_messages import Teller, custom_field_messages
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


_CUSTOM = Teller(
    type_set=lambda custom, old: told.CustomerGroupCustomTypeSet(custom_fields=custom, old_type_id=old),
    type_removed=lambda old: told.CustomerGroupCustomTypeRemoved(old_type_id=old),
    field_added=lambda name, value: told.CustomerGroupCustomFieldAdded(name=name, value=value),
    field_changed=lambda name, value, old: told.CustomerGroupCustomFieldChanged(name=name, value=value, old_value=old),
    field_removed=lambda name: told.CustomerGroupCustomFieldRemoved(name=name),
)


@customer_groups.settle
def settle_customer_group(before: CustomerGroup | None, after: CustomerGroup, facts: Facts) -> Changed[CustomerGroup]:
    """Tell what an update did to the custom fields."""
    return Changed(after, tuple(custom_field_messages(before.custom, after.custom, _CUSTOM)) if before else ())
