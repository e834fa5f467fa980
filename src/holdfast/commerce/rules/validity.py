"""From when until when something may be used: discounts, discount codes, gift cards."""

from __future__ import annotations

from typing import Any, Protocol

from msgspec.structs import replace

from holdfast.base.errors import InvalidField
from holdfast.commerce.registry import Resource
from holdfast.commerce.values.value import Instant


class Bounded(Protocol):
    """Anything with a time of its own; an open end is None."""

    @property
    def valid_from(self) -> str | None: ...
    @property
    def valid_until(self) -> str | None: ...


def is_valid_at(bounded: Bounded, now: str) -> bool:
    """Whether the time has come and is not over. Instants are texts of one form, so they compare as such."""
    begun = bounded.valid_from is None or bounded.valid_from <= now
    return begun and (bounded.valid_until is None or now < bounded.valid_until)


def check_validity(bounded: Bounded) -> None:
    """Raises InvalidField for a time that ends before it begins."""
    if bounded.valid_from is not None and bounded.valid_until is not None and bounded.valid_from >= bounded.valid_until:
        raise InvalidField("validUntil", bounded.valid_until, "'validUntil' must be later than 'validFrom'.")


def instant(given: Instant | None) -> str | None:
    """A drafted point in time as stored."""
    return str(given) if given is not None else None


def validity_actions(resource: Resource[Any]) -> None:
    """Register `setValidFrom`, `setValidUntil` and `setValidFromAndUntil`."""

    @resource.action("setValidFrom")
    def set_valid_from(bounded: Any, *, valid_from: Instant | None = None) -> Any:
        """Set or remove the beginning."""
        return replace(bounded, valid_from=instant(valid_from))

    @resource.action("setValidUntil")
    def set_valid_until(bounded: Any, *, valid_until: Instant | None = None) -> Any:
        """Set or remove the end."""
        return replace(bounded, valid_until=instant(valid_until))

    @resource.action("setValidFromAndUntil")
    def set_valid_from_and_until(
        bounded: Any, *, valid_from: Instant | None = None, valid_until: Instant | None = None
    ) -> Any:
        """Set or remove beginning and end."""
        return replace(bounded, valid_from=instant(valid_from), valid_until=instant(valid_until))
