"""The shapes of the API as JSON Schemas, named the way clients know them.

Update actions are structs made at registration, one per function; a function that many resource
types share (`setKey`) would share its schema as well. The published names are per type
(`ZoneSetKeyAction`), so each payload is made again under that name, with its docstring.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Union

import msgspec
from msgspec import Meta

from holdfast.base.naming import wire_name
from holdfast.commerce.registry import ACTIONS_MAX, Action, Resource
from holdfast.commerce.values.value import Instant

PREFIX = "#/components/schemas/"
# Modules that hold the shapes of a resource package under a name that says nothing.
_SILENT_MODULES = frozenset({"shape", "drafts", "value"})


class Schemas:
    """All shapes the description names, each resolved to a reference or an inline schema."""

    def __init__(self, types: Iterable[Any]) -> None:
        wanted = list(dict.fromkeys(types))
        found, components = msgspec.json.schema_components(
            wanted, schema_hook=_schema_of_special, ref_template=PREFIX + "{name}"
        )
        names = _short_names(components)
        self.components = {names[name]: _portable(schema, names) for name, schema in sorted(components.items())}
        self._by_type: dict[Any, dict[str, Any]] = {
            kind: _portable(schema, names) for kind, schema in zip(wanted, found, strict=True)
        }

    def of(self, kind: Any) -> dict[str, Any]:
        """The schema of a type given at construction."""
        return self._by_type[kind]


def title(kind: Resource[Any]) -> str:
    """`tax-category` → `TaxCategory`."""
    return "".join(part.title() for part in kind.name.split("-"))


def update_type(kind: Resource[Any], actions: Sequence[Action], prefix: str = "") -> Any:
    """The body of an update request with these actions, as a type that can be described."""
    name = prefix + title(kind)
    # By name: the order in which modules were imported is not part of the description.
    named = sorted(actions, key=lambda action: action.name)
    payloads: Any = Union[tuple(_named_payload(name, action) for action in named)]  # noqa: UP007 - built at run time
    return msgspec.defstruct(
        f"{name}Update",
        [
            ("version", Annotated[int, Meta(ge=0, description="The version the caller saw last.")]),
            ("actions", Annotated[tuple[payloads, ...], Meta(max_length=ACTIONS_MAX)]),
        ],
        kw_only=True,
    )


def _named_payload(owner: str, action: Action) -> Any:
    """The payload of an action under its published name."""
    fields = [_again(field) for field in msgspec.structs.fields(action.payload)]
    return msgspec.defstruct(
        f"{owner}{action.name[0].upper()}{action.name[1:]}Action",
        fields,
        namespace={"__doc__": first_paragraph(action.function)},
        tag_field="action",
        tag=action.name,
        rename=wire_name,
        kw_only=True,
    )


def _again(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return (field.name, field.type, msgspec.field(default_factory=field.default_factory))
    if field.default is not msgspec.NODEFAULT:
        return (field.name, field.type, field.default)
    return (field.name, field.type)


def first_paragraph(function: Any) -> str:
    """What a function's docstring says to those who call it over the wire."""
    text = inspect.getdoc(function) or ""
    return " ".join(text.split("\n\n")[0].split())


def page_of(item: dict[str, Any]) -> dict[str, Any]:
    """The schema of a page of a query."""
    number = {"type": "integer", "minimum": 0}
    return {
        "type": "object",
        "required": ["limit", "offset", "count", "results"],
        "properties": {
            "limit": number,
            "offset": number,
            "count": number,
            "total": number | {"description": "Missing with `withTotal=false`."},
            "results": {"type": "array", "items": item},
        },
    }


def _schema_of_special(kind: type) -> dict[str, Any]:
    if kind is Instant:
        return {"type": "string", "format": "date-time"}
    raise NotImplementedError(kind)


def _short_names(components: Iterable[str]) -> dict[str, str]:
    """Two shapes of one name come with their module; the last telling part of it is enough."""
    names = {}
    for name in components:
        *module, plain = name.split(".")
        telling = [part for part in module if part not in _SILENT_MODULES]
        names[name] = "".join(part.title() for part in telling[-1].split("_")) + plain if telling else plain
    assert len(set(names.values())) == len(names), f"names of shapes collide: {sorted(names.values())}"
    return names


def _portable(node: Any, names: dict[str, str]) -> Any:
    r"""A schema with short names, and Python's `\Z` written the way other dialects end a pattern."""
    if isinstance(node, list):
        return [_portable(entry, names) for entry in node]
    if not isinstance(node, dict):
        return node
    out = {key: _portable(value, names) for key, value in node.items()}
    if isinstance(out.get("pattern"), str):
        out["pattern"] = out["pattern"].replace(r"\Z", "$")
    if isinstance(out.get("$ref"), str):
        out["$ref"] = _renamed(out["$ref"], names)
    mapping = out.get("discriminator", {}).get("mapping") if isinstance(out.get("discriminator"), dict) else None
    if mapping:
        out["discriminator"]["mapping"] = {key: _renamed(value, names) for key, value in mapping.items()}
    return out


def _renamed(reference: str, names: dict[str, str]) -> str:
    return PREFIX + names[reference.removeprefix(PREFIX)]
