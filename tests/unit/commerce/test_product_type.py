from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders.product import an_attribute
from tests.unit.commerce.facts import facts_with

from holdfast.base.errors import (
    AttributeDefinitionAlreadyExists,
    AttributeDefinitionTypeConflict,
    AttributeNameDoesNotExist,
    DuplicateEnumValues,
    EnumKeyAlreadyExists,
    EnumKeyDoesNotExist,
    EnumValueIsUsed,
    EnumValuesMustMatch,
    InvalidField,
    InvalidOperation,
    MaxResourceLimitExceeded,
    ReferencedResourceNotFound,
)
from holdfast.commerce.facts import Facts, Matching
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.product.shape import (
    Attribute,
    Product,
    ProductCatalogData,
    ProductData,
    ProductVariant,
)
from holdfast.commerce.resources.product_type import ProductType, product_types
from holdfast.commerce.rules.attribute_rewrites import using
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.value import encode

SMALL, LARGE = {"key": "s", "label": "Small"}, {"key": "l", "label": "Large"}
RED, BLUE = {"key": "red", "label": {"en": "Red"}}, {"key": "blue", "label": {"en": "Blue"}}
NOTE = an_attribute("note")
SIZE = an_attribute("size", {"name": "enum", "values": [SMALL, LARGE]})
COLOURS = an_attribute("colours", {"name": "set", "elementType": {"name": "lenum", "values": [RED, BLUE]}})


class Shop(dict[Any, Any]):
    """Answers every query for products or product types with the ones it has."""

    def __init__(self, *records: Any) -> None:
        super().__init__()
        self._records = records

    def __missing__(self, lookup: Any) -> Any:
        if isinstance(lookup, Matching):
            kind = Product if lookup.kind == "product" else ProductType
            return tuple(record for record in self._records if isinstance(record, kind))
        return next((record for record in self._records if record.id == lookup.id), None)


def a_shop(*records: Any) -> Facts:
    plain = facts_with()
    return Facts(caller=plain.caller, now=plain.now, base_id=0, known=Shop(*records))


def a_type(*attributes: dict[str, Any], facts: Facts | None = None, id: str = "shirt") -> ProductType:
    draft = {"name": id, "description": "", "attributes": attributes}
    decoded = product_types.drafts.decode(msgspec.json.encode(draft))
    return replace(product_types.created(decoded, facts or a_shop()).resource, id=id)


SHIRT = a_type(NOTE, SIZE, COLOURS)


def changed(*actions: dict[str, Any], facts: Facts | None = None) -> Changed[ProductType]:
    request = product_types.update_decoder().decode(msgspec.json.encode({"version": 1, "actions": actions}))
    return product_types.updated(SHIRT, request.actions, facts or a_shop())


def definitions(*actions: dict[str, Any]) -> list[dict[str, Any]]:
    attributes: list[dict[str, Any]] = msgspec.json.decode(encode(changed(*actions).resource))["attributes"]
    return attributes


def test_a_definition_reads_with_its_published_defaults() -> None:
    assert msgspec.json.decode(encode(SHIRT))["attributes"][0] == NOTE | {
        "level": "Variant",
        "attributeConstraint": "None",
        "inputHint": "SingleLine",
        "isSearchable": True,
    }


@pytest.mark.parametrize(
    ("action", "names"),
    [
        ({"action": "addAttributeDefinition", "attribute": an_attribute("more")}, "note size colours more"),
        ({"action": "removeAttributeDefinition", "name": "size"}, "note colours"),
        ({"action": "changeAttributeName", "attributeName": "note", "newAttributeName": "text"}, "text size colours"),
        (
            {"action": "changeAttributeOrderByName", "attributeNames": ["size", "colours", "note"]},
            "size colours note",
        ),
        ({"action": "changeAttributeOrder", "attributes": [COLOURS, SIZE, NOTE]}, "colours size note"),
    ],
)
def test_attributes_come_go_and_move(action: dict[str, Any], names: str) -> None:
    assert [definition["name"] for definition in definitions(action)] == names.split()


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        ({"action": "changeLabel", "label": {"de": "Notiz"}}, "label", {"de": "Notiz"}),
        ({"action": "setInputTip", "inputTip": {"de": "Kurz"}}, "inputTip", {"de": "Kurz"}),
        ({"action": "changeInputHint", "newValue": "MultiLine"}, "inputHint", "MultiLine"),
        ({"action": "changeIsSearchable", "isSearchable": False}, "isSearchable", False),
        ({"action": "changeAttributeConstraint", "newValue": "None"}, "attributeConstraint", "None"),
    ],
)
def test_an_attribute_changes(action: dict[str, Any], field: str, value: Any) -> None:
    assert definitions(action | {"attributeName": "note"})[0][field] == value


