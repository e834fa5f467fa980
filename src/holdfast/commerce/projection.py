"""Narrower shapes: what queries see of a document whose whole would cost every write too much.

    seen = Projection(Order, leave_out=("taxed_price",), inner={"line_items": Projection(LineItem, …)})

`seen.shape` is a shape of its own, so a query for a field that was left out is refused by name
instead of finding nothing.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from holdfast.base.naming import wire_name
from holdfast.commerce.values.value import Value


class Projection:
    """A shape without some fields, and with some fields projected themselves."""

    def __init__(
        self, shape: type[Value], *, leave_out: Sequence[str] = (), inner: Mapping[str, Projection] | None = None
    ) -> None:
        known = set(shape.__struct_fields__)
        self._inner = dict(inner or {})
        assert known.issuperset((*leave_out, *self._inner)), f"{shape.__name__} has no such fields"
        self._source = shape
        # Required fields first, so that the shape can be made from positions: orders pass here twice.
        seen = sorted(
            (field for field in msgspec.structs.fields(shape) if field.name not in leave_out),
            key=lambda field: not field.required,
        )
        self._read = attrgetter(*(field.name for field in seen))
        self._places = [(place, field.name) for place, field in enumerate(seen) if field.name in self._inner]
        hints = get_type_hints(shape, include_extras=True)
        self.shape: type[msgspec.Struct] = msgspec.defstruct(
            f"Queryable{shape.__name__}",
            [self._field(field, hints) for field in seen],
            rename=wire_name,
            frozen=True,
            omit_defaults=True,
            gc=False,
            tag=shape.__struct_config__.tag,
            tag_field=shape.__struct_config__.tag_field,
        )

    def __call__(self, value: Any) -> msgspec.Struct:
        """What queries see of a value."""
        fields = list(self._read(value))
        for place, name in self._places:
            held = fields[place]
            if isinstance(held, tuple):
                fields[place] = tuple([self._inner[name](one) for one in held])
            elif held is not None:
                fields[place] = self._inner[name](held)
        return self.shape(*fields)

    def _field(self, field: Any, hints: Mapping[str, Any]) -> Any:
        annotation = hints[field.name]
        if field.name in self._inner:
            annotation = _swapped(annotation, self._inner[field.name])
        if field.required:
            return (field.name, annotation)
        if field.default_factory is not msgspec.NODEFAULT:
            return (field.name, annotation, msgspec.field(default_factory=field.default_factory))
        return (field.name, annotation, field.default)


def _swapped(annotation: Any, projection: Projection) -> Any:
    """A type with the projected shape in place of its source."""
    if annotation is projection._source:  # noqa: SLF001 - of this class
        return projection.shape
    arguments = tuple(_swapped(argument, projection) for argument in get_args(annotation))
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return Union[arguments]  # noqa: UP007 - built at run time
    return origin[arguments] if origin is not None else annotation
