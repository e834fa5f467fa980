"""Product types: which attributes products and their variants have.

Products follow their type: when an attribute is renamed or removed, or an enum value changes, the
same commit rewrites every product that uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta, field
from msgspec.structs import replace

from holdfast.base.errors import (
    AttributeDefinitionAlreadyExists,
    AttributeDefinitionTypeConflict,
    AttributeNameDoesNotExist,
    EnumValueIsUsed,
    EnumValuesMustMatch,
    InvalidField,
    InvalidOperation,
    MaxResourceLimitExceeded,
)
from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Changed, Resource
from holdfast.commerce.rules import enumerations
from holdfast.commerce.rules.attribute_rewrites import (
    Rewrite,
    dropping,
    dropping_enum_values,
    enum_value_as,
    renaming,
    rewritten_products,
)
from holdfast.commerce.rules.common_actions import change_name, set_key
from holdfast.commerce.values.attribute_type import (
    AttributeType,
    ElementType,
    EnumAttribute,
    LocalizedEnumAttribute,
    NestedAttribute,
    SetAttribute,
)
from holdfast.commerce.values.enum_value import LocalizedEnumValue, PlainEnumValue
from holdfast.commerce.values.value import Key, LocalizedString, Stored, Value, builtins, empty, yes

AttributeName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{2,256}\Z")]
Constraint = Literal["None", "Unique", "CombinationUnique", "SameForAll"]
Level = Literal["Product", "Variant"]
InputHint = Literal["SingleLine", "MultiLine"]
# Attributes of one product type.
ATTRIBUTES_MAX = 1_000
# Product types read when looking for the same attribute elsewhere.
TYPES_COMPARED_MAX = 500
NAMES_ASKED_MAX = 100


def _variant_level() -> Level:
    return "Variant"


def _no_constraint() -> Constraint:
    return "None"


def _single_line() -> InputHint:
    return "SingleLine"


class AttributeDefinition(Value):
    type: AttributeType
    name: AttributeName
    label: LocalizedString
    is_required: bool
    level: Level = field(default_factory=_variant_level)
    attribute_constraint: Constraint = field(default_factory=_no_constraint)
    input_tip: LocalizedString | None = None
    input_hint: InputHint = field(default_factory=_single_line)
    is_searchable: bool = field(default_factory=yes)


class ProductTypeDraft(Value):
    key: Key | None = None
    name: str
    description: str
    attributes: tuple[AttributeDefinition, ...] = field(default_factory=empty)


class ProductType(Stored):
    key: str | None = None
    name: str
    description: str
    attributes: tuple[AttributeDefinition, ...] = field(default_factory=empty)

    def find(self, name: str) -> AttributeDefinition | None:
        return next((definition for definition in self.attributes if definition.name == name), None)


class Rewriting(ProductType):
    """A product type in the middle of an update, with what its products must follow."""

    rewrites: tuple[Rewrite, ...] = ()


product_types = Resource(
    "product-type",
    path="product-types",
    shape=ProductType,
    draft=ProductTypeDraft,
    scope="products",
    holds=("product-type",),
)
product_types.action("changeName")(change_name)
product_types.action("setKey")(set_key)


@product_types.settle
def settle_product_type(
    before: ProductType | None, after: ProductType, facts: Facts
) -> ProductType | Changed[ProductType]:
    """Check the definitions as a whole, and let the products follow."""
    _check_names(after)
    known = before.attributes if before else ()
    changed = tuple(definition for definition in after.attributes if definition not in known)
    for definition in changed:
        enumerations.check_distinct(_enum_values(definition), definition.name)
        _check_level(definition)
        _check_nested(definition, facts)
    _check_other_types(after, changed, facts)
    if not isinstance(after, Rewriting):
        return after
    settled = ProductType(**{name: getattr(after, name) for name in ProductType.__struct_fields__})
    return Changed(settled, others=rewritten_products(after.id, after.rewrites, facts))


def _check_names(product_type: ProductType) -> None:
    if len(product_type.attributes) > ATTRIBUTES_MAX:
        raise MaxResourceLimitExceeded(
            f"A product type has at most {ATTRIBUTES_MAX} attributes.", exceeded_resource="attributeDefinition"
        )
    names = [definition.name for definition in product_type.attributes]
    for name in names:
        if names.count(name) > 1:
            raise AttributeDefinitionAlreadyExists(
                f"An attribute definition with name '{name}' already exists in product type '{product_type.name}'.",
                conflicting_product_type_id=product_type.id or None,
                conflicting_product_type_name=product_type.name,
                conflicting_attribute_name=name,
            )


def _check_level(definition: AttributeDefinition) -> None:
    if definition.level == "Product" and definition.attribute_constraint != "None":
        raise InvalidOperation(f"The product attribute '{definition.name}' cannot have a constraint among variants.")


def _check_nested(definition: AttributeDefinition, facts: Facts) -> None:
    inner = _element(definition.type)
    if isinstance(inner, NestedAttribute):
        facts.get(product_types, inner.type_reference)


def _check_other_types(product_type: ProductType, definitions: tuple[AttributeDefinition, ...], facts: Facts) -> None:
    """An attribute name means the same type in all product types; only enum values may differ."""
    wanted = {definition.name: _comparable(definition.type) for definition in definitions}
    for other in _types_with(tuple(wanted), facts):
        for there in other.attributes if other.id != product_type.id else ():
            if there.name in wanted and _comparable(there.type) != wanted[there.name]:
                raise AttributeDefinitionTypeConflict(
                    f"The attribute '{there.name}' has another type in product type '{other.name}'.",
                    conflicting_product_type_id=other.id,
                    conflicting_product_type_name=other.name,
                    conflicting_attribute_name=there.name,
                )


def _types_with(names: tuple[str, ...], facts: Facts) -> Iterator[ProductType]:
    for start in range(0, len(names), NAMES_ASKED_MAX):
        asked = ", ".join(f'"{name}"' for name in names[start : start + NAMES_ASKED_MAX])
        yield from facts.matching(
            product_types, f"attributes(name in ({asked}))", sort="id asc", limit=TYPES_COMPARED_MAX
        )


def _comparable(attribute_type: AttributeType) -> AttributeType:
    match attribute_type:
        case SetAttribute(element_type=EnumAttribute() | LocalizedEnumAttribute() as element):
            return SetAttribute(element_type=replace(element, values=()))
        case EnumAttribute() | LocalizedEnumAttribute():
            return replace(attribute_type, values=())
        case _:
            return attribute_type


def _element(attribute_type: AttributeType) -> ElementType:
    return attribute_type.element_type if isinstance(attribute_type, SetAttribute) else attribute_type


def _enum_values(definition: AttributeDefinition) -> tuple[PlainEnumValue, ...] | tuple[LocalizedEnumValue, ...]:
    inner = _element(definition.type)
    return inner.values if isinstance(inner, EnumAttribute | LocalizedEnumAttribute) else ()


# --- definitions ---------------------------------------------------------------------------


@product_types.action("changeDescription")
def change_description(product_type: ProductType, *, description: str) -> ProductType:
    """Change the description, which a product type cannot be without."""
    return replace(product_type, description=description)


@product_types.action("addAttributeDefinition")
def add_attribute_definition(product_type: ProductType, *, attribute: AttributeDefinition) -> ProductType:
    """Add an attribute; products that exist simply do not have a value yet."""
    return replace(product_type, attributes=(*product_type.attributes, attribute))


@product_types.action("removeAttributeDefinition")
def remove_attribute_definition(product_type: ProductType, *, name: str) -> ProductType:
    """Remove an attribute, from the products too."""
    gone = _definition(product_type, name)
    kept = tuple(definition for definition in product_type.attributes if definition is not gone)
    return _followed(replace(product_type, attributes=kept), dropping(name))


@product_types.action("changeAttributeName")
def change_attribute_name(
    product_type: ProductType, *, attribute_name: str, new_attribute_name: AttributeName
) -> ProductType:
    """Rename an attribute, in the products too."""
    renamed = _redefined(product_type, attribute_name, name=new_attribute_name)
    return _followed(renamed, renaming(attribute_name, new_attribute_name))


@product_types.action("changeAttributeConstraint")
def change_attribute_constraint(
    product_type: ProductType, *, attribute_name: str, new_value: Constraint
) -> ProductType:
    """Loosen a constraint: the published API allows only the change to `None`."""
    present = _definition(product_type, attribute_name).attribute_constraint
    if new_value not in ("None", present):
        raise InvalidOperation(f"The constraint of '{attribute_name}' can only be changed from {present} to None.")
    return _redefined(product_type, attribute_name, attribute_constraint=new_value)


def change_attribute_order_by_name(product_type: ProductType, *, attribute_names: tuple[str, ...]) -> ProductType:
    """Reorder the attributes; exactly the present ones must be named."""
    by_name = {definition.name: definition for definition in product_type.attributes}
    if sorted(attribute_names) != sorted(by_name):
        raise InvalidField("attributeNames", list(attribute_names), allowed_values=list(by_name))
    return replace(product_type, attributes=tuple(by_name[name] for name in attribute_names))


product_types.action("changeAttributeOrderByName")(change_attribute_order_by_name)


@product_types.action("changeAttributeOrder")
def change_attribute_order(product_type: ProductType, *, attributes: tuple[AttributeDefinition, ...]) -> ProductType:
    """Reorder the attributes by their definitions, the older form; only the names are looked at."""
    return change_attribute_order_by_name(product_type, attribute_names=tuple(one.name for one in attributes))


@product_types.action("changeLabel")
def change_label(product_type: ProductType, *, attribute_name: str, label: LocalizedString) -> ProductType:
    """Change how an attribute is called in user interfaces."""
    return _redefined(product_type, attribute_name, label=label)


@product_types.action("setInputTip")
def set_input_tip(
    product_type: ProductType, *, attribute_name: str, input_tip: LocalizedString | None = None
) -> ProductType:
    """Set or remove the advice shown to those who fill the attribute in."""
    return _redefined(product_type, attribute_name, input_tip=input_tip)


@product_types.action("changeInputHint")
def change_input_hint(product_type: ProductType, *, attribute_name: str, new_value: InputHint) -> ProductType:
    """Change how a text attribute is shown in user interfaces."""
    return _redefined(product_type, attribute_name, input_hint=new_value)


@product_types.action("changeIsSearchable")
def change_is_searchable(product_type: ProductType, *, attribute_name: str, is_searchable: bool) -> ProductType:
    """Change whether search looks at the attribute."""
    return _redefined(product_type, attribute_name, is_searchable=is_searchable)


# --- enumerations --------------------------------------------------------------------------


@product_types.action("addPlainEnumValue")
def add_plain_enum_value(product_type: ProductType, *, attribute_name: str, value: PlainEnumValue) -> ProductType:
    """Append a value to an enum attribute."""
    _check_enum(product_type, attribute_name, EnumAttribute)
    return _with_values(
        product_type, attribute_name, lambda values: enumerations.appended(values, value, attribute_name)
    )


@product_types.action("addLocalizedEnumValue")
def add_localized_enum_value(
    product_type: ProductType, *, attribute_name: str, value: LocalizedEnumValue
) -> ProductType:
    """Append a value to a localized enum attribute."""
    _check_enum(product_type, attribute_name, LocalizedEnumAttribute)
    return _with_values(
        product_type, attribute_name, lambda values: enumerations.appended(values, value, attribute_name)
    )


@product_types.action("removeEnumValues")
def remove_enum_values(product_type: ProductType, *, attribute_name: str, keys: tuple[str, ...]) -> ProductType:
    """Remove enum values, from the products too; a required attribute must not lose any."""
    definition = _check_enum(product_type, attribute_name)
    if definition.is_required:
        raise EnumValueIsUsed(f"The attribute '{attribute_name}' is required; its enum values cannot be removed.")
    changed = _with_values(
        product_type, attribute_name, lambda values: enumerations.removed(values, keys, attribute_name)
    )
    return _followed(changed, dropping_enum_values(attribute_name, keys)) if keys else changed


@product_types.action("changePlainEnumValueLabel")
def change_plain_enum_value_label(
    product_type: ProductType, *, attribute_name: str, new_value: PlainEnumValue
) -> ProductType:
    """Change the label of an enum value, in the products too."""
    _check_enum(product_type, attribute_name, EnumAttribute)
    return _relabelled(product_type, attribute_name, new_value)


@product_types.action("changeLocalizedEnumValueLabel")
def change_localized_enum_value_label(
    product_type: ProductType, *, attribute_name: str, new_value: LocalizedEnumValue
) -> ProductType:
    """Change the labels of a localized enum value, in the products too."""
    _check_enum(product_type, attribute_name, LocalizedEnumAttribute)
    return _relabelled(product_type, attribute_name, new_value)


@product_types.action("changeEnumKey")
def change_enum_key(product_type: ProductType, *, attribute_name: str, key: str, new_key: str) -> ProductType:
    """Change the key of an enum value, in the products too."""
    values = _enum_values(_check_enum(product_type, attribute_name))
    enumerations.check_known(values, (key,), attribute_name)
    if new_key == key:
        return product_type
    enumerations.check_new(values, new_key, attribute_name)
    old = next(value for value in values if value.key == key)
    new = replace(old, key=new_key)
    changed = _with_values(
        product_type, attribute_name, lambda present: tuple(new if value is old else value for value in present)
    )
    return _followed(changed, enum_value_as(attribute_name, key, builtins(new)))


@product_types.action("changePlainEnumValueOrder")
def change_plain_enum_value_order(
    product_type: ProductType, *, attribute_name: str, values: tuple[PlainEnumValue, ...]
) -> ProductType:
    """Reorder the values of an enum attribute; exactly the present ones must be given."""
    _check_enum(product_type, attribute_name, EnumAttribute)
    return _reordered(product_type, attribute_name, values)


@product_types.action("changeLocalizedEnumValueOrder")
def change_localized_enum_value_order(
    product_type: ProductType, *, attribute_name: str, values: tuple[LocalizedEnumValue, ...]
) -> ProductType:
    """Reorder the values of a localized enum attribute; exactly the present ones must be given."""
    _check_enum(product_type, attribute_name, LocalizedEnumAttribute)
    return _reordered(product_type, attribute_name, values)


def _definition(product_type: ProductType, name: str) -> AttributeDefinition:
    definition = product_type.find(name)
    if definition is None:
        raise AttributeNameDoesNotExist(
            f"The product type '{product_type.name}' has no attribute '{name}'.", invalid_attribute_name=name
        )
    return definition


def _check_enum(
    product_type: ProductType,
    name: str,
    kind: type[EnumAttribute | LocalizedEnumAttribute] | None = None,
) -> AttributeDefinition:
    definition = _definition(product_type, name)
    if not isinstance(_element(definition.type), kind or EnumAttribute | LocalizedEnumAttribute):
        wanted = kind.__struct_config__.tag if kind else "an enumeration"
        raise InvalidOperation(f"The attribute '{name}' is not of type {wanted}.")
    return definition


def _redefined(product_type: ProductType, attribute: str, **changes: Any) -> ProductType:
    old = _definition(product_type, attribute)
    new = replace(old, **changes)
    return replace(product_type, attributes=tuple(new if kept is old else kept for kept in product_type.attributes))


def _with_values(
    product_type: ProductType, name: str, change: Callable[[tuple[Any, ...]], tuple[Any, ...]]
) -> ProductType:
    outer = _definition(product_type, name).type
    inner = _element(outer)
    assert isinstance(inner, EnumAttribute | LocalizedEnumAttribute)
    inner = replace(inner, values=change(inner.values))
    return _redefined(
        product_type, name, type=SetAttribute(element_type=inner) if isinstance(outer, SetAttribute) else inner
    )


def _relabelled(product_type: ProductType, name: str, value: PlainEnumValue | LocalizedEnumValue) -> ProductType:
    changed = _with_values(product_type, name, lambda values: enumerations.replaced(values, value, name))
    return _followed(changed, enum_value_as(name, value.key, builtins(value)))


def _reordered(product_type: ProductType, name: str, values: tuple[Any, ...]) -> ProductType:
    present = {value.key: value for value in _enum_values(_definition(product_type, name))}
    if any(present.get(value.key) != value for value in values):
        raise EnumValuesMustMatch(f"The values must be exactly those of '{name}'.")
    keys = tuple(value.key for value in values)
    return _with_values(product_type, name, lambda old: enumerations.reordered(old, keys, name))


def _followed(product_type: ProductType, rewrite: Rewrite) -> Rewriting:
    """The product type in the middle of its update, its products to follow when it settles."""
    earlier = product_type.rewrites if isinstance(product_type, Rewriting) else ()
    fields = {name: getattr(product_type, name) for name in ProductType.__struct_fields__}
    return Rewriting(**fields, rewrites=(*earlier, rewrite))
