"""Zones: the countries and states a shipping rate is offered to."""

from __future__ import annotations

from msgspec import field
from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.registry import Resource
from holdfast.commerce.rules.common_actions import change_name, set_description, set_key
from holdfast.commerce.values.value import Country, Key, Stored, Value, empty


class Location(Value):
    """A country, or one of its states."""

    country: Country
    state: str | None = None


class ZoneDraft(Value):
    key: Key | None = None
    name: str
    description: str | None = None
    locations: tuple[Location, ...] = field(default_factory=empty)


class Zone(Stored):
    key: str | None = None
    name: str
    description: str | None = None
    locations: tuple[Location, ...] = field(default_factory=empty)


zones = Resource("zone", path="zones", shape=Zone, draft=ZoneDraft, scope="zones")
zones.action("changeName")(change_name)
zones.action("setKey")(set_key)
zones.action("setDescription")(set_description)


@zones.action("addLocation")
def add_location(zone: Zone, *, location: Location) -> Zone:
    """Add a country or state; adding one twice is an error."""
    if location in zone.locations:
        raise InvalidOperation(f"Zone {zone.id} already has {location.country}/{location.state}.")
    return replace(zone, locations=(*zone.locations, location))


@zones.action("removeLocation")
def remove_location(zone: Zone, *, location: Location) -> Zone:
    """Remove a country or state; removing an absent one changes nothing."""
    return replace(zone, locations=tuple(kept for kept in zone.locations if kept != location))
