"""Channels: where goods are sold from and supplied from, and how orders come in and go out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, field
from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Resource
from holdfast.commerce.rules.addresses import address_of
from holdfast.commerce.rules.common_actions import change_key, change_localized_name
from holdfast.commerce.rules.custom_fields import custom_actions, custom_fields, with_custom_field, with_custom_type
from holdfast.commerce.values.address import Address, AddressDraft
from holdfast.commerce.values.custom_fields import CustomFields, CustomFieldsDraft
from holdfast.commerce.values.reference import ResourceIdentifier
from holdfast.commerce.values.value import Key, LocalizedString, Stored, Value, adopt, empty

ChannelRole = Literal["ProductDistribution", "InventorySupply", "OrderExport", "OrderImport", "Primary"]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
Latitude = Annotated[float, Meta(ge=-90, le=90)]


class GeoPoint(Value, tag_field="type", tag="Point"):
    """A GeoJSON point: longitude first."""

    coordinates: tuple[Longitude, Latitude]


class ChannelDraft(Value):
    key: Key
    roles: tuple[ChannelRole, ...] = ("InventorySupply",)
    name: LocalizedString | None = None
    description: LocalizedString | None = None
    address: AddressDraft | None = None
    geo_location: GeoPoint | None = None
    custom: CustomFieldsDraft | None = None


class Channel(Stored):
    key: str
    roles: tuple[ChannelRole, ...] = field(default_factory=empty)
    name: LocalizedString | None = None
    description: LocalizedString | None = None
    address: Address | None = None
    geo_location: GeoPoint | None = None
    custom: CustomFields | None = None


channels = Resource("channel", path="channels", shape=Channel, draft=ChannelDraft, holds=("type",))
channels.action("changeKey")(change_key)
channels.action("changeName")(change_localized_name)
custom_actions(channels, "channel")


@channels.create
def create_channel(draft: ChannelDraft, facts: Facts) -> Channel:
    return adopt(
        Channel,
        draft,
        roles=_roles(draft.roles),
        address=address_of(draft.address, facts) if draft.address else None,
        custom=custom_fields(draft.custom, "channel", facts),
    )


@channels.action("changeDescription")
def change_description(channel: Channel, *, description: LocalizedString) -> Channel:
    return replace(channel, description=description)


def _roles(roles: tuple[ChannelRole, ...]) -> tuple[ChannelRole, ...]:
    if not roles:
        raise InvalidOperation("A channel needs at least one role.")
    return tuple(dict.fromkeys(roles))


@channels.action("setRoles")
def set_roles(channel: Channel, *, roles: tuple[ChannelRole, ...]) -> Channel:
    """Replace all roles; the same ones again are an error, as published."""
    if set(roles) == set(channel.roles):
        raise InvalidOperation(f"Channel {channel.id} has exactly these roles already.")
    return replace(channel, roles=_roles(roles))


@channels.action("addRoles")
def add_roles(channel: Channel, *, roles: tuple[ChannelRole, ...]) -> Channel:
    """Add roles; an error when the channel has them all already."""
    if set(roles) <= set(channel.roles):
        raise InvalidOperation(f"Channel {channel.id} has these roles already.")
    return replace(channel, roles=_roles(channel.roles + roles))


@channels.action("removeRoles")
def remove_roles(channel: Channel, *, roles: tuple[ChannelRole, ...]) -> Channel:
    """Remove roles; an error when the channel has none of them, or would be left without any."""
    if not set(roles) & set(channel.roles):
        raise InvalidOperation(f"Channel {channel.id} has none of these roles.")
    return replace(channel, roles=_roles(tuple(role for role in channel.roles if role not in roles)))


@channels.action("setAddress")
def set_address(channel: Channel, facts: Facts, *, address: AddressDraft | None = None) -> Channel:
    return replace(channel, address=address_of(address, facts) if address else None)


def _address(channel: Channel) -> Address:
    if channel.address is None:
        raise InvalidOperation(f"Channel {channel.id} has no address.")
    return channel.address


@channels.action("setAddressCustomType")
def set_address_custom_type(
    channel: Channel, facts: Facts, *, type: ResourceIdentifier | None = None, fields: dict[str, Any] | None = None
) -> Channel:
    return replace(channel, address=with_custom_type(_address(channel), type, fields, "address", facts))


@channels.action("setAddressCustomField")
def set_address_custom_field(channel: Channel, facts: Facts, *, name: str, value: Any = None) -> Channel:
    return replace(channel, address=with_custom_field(_address(channel), name, value, facts))


@channels.action("setGeoLocation")
def set_geo_location(channel: Channel, *, geo_location: GeoPoint | None = None) -> Channel:
    return replace(channel, geo_location=geo_location)