@pytest.mark.parametrize(
    ("action", "values"),
    [
        (
            {"action": "addPlainEnumValue", "value": {"key": "m", "label": "M"}},
            [SMALL, LARGE, {"key": "m", "label": "M"}],
        ),
        ({"action": "removeEnumValues", "keys": ["s"]}, [LARGE]),
        (
            {"action": "changePlainEnumValueLabel", "newValue": {"key": "s", "label": "S"}},
            [{"key": "s", "label": "S"}, LARGE],
        ),
        ({"action": "changePlainEnumValueOrder", "values": [LARGE, SMALL]}, [LARGE, SMALL]),
        ({"action": "changeEnumKey", "key": "s", "newKey": "xs"}, [{"key": "xs", "label": "Small"}, LARGE]),
    ],
)
def test_an_enumeration_changes(action: dict[str, Any], values: list[Any]) -> None:
    assert definitions(action | {"attributeName": "size"})[1]["type"] == {"name": "enum", "values": values}


@pytest.mark.parametrize(
    ("action", "values"),
    [
        (
            {"action": "addLocalizedEnumValue", "value": {"key": "x", "label": {}}},
            [RED, BLUE, {"key": "x", "label": {}}],
        ),
        (
            {"action": "changeLocalizedEnumValueLabel", "newValue": {"key": "red", "label": {"de": "Rot"}}},
            [{"key": "red", "label": {"de": "Rot"}}, BLUE],
        ),
        ({"action": "changeLocalizedEnumValueOrder", "values": [BLUE, RED]}, [BLUE, RED]),
    ],
)
def test_the_enumeration_inside_a_set_changes(action: dict[str, Any], values: list[Any]) -> None:
    after = definitions(action | {"attributeName": "colours"})[2]["type"]
    assert after == {"name": "set", "elementType": {"name": "lenum", "values": values}}


