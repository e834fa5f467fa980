"""Attribute values against their definitions, and the constraints among the variants of a product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from holdfast.base.errors import (
    AttributeNameDoesNotExist,
    DuplicateAttributeValue,
    DuplicateAttributeValues,
    DuplicateField,
    InvalidField,
    InvalidOperation,
    RequiredField,
)
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.product.shape import Attribute, ProductData, ProductVariant
from holdfast.commerce.resources.product_type import AttributeDefinition, Level, ProductType, product_types
from holdfast.commerce.rules import field_values as accept
from holdfast.commerce.values.attribute_type import (
    AttributeType,
    BooleanAttribute,
    DateAttribute,
    DateTimeAttribute,
    EnumAttribute,
    LocalizedEnumAttribute,
    LocalizedTextAttribute,
    MoneyAttribute,
    NestedAttribute,
    NumberAttribute,
    ReferenceAttribute,
    SetAttribute,
    TextAttribute,
    TimeAttribute,
)
from holdfast.commerce.values.value import builtins, encode

_PLAIN = {
    BooleanAttribute: accept.boolean_value,
    TextAttribute: accept.text_value,
    LocalizedTextAttribute: accept.localized_value,
    NumberAttribute: accept.number_value,
    MoneyAttribute: accept.money_value,
    DateAttribute: accept.date_value,
    TimeAttribute: accept.time_value,
    DateTimeAttribute: accept.date_time_value,
}


def checked_attributes(
    attributes: Sequence[Attribute], product_type: ProductType, level: Level, facts: Facts
) -> tuple[Attribute, ...]:
    """The stored form of drafted attributes; those without a value are left out.

    Raises AttributeNameDoesNotExist, InvalidField, DuplicateField for a name given twice, and
    InvalidOperation for an attribute of the other level.
    """
    names = [attribute.name for attribute in attributes]
    if len(set(names)) < len(names):
        raise DuplicateField("attributes.name", next(name for name in names if names.count(name) > 1))
    facts.gather(accept.references_in([one.value for one in attributes]))
    known = {definition.name: definition for definition in product_type.attributes}
    return tuple(
        Attribute(name=one.name, value=_checked(known.get(one.name), one.name, one.value, level, facts))
        for one in attributes
        if one.value is not None
    )


def checked_value(product_type: ProductType, name: str, value: Any, level: Level, facts: Facts) -> Any:
    """The stored form of an attribute's value, None staying None."""
    return _checked(product_type.find(name), name, value, level, facts)


def _checked(definition: AttributeDefinition | None, name: str, value: Any, level: Level, facts: Facts) -> Any:
    if definition is None:
        raise AttributeNameDoesNotExist(f"The product type has no attribute '{name}'.", invalid_attribute_name=name)
    if definition.level != level:
        raise InvalidOperation(
            f"The attribute '{name}' belongs to the {definition.level.lower()}, not to the {level.lower()}."
        )
    return None if value is None else _accepted(definition.type, value, f"attributes.{name}", facts)


def check_constraints(data: ProductData, product_type: ProductType) -> None:
    """What the definitions demand of a version as a whole: required values, and values compared among variants."""
    variants = [{one.name: one.value for one in variant.attributes} for variant in data.all_variants()]
    of_product = {one.name for one in data.attributes}
    for definition in product_type.attributes:
        if definition.is_required:
            _check_required(definition, of_product, variants)
        if definition.attribute_constraint == "Unique":
            _check_unique(definition.name, variants)
        elif definition.attribute_constraint == "SameForAll":
            _check_same(definition.name, variants)
    _check_combination(product_type, variants)


def with_attribute(attributes: tuple[Attribute, ...], name: str, value: Any) -> tuple[Attribute, ...]:
    """The attributes with one set in its place, appended, or removed when the value is None."""
    if value is None:
        return tuple(one for one in attributes if one.name != name)
    new = Attribute(name=name, value=value)
    if any(one.name == name for one in attributes):
        return tuple(new if one.name == name else one for one in attributes)
    return (*attributes, new)


def content(variant: ProductVariant) -> Any:
    """All there is to a variant but the ids."""
    prices = [msgspec.structs.replace(price, id="") for price in variant.prices]
    attributes = {one.name: one.value for one in variant.attributes}
    return (variant.sku, variant.key, variant.images, prices, attributes)


def _accepted(attribute_type: AttributeType, value: Any, path: str, facts: Facts) -> Any:
    match attribute_type:
        case SetAttribute(element_type=element):
            return accept.set_value(value, path, lambda one, at: _accepted(element, one, at, facts))
        case EnumAttribute(values=values):
            key = accept.enum_key(value, [known.key for known in values], path)
            return builtins(next(known for known in values if known.key == key))
        case LocalizedEnumAttribute(values=localized):
            key = accept.enum_key(value, [known.key for known in localized], path)
            return builtins(next(known for known in localized if known.key == key))
        case ReferenceAttribute(reference_type_id=type_id):
            return accept.reference_value(value, type_id, path, facts)
        case NestedAttribute(type_reference=reference):
            return _nested(value, facts.get(product_types, reference), path, facts)
        case _:
            return _PLAIN[type(attribute_type)](value, path)


def _nested(value: Any, product_type: ProductType, path: str, facts: Facts) -> list[dict[str, Any]]:
    try:
        attributes = msgspec.convert(value, tuple[Attribute, ...])
    except msgspec.ValidationError:
        raise InvalidField(path, str(value)[:200], f"The value of '{path}' must be a list of attributes.") from None
    checked = checked_attributes(attributes, product_type, "Variant", facts)
    return [{"name": one.name, "value": one.value} for one in checked]


# --- constraints ---------------------------------------------------------------------------


def _check_required(definition: AttributeDefinition, of_product: set[str], variants: list[dict[str, Any]]) -> None:
    holders: list[Any] = [of_product] if definition.level == "Product" else variants
    if any(definition.name not in holder for holder in holders):
        raise RequiredField(definition.name)


def _check_unique(name: str, variants: list[dict[str, Any]]) -> None:
    given = [encode(variant[name]) for variant in variants if name in variant]
    if len(set(given)) < len(given):
        twice = next(value for value in given if given.count(value) > 1)
        attribute = {"name": name, "value": msgspec.json.decode(twice)}
        raise DuplicateAttributeValue(
            f"The attribute '{name}' must have another value in each variant.", attribute=attribute
        )


def _check_same(name: str, variants: list[dict[str, Any]]) -> None:
    for variant in variants[1:]:
        if variant.get(name) != variants[0].get(name):
            raise InvalidField(
                name, variant.get(name), f"The attribute '{name}' must have the same value in all variants."
            )


def _check_combination(product_type: ProductType, variants: list[dict[str, Any]]) -> None:
    """Variants without any of these attributes are not compared."""
    names = [one.name for one in product_type.attributes if one.attribute_constraint == "CombinationUnique"]
    seen: set[bytes] = set()
    for variant in variants:
        attributes = [{"name": name, "value": variant[name]} for name in names if name in variant]
        combination = encode(attributes)
        if attributes and combination in seen:
            raise DuplicateAttributeValues(
                f"The combination of {', '.join(names)} must be another one in each variant.", attributes=attributes
            )
        seen.add(combination)
