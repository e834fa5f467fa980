"""What to tell when the custom fields of a customer or of one of their addresses change."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.commerce.messages import customer as told
from holdfast.commerce.messages.message import Message
from holdfast.commerce.resources.customer.shape import Customer
from holdfast.commerce.rules.custom_field_messages import Teller, custom_field_messages

_OWN = Teller(
    type_set=lambda custom, old: told.CustomerCustomTypeSet(custom_fields=custom, previous_type_id=old),
    type_removed=lambda old: told.CustomerCustomTypeRemoved(previous_type_id=old),
    field_added=lambda name, value: told.CustomerCustomFieldAdded(name=name, value=value),
    field_changed=lambda name, value, old: told.CustomerCustomFieldChanged(name=name, value=value, previous_value=old),
    field_removed=lambda name: told.CustomerCustomFieldRemoved(name=name),
)


def _of_address(address_id: str) -> Teller:
    return Teller(
        type_set=lambda custom, old: told.CustomerAddressCustomTypeSet(
            custom_fields=custom, previous_type_id=old, address_id=address_id
        ),
        type_removed=lambda old: told.CustomerAddressCustomTypeRemoved(previous_type_id=old, address_id=address_id),
        field_added=lambda name, value: told.CustomerAddressCustomFieldAdded(
            name=name, value=value, address_id=address_id
        ),
        field_changed=lambda name, value, old: told.CustomerAddressCustomFieldChanged(
            name=name, value=value, previous_value=old, address_id=address_id
        ),
        field_removed=lambda name: told.CustomerAddressCustomFieldRemoved(name=name, address_id=address_id),
    )


def custom_messages(before: Customer, after: Customer) -> Iterator[Message]:
    """What an update did to custom fields; those of an address that came or went are in its own message."""
    yield from custom_field_messages(before.custom, after.custom, _OWN)
    known = {address.id: address for address in before.addresses}
    for address in after.addresses:
        old = known.get(address.id)
        if old is not None and old.custom != address.custom:
            yield from custom_field_messages(old.custom, address.custom, _of_address(address.id or ""))