def test_name_description_and_key_change() -> None:
    actions = [
        {"action": "changeName", "name": "n"},
        {"action": "changeDescription", "description": "d"},
        {"action": "setKey", "key": "kk"},
    ]
    after = changed(*actions).resource
    assert (after.name, after.description, after.key) == ("n", "d", "kk")


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ({"action": "addAttributeDefinition", "attribute": NOTE}, AttributeDefinitionAlreadyExists),
        (
            {"action": "changeAttributeName", "attributeName": "note", "newAttributeName": "size"},
            AttributeDefinitionAlreadyExists,
        ),
        ({"action": "changeLabel", "attributeName": "nope", "label": {}}, AttributeNameDoesNotExist),
        ({"action": "removeAttributeDefinition", "name": "nope"}, AttributeNameDoesNotExist),
        ({"action": "changeAttributeConstraint", "attributeName": "note", "newValue": "Unique"}, InvalidOperation),
        ({"action": "changeAttributeOrderByName", "attributeNames": ["note"]}, InvalidField),
        ({"action": "addPlainEnumValue", "attributeName": "size", "value": SMALL}, EnumKeyAlreadyExists),
        ({"action": "addPlainEnumValue", "attributeName": "note", "value": SMALL}, InvalidOperation),
        ({"action": "changeEnumKey", "attributeName": "size", "key": "s", "newKey": "l"}, EnumKeyAlreadyExists),
        ({"action": "changeEnumKey", "attributeName": "size", "key": "xl", "newKey": "x"}, EnumKeyDoesNotExist),
        ({"action": "removeEnumValues", "attributeName": "size", "keys": ["xl"]}, EnumKeyDoesNotExist),
        ({"action": "changePlainEnumValueOrder", "attributeName": "size", "values": [SMALL]}, EnumValuesMustMatch),
        (
            {
                "action": "addAttributeDefinition",
                "attribute": an_attribute("ee", {"name": "enum", "values": [SMALL, SMALL]}),
            },
            DuplicateEnumValues,
        ),
        (
            {
                "action": "addAttributeDefinition",
                "attribute": an_attribute(
                    "nested", {"name": "nested", "typeReference": {"typeId": "product-type", "id": "nowhere"}}
                ),
            },
            ReferencedResourceNotFound,
        ),
    ],
)
def test_what_does_not_fit_is_refused(action: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        changed(action)


def test_a_constraint_can_only_be_loosened() -> None:
    unique = a_type(an_attribute("sku", attributeConstraint="Unique"))
    request = product_types.update_decoder().decode(
        b'{"version":1,"actions":[{"action":"changeAttributeConstraint","attributeName":"sku","newValue":"None"}]}'
    )
    assert (
        product_types.updated(unique, request.actions, a_shop()).resource.attributes[0].attribute_constraint == "None"
    )


def test_the_same_name_in_another_product_type_must_have_the_same_type() -> None:
    elsewhere = a_shop(a_type(an_attribute("note", "number"), id="shoe"))
    with pytest.raises(AttributeDefinitionTypeConflict) as refused:
        a_type(NOTE, facts=elsewhere)
    assert refused.value.fields["conflictingProductTypeId"] == "shoe"
    a_type(an_attribute("size", {"name": "enum", "values": []}), facts=a_shop(SHIRT))


def test_removing_enum_values_of_a_required_attribute_is_refused() -> None:
    required = a_type(SIZE | {"isRequired": True})
    request = product_types.update_decoder().decode(
        b'{"version":1,"actions":[{"action":"removeEnumValues","attributeName":"size","keys":["s"]}]}'
    )
    with pytest.raises(EnumValueIsUsed):
        product_types.updated(required, request.actions, a_shop())


# --- products follow -----------------------------------------------------------------------


def a_product(*attributes: Attribute) -> Product:
    variant = ProductVariant(id=1, attributes=attributes)
    data = ProductData(name={}, slug={}, master_variant=variant)
    return Product(
        id="p1",
        version=7,
        product_type=Reference(type_id="product-type", id="shirt"),
        master_data=ProductCatalogData(current=data, staged=data),
    )


def followed(product: Product, *actions: dict[str, Any]) -> dict[str, Any]:
    """The attributes of the product after its type has changed."""
    result = changed(*actions, facts=a_shop(product))
    assert type(result.resource) is ProductType
    (other,) = result.others
    assert isinstance(other.after, Product)
    assert (other.before, other.after.version) == (product, 8)
    data = other.after.master_data
    assert data.current == data.staged
    return {attribute.name: attribute.value for attribute in data.current.master_variant.attributes}


DRESSED = a_product(
    Attribute(name="note", value="hi"),
    Attribute(name="size", value=SMALL),
    Attribute(name="colours", value=[RED, BLUE]),
)


def test_renaming_an_attribute_renames_it_in_products() -> None:
    after = followed(DRESSED, {"action": "changeAttributeName", "attributeName": "note", "newAttributeName": "text"})
    assert after == {"text": "hi", "size": SMALL, "colours": [RED, BLUE]}


def test_removing_an_attribute_removes_it_from_products() -> None:
    assert "note" not in followed(DRESSED, {"action": "removeAttributeDefinition", "name": "note"})


def test_an_enum_label_changes_in_products_alone_and_in_sets() -> None:
    plain = {"action": "changePlainEnumValueLabel", "attributeName": "size", "newValue": {"key": "s", "label": "S"}}
    assert followed(DRESSED, plain)["size"] == {"key": "s", "label": "S"}
    localized = {"key": "blue", "label": {"de": "Blau"}}
    inside = {"action": "changeLocalizedEnumValueLabel", "attributeName": "colours", "newValue": localized}
    assert followed(DRESSED, inside)["colours"] == [RED, localized]


def test_an_enum_key_changes_in_products() -> None:
    after = followed(DRESSED, {"action": "changeEnumKey", "attributeName": "size", "key": "s", "newKey": "xs"})
    assert after["size"] == {"key": "xs", "label": "Small"}


def test_removed_enum_values_leave_products_and_an_empty_set_goes() -> None:
    after = followed(
        DRESSED,
        {"action": "removeEnumValues", "attributeName": "size", "keys": ["s"]},
        {"action": "removeEnumValues", "attributeName": "colours", "keys": ["red"]},
    )
    assert after == {"note": "hi", "colours": [BLUE]}
    assert "colours" not in followed(
        DRESSED, {"action": "removeEnumValues", "attributeName": "colours", "keys": ["red", "blue"]}
    )


def test_several_changes_of_one_request_reach_a_product_once() -> None:
    after = followed(
        DRESSED,
        {"action": "changeAttributeName", "attributeName": "size", "newAttributeName": "fit"},
        {"action": "changeEnumKey", "attributeName": "fit", "key": "s", "newKey": "xs"},
        {"action": "changePlainEnumValueLabel", "attributeName": "fit", "newValue": {"key": "xs", "label": "XS"}},
    )
    assert after["fit"] == {"key": "xs", "label": "XS"}


def test_products_without_the_attribute_are_left_alone() -> None:
    action = {"action": "removeAttributeDefinition", "name": "note"}
    assert changed(action, facts=a_shop(a_product(Attribute(name="size", value=SMALL)))).others == ()


# --- bounds --------------------------------------------------------------------------------


def test_a_product_type_has_a_bounded_number_of_attributes() -> None:
    assert len(a_type(*(an_attribute(f"a{n}") for n in range(1000))).attributes) == 1000
    with pytest.raises(MaxResourceLimitExceeded):
        a_type(*(an_attribute(f"a{n}") for n in range(1001)))


def test_more_products_than_one_commit_can_rewrite_are_refused() -> None:
    class Crowd(Shop):
        def __missing__(self, lookup: Any) -> Any:
            if isinstance(lookup, Matching) and lookup.kind == "product":
                return tuple(replace(DRESSED, id=f"{len(self)}-{n}") for n in range(lookup.limit))
            return super().__missing__(lookup)

        def __getitem__(self, lookup: Any) -> Any:
            found = self.__missing__(lookup)
            self[len(self)] = found
            return found

    plain = facts_with()
    crowd = Facts(caller=plain.caller, now=plain.now, base_id=0, known=Crowd())
    with pytest.raises(InvalidOperation):
        changed({"action": "removeAttributeDefinition", "name": "note"}, facts=crowd)


def test_a_predicate_never_names_more_keys_than_it_may_be_long() -> None:
    few, many = using("size", "s", "l"), using("size", *(f"key-{n}" for n in range(500)))
    assert few == 'name = "size" and value(key in ("s", "l"))'
    assert many == using("size") == 'name = "size"'
