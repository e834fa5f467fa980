"""The two bases of every shape: `Value` for what travels, `Stored` for what has a life of its own.

Absent optional fields are `None` and stay off the wire. Fields that are published even when they
hold their default (empty arrays, `false`, `0`) take it from one of the factories below, because an
encoder that omits defaults keeps whatever a factory made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, TypeVar, dataclass_transform

import msgspec
from msgspec import Meta, field

from holdfast.base import clock
from holdfast.base.naming import wire_name

# Whole numbers that JSON, JavaScript clients and a bigint column agree on.
SAFE_INTEGER_MAX = 2**53 - 1
Int = Annotated[int, Meta(ge=-SAFE_INTEGER_MAX, le=SAFE_INTEGER_MAX)]
Natural = Annotated[int, Meta(ge=0, le=SAFE_INTEGER_MAX)]
Positive = Annotated[int, Meta(ge=1, le=SAFE_INTEGER_MAX)]
# As far as a signed 32 bit number goes: four thousand years.
Minutes = Annotated[int, Meta(ge=1, le=2_147_483_647)]
# Line item quantities and stock counters: far above any sale, far below what a sum could overflow.
Quantity = Annotated[int, Meta(ge=0, le=1_000_000_000)]

Key = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{2,256}\Z")]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
Locale = Annotated[str, Meta(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}\Z")]
LocalizedString = dict[Locale, str]


class ValueMeta(msgspec.StructMeta):
    """Gives every shape the same settings, so that no class has to repeat them."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> ValueMeta:
        # A frozen value is made after all it holds, so it can be part of no cycle: the collector need not look.
        house: dict[str, Any] = {
            "frozen": True,
            "kw_only": True,
            "rename": wire_name,
            "omit_defaults": True,
            "gc": False,
        }
        return super().__new__(mcls, name, bases, namespace, **(house | config))


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class Value(msgspec.Struct, metaclass=ValueMeta, frozen=True, kw_only=True):
    """A frozen value, camel-cased on the wire, unknown wire fields ignored."""


T = TypeVar("T")
V = TypeVar("V", bound=Value)


class Instant(str):
    """A point in time in a draft: any ISO 8601 text, kept as UTC with milliseconds."""

    __slots__ = ()


def empty() -> tuple[Any, ...]:
    return ()


def no() -> bool:
    return False


def yes() -> bool:
    return True


def zero() -> int:
    return 0


def one() -> int:
    return 1


def nothing() -> str:
    return ""


def no_entries() -> dict[str, Any]:
    return {}


class ClientInfo(Value):
    """Who made a change: `createdBy` and `lastModifiedBy` of every resource."""

    client_id: str | None = None
    is_platform_client: bool = field(default_factory=no)
    external_user_id: str | None = None
    anonymous_id: str | None = None
    customer: dict[str, str] | None = None


class Stored(Value):
    """What every resource has. The house fills these fields; rules leave them alone."""

    id: str = field(default_factory=nothing)
    version: int = field(default_factory=one)
    created_at: str = field(default_factory=nothing)
    last_modified_at: str = field(default_factory=nothing)
    created_by: ClientInfo | None = None
    last_modified_by: ClientInfo | None = None


def decode_special(kind: type, raw: Any) -> Any:
    """Decoder hook for the types that JSON has no word for. Raises ValueError with the reason."""
    if kind is Instant:
        try:
            return Instant(clock.timestamp(clock.parse(raw)))
        except (OverflowError, TypeError) as error:
            raise ValueError(f"'{raw}' is not a point in time between the years 1 and 9999") from error
    raise NotImplementedError(kind)


def encode_special(value: Any) -> Any:
    """Encoder hook, the way back."""
    if isinstance(value, str):
        return str.__str__(value)
    raise NotImplementedError(type(value))


_encoder = msgspec.json.Encoder(enc_hook=encode_special)


def encode(value: Any) -> bytes:
    """A value as JSON bytes, the way it is stored and served."""
    return _encoder.encode(value)


def builtins(value: Any) -> Any:
    """A value as plain dicts and lists with wire names."""
    return msgspec.to_builtins(value, enc_hook=encode_special)


def distinct(values: Iterable[T]) -> tuple[T, ...]:
    """The values in order, each once."""
    return tuple(dict.fromkeys(values))


def adopt(shape: type[V], draft: Value, **changed: Any) -> V:
    """A `shape` with the fields it shares with `draft`, `changed` ones replaced."""
    shared = set(shape.__struct_fields__) & set(draft.__struct_fields__)
    return shape(**({name: getattr(draft, name) for name in shared} | changed))
