from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.commerce.builders.customer import HOME, WORK, a_credential, a_customer, knowing, store
from tests.unit.commerce.builders.store import a_store
from tests.unit.commerce.facts import NOW, create, facts_with, update

from holdfast.base.errors import (
    DuplicateField,
    InvalidField,
    InvalidOperation,
    ReferencedResourceNotFound,
    RequiredField,
)
from holdfast.commerce.messages import customer as told
from holdfast.commerce.resources.customer.shape import Customer, customers
from holdfast.commerce.resources.customer_credential import credentials
from holdfast.commerce.resources.customer_group import CustomerGroup, customer_groups
from holdfast.commerce.resources.store import stores
from holdfast.commerce.resources.type import Type, types
from holdfast.commerce.values.value import encode

TYPE = msgspec.convert(
    {
        "id": "loyalty",
        "key": "loyalty",
        "name": {"en": "Loyalty"},
        "resourceTypeIds": ["address", "customer"],
        "fieldDefinitions": [
            {
                "name": "points",
                "label": {"en": "Points"},
                "required": False,
                "type": {"name": "Number"},
                "inputHint": "SingleLine",
            }
        ],
    },
    Type,
)
FACTS = facts_with(
    (credentials, a_credential()),
    (customer_groups, CustomerGroup(id="b2b", key="b2b", name="B2B")),
    (customer_groups, CustomerGroup(id="vip", key="vip", name="VIP")),
    (stores, a_store("dach")),
    (stores, a_store("uk")),
    (types, TYPE),
    matching={
        ("customer", 'lowercaseEmail = "anna@example.com"'): (),
        ("customer", 'lowercaseEmail = "new@example.com"'): (),
    },
)
B2B = {"typeId": "customer-group", "key": "b2b"}
VIP = {"typeId": "customer-group", "id": "vip"}
IN_B2B = {"customerGroup": {"typeId": "customer-group", "id": "b2b"}}
IN_VIP = {"customerGroup": {"typeId": "customer-group", "id": "vip"}}
LOYALTY = {"typeId": "type", "key": "loyalty"}


def shown(resource: Any) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.json.decode(encode(resource))
    return fields


def anna() -> Customer:
    """Anna ships to her home by default; bills go to work or home."""
    return a_customer(
        addresses=(HOME, WORK),
        shipping_address_ids=("home",),
        default_shipping_address_id="home",
        billing_address_ids=("work", "home"),
    )


# --- every action, through real JSON -------------------------------------------------------

ACTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"action": "changeEmail", "email": "New@example.com"}, {"email": "New@example.com", "isEmailVerified": False}),
    ({"action": "setKey", "key": "anna-1"}, {"key": "anna-1"}),
    ({"action": "setFirstName", "firstName": "Anna"}, {"firstName": "Anna"}),
    ({"action": "setLastName", "lastName": "Ask"}, {"lastName": "Ask"}),
    ({"action": "setMiddleName", "middleName": "M"}, {"middleName": "M"}),
    ({"action": "setTitle", "title": "Dr."}, {"title": "Dr."}),
    ({"action": "setSalutation", "salutation": "Ms."}, {"salutation": "Ms."}),
    ({"action": "setLocale", "locale": "de-AT"}, {"locale": "de-AT"}),
    ({"action": "setDateOfBirth", "dateOfBirth": "2000-02-29"}, {"dateOfBirth": "2000-02-29"}),
    ({"action": "setCompanyName", "companyName": "Ask Ltd"}, {"companyName": "Ask Ltd"}),
    ({"action": "setVatId", "vatId": "DE1"}, {"vatId": "DE1"}),
    ({"action": "setExternalId", "externalId": "x-1"}, {"externalId": "x-1"}),
    ({"action": "setCustomerNumber", "customerNumber": "7"}, {"customerNumber": "7"}),
    (
        {"action": "setCustomType", "type": LOYALTY, "fields": {"points": 3}},
        {"custom": {"type": {"typeId": "type", "id": "loyalty"}, "fields": {"points": 3}}},
    ),
    ({"action": "setCustomerGroup", "customerGroup": B2B}, IN_B2B),
    (
        {"action": "addCustomerGroupAssignment", "customerGroupAssignment": {"customerGroup": VIP}},
        {"customerGroupAssignments": [IN_VIP]},
    ),
    (
        {
            "action": "setCustomerGroupAssignments",
            "customerGroupAssignments": [{"customerGroup": B2B}, {"customerGroup": VIP}, {"customerGroup": B2B}],
        },
        {"customerGroupAssignments": [IN_B2B, IN_VIP]},
    ),
    ({"action": "removeCustomerGroupAssignment", "customerGroup": VIP}, {"customerGroupAssignments": []}),
    ({"action": "setAuthenticationMode", "authMode": "ExternalAuth"}, {"authenticationMode": "ExternalAuth"}),
    (
        {"action": "setStores", "stores": [{"typeId": "store", "key": "dach"}]},
        {"stores": [{"typeId": "store", "key": "dach"}]},
    ),
    (
        {"action": "addStore", "store": {"typeId": "store", "id": "store-uk"}},
        {"stores": [{"typeId": "store", "key": "uk"}]},
    ),
    ({"action": "removeStore", "store": {"typeId": "store", "key": "uk"}}, {"stores": []}),
    (
        {"action": "changeAddress", "addressKey": "at-home", "address": {"country": "FR"}},
        {"addresses": [{"id": "home", "country": "FR"}, {"id": "work", "country": "AT"}]},
    ),
    (
        {"action": "removeAddress", "addressId": "work"},
        {"addresses": [{"id": "home", "key": "at-home", "country": "DE"}], "billingAddressIds": ["home"]},
    ),
    (
        {"action": "setDefaultShippingAddress", "addressId": "work"},
        {"defaultShippingAddressId": "work", "shippingAddressIds": ["home", "work"]},
    ),
    (
        {"action": "setDefaultBillingAddress", "addressKey": "at-home"},
        {"defaultBillingAddressId": "home", "billingAddressIds": ["work", "home"]},
    ),
    ({"action": "addShippingAddressId", "addressId": "work"}, {"shippingAddressIds": ["home", "work"]}),
    ({"action": "addShippingAddressId", "addressId": "home"}, {"shippingAddressIds": ["home"]}),
    ({"action": "removeBillingAddressId", "addressKey": "at-home"}, {"billingAddressIds": ["work"]}),
    ({"action": "addBillingAddressId", "addressId": "work"}, {"billingAddressIds": ["work", "home"]}),
    (
        {"action": "setAddressCustomType", "addressId": "work", "type": LOYALTY},
        {
            "addresses": [
                {"id": "home", "key": "at-home", "country": "DE"},
                {"id": "work", "country": "AT", "custom": {"type": {"typeId": "type", "id": "loyalty"}, "fields": {}}},
            ]
        },
    ),
]


@pytest.mark.parametrize(("action", "fields"), ACTIONS, ids=lambda given: str(given)[:70])
def test_an_action_shows_in_the_customer(action: dict[str, Any], fields: dict[str, Any]) -> None:
    after = shown(update(customers, anna(), action, facts=FACTS).resource)
    assert {name: after[name] for name in fields} == fields


def test_all_34_published_actions_are_registered_and_21_of_them_for_shoppers() -> None:
    tried = {action["action"] for action, _ in ACTIONS}
    untried = {"setCustomField", "setAddressCustomField", "addAddress", "removeShippingAddressId"}
    assert tried | untried == set(customers.actions)
    assert (len(customers.actions), len(customers.my_actions)) == (34, 21)
    assert set(customers.my_actions) <= set(customers.actions)


def test_shoppers_cannot_choose_their_group() -> None:
    with pytest.raises(msgspec.ValidationError):
        update(customers, anna(), {"action": "setCustomerGroup", "customerGroup": B2B}, facts=FACTS, my=True)


def test_custom_fields_of_customer_and_address_are_told_apart() -> None:
    after = update(
        customers,
        anna(),
        {"action": "setCustomType", "type": LOYALTY},
        {"action": "setAddressCustomType", "addressId": "home", "type": LOYALTY},
        {"action": "setCustomField", "name": "points", "value": 1},
        {"action": "setAddressCustomField", "addressId": "home", "name": "points", "value": 2},
        facts=FACTS,
    ).resource
    assert shown(after)["custom"]["fields"] == {"points": 1}
    assert shown(after)["addresses"][0]["custom"]["fields"] == {"points": 2}


# --- signing up ----------------------------------------------------------------------------

DRAFT = {"email": "Anna@Example.com", "password": "secret"}


def test_a_customer_has_the_published_defaults_and_no_password() -> None:
    after = shown(create(customers, DRAFT, FACTS).resource)
    assert after["isEmailVerified"] is False
    assert after["authenticationMode"] == "Password"
    assert [after[name] for name in ("addresses", "stores", "shippingAddressIds", "billingAddressIds")] == [[]] * 4
    assert "secret" not in str(after)


def test_the_hash_is_kept_beside_the_customer() -> None:
    changed = create(customers, DRAFT, FACTS)
    (other,) = changed.others
    assert other.kind is credentials
    assert other.before is None
    assert other.after == a_credential(
        changed.resource.id,
        created_at=NOW,
        last_modified_at=NOW,
        created_by=FACTS.caller.info(),
        last_modified_by=FACTS.caller.info(),
    )


def test_creation_is_told_with_the_whole_customer() -> None:
    changed = create(customers, DRAFT, FACTS)
    assert changed.messages == (told.CustomerCreated(customer=changed.resource),)
    assert changed.resource.id


def test_addresses_get_ids_of_ours_and_their_uses_by_place() -> None:
    draft = DRAFT | {
        "addresses": [{"id": "mine", "country": "DE"}, {"country": "AT"}, {"country": "FR"}],
        "shippingAddresses": [2],
        "defaultShippingAddress": 0,
        "defaultBillingAddress": 1,
    }
    after = create(customers, draft, FACTS).resource
    first, second, third = (address.id or "" for address in after.addresses)
    assert len({first, second, third, "mine"}) == 4
    assert len(first) == 8
    assert after.shipping_address_ids == (third, first)
    assert after.default_shipping_address_id == first
    assert after.billing_address_ids == (second,)
    assert after.default_billing_address_id == second


@pytest.mark.parametrize(
    "place",
    [
        {"defaultShippingAddress": 1},
        {"defaultBillingAddress": 1},
        {"shippingAddresses": [0, 1]},
        {"billingAddresses": [9]},
    ],
    ids=str,
)
def test_a_place_without_address_is_refused_by_name(place: dict[str, Any]) -> None:
    with pytest.raises(InvalidField) as refusal:
        create(customers, DRAFT | {"addresses": [{"country": "DE"}]} | place, FACTS)
    assert refusal.value.fields["field"] == next(iter(place))


def test_two_addresses_cannot_share_a_key() -> None:
    with pytest.raises(DuplicateField):
        create(customers, DRAFT | {"addresses": [{"country": "DE", "key": "k"}, {"country": "AT", "key": "k"}]}, FACTS)
    with pytest.raises(DuplicateField):
        update(customers, anna(), {"action": "addAddress", "address": {"country": "DE", "key": "at-home"}}, facts=FACTS)


def test_a_password_is_required_unless_somebody_else_vouches() -> None:
    with pytest.raises(RequiredField):
        create(customers, {"email": "new@example.com"}, FACTS)
    changed = create(customers, {"email": "new@example.com", "authenticationMode": "ExternalAuth"}, FACTS)
    assert getattr(changed.others[0].after, "password_hash", "") is None


@pytest.mark.parametrize(
    "email", ["", "anna", "a b@example.com", "@example.com", "anna@", "a@b@c", "a\n@b", "a@" + "b" * 320]
)
def test_what_cannot_be_an_email_is_refused(email: str) -> None:
    with pytest.raises(InvalidField):
        create(customers, DRAFT | {"email": email}, facts_with())
    with pytest.raises(InvalidField):
        update(customers, anna(), {"action": "changeEmail", "email": email}, facts=FACTS)


def test_shoppers_sign_up_with_less() -> None:
    changed = create(customers, DRAFT | {"customerNumber": "1", "isEmailVerified": True}, FACTS, my=True)
    assert changed.resource.customer_number is None
    assert not changed.resource.is_email_verified


# --- whose email it is ---------------------------------------------------------------------

EMAIL = "anna@example.com"


@pytest.mark.parametrize("theirs", [(), (store("dach"),), (store("dach"), store("uk"))], ids=len)
def test_nobody_shares_an_email_with_a_customer_of_the_whole_project(theirs: tuple[Any, ...]) -> None:
    with pytest.raises(DuplicateField) as refusal:
        create(customers, DRAFT, knowing(a_customer("bob", email=EMAIL, stores=theirs), email=EMAIL))
    assert refusal.value.fields == {"field": "email", "duplicateValue": "Anna@Example.com"}


def test_customers_of_different_stores_may_share_an_email() -> None:
    in_uk = a_customer("bob", email=EMAIL, stores=(store("uk"),))
    records = ((stores, a_store("dach")), (stores, a_store("uk")))
    draft = DRAFT | {"stores": [{"typeId": "store", "key": "dach"}]}
    assert create(customers, draft, knowing(in_uk, email=EMAIL, records=records)).resource.stores == (store("dach"),)
    draft = DRAFT | {"stores": [{"typeId": "store", "key": "dach"}, {"typeId": "store", "key": "uk"}]}
    with pytest.raises(DuplicateField):
        create(customers, draft, knowing(in_uk, email=EMAIL, records=records))


def test_leaving_all_stores_needs_an_email_that_is_free_everywhere() -> None:
    mine = a_customer(stores=(store("dach"),))
    facts = knowing(mine, a_customer("bob", email=EMAIL, stores=(store("uk"),)), email=EMAIL)
    with pytest.raises(DuplicateField):
        update(customers, mine, {"action": "setStores", "stores": []}, facts=facts)


def test_changing_only_the_case_of_an_email_meets_nobody() -> None:
    after = update(customers, a_customer(), {"action": "changeEmail", "email": "ANNA@example.com"}, facts=facts_with())
    assert after.resource.email == "ANNA@example.com"


def test_changing_to_somebody_elses_email_is_refused_whatever_its_case() -> None:
    facts = knowing(a_customer("bob"), email="bob@example.com")
    with pytest.raises(DuplicateField):
        update(customers, a_customer(), {"action": "changeEmail", "email": "BOB@example.com"}, facts=facts)


def test_unique_values_guard_the_email_in_the_project_or_in_each_store() -> None:
    assert customers.unique_values(a_customer(email="A@b.c")) == (("lowercaseEmail", "a@b.c"),)
    in_stores = a_customer(email="A@b.c", stores=(store("uk"), store("dach")))
    assert customers.unique_values(in_stores) == (("emailInStore", "uk a@b.c"), ("emailInStore", "dach a@b.c"))


def test_queries_can_ask_for_the_email_in_lower_case() -> None:
    assert customers.searchable is not None
    searchable: Any = customers.searchable(a_customer(email="Anna@Example.com"))
    assert searchable["lowercaseEmail"] == EMAIL


def test_whoever_signs_up_in_a_store_belongs_to_it() -> None:
    facts = knowing(email=EMAIL, records=((stores, a_store("dach")),), store_key="dach")
    assert create(customers, DRAFT, facts).resource.stores == (store("dach"),)


# --- rules of single actions ---------------------------------------------------------------


def test_a_customer_number_stays_for_good() -> None:
    numbered = a_customer(customer_number="1")
    assert update(customers, numbered, {"action": "setCustomerNumber", "customerNumber": "1"}).resource == numbered
    for other in ({"customerNumber": "2"}, {}):
        with pytest.raises(InvalidOperation):
            update(customers, numbered, {"action": "setCustomerNumber"} | other)


def test_removing_an_address_takes_it_out_of_every_use() -> None:
    before = update(customers, anna(), {"action": "setDefaultBillingAddress", "addressId": "home"}).resource
    changed = update(customers, before, {"action": "removeAddress", "addressKey": "at-home"})
    after = changed.resource
    assert [address.id for address in after.addresses] == ["work"]
    assert (after.shipping_address_ids, after.billing_address_ids) == ((), ("work",))
    assert (after.default_shipping_address_id, after.default_billing_address_id) == (None, None)
    assert changed.messages == (told.CustomerAddressRemoved(address=HOME, address_roles=("Shipping", "Billing")),)


def test_an_address_no_longer_used_is_no_longer_the_default() -> None:
    after = update(customers, anna(), {"action": "removeShippingAddressId", "addressId": "home"}).resource
    assert (after.shipping_address_ids, after.default_shipping_address_id) == ((), None)


def test_a_default_can_be_unset_without_losing_the_address() -> None:
    after = update(customers, anna(), {"action": "setDefaultShippingAddress"}).resource
    assert (after.shipping_address_ids, after.default_shipping_address_id) == (("home",), None)


@pytest.mark.parametrize("name", ["changeAddress", "removeAddress", "addShippingAddressId", "removeBillingAddressId"])
def test_an_address_must_be_named_and_exist(name: str) -> None:
    action = {"action": name, "address": {"country": "DE"}}
    with pytest.raises(RequiredField):
        update(customers, anna(), action)
    for missing in (
        {"addressId": "nowhere"},
        {"addressKey": "nowhere"},
        {"addressId": "work", "addressKey": "at-home"},
    ):
        with pytest.raises(InvalidOperation):
            update(customers, anna(), action | missing)


def test_a_new_password_is_an_effect_even_where_the_customer_stays_the_same() -> None:
    action = {"action": "setAuthenticationMode", "authMode": "Password", "password": "other"}
    changed = update(customers, anna(), action, facts=FACTS)
    assert changed.resource.version == 2
    (other,) = changed.others
    assert getattr(other.after, "password_hash", None) == "hash of other"
    assert getattr(other.after, "version", None) == 2


def test_the_mode_password_needs_one_and_leaving_it_forgets_it() -> None:
    with pytest.raises(RequiredField):
        update(customers, anna(), {"action": "setAuthenticationMode", "authMode": "Password"}, facts=FACTS)
    changed = update(customers, anna(), {"action": "setAuthenticationMode", "authMode": "ExternalAuth"}, facts=FACTS)
    assert getattr(changed.others[0].after, "password_hash", "") is None


@pytest.mark.parametrize(
    "action",
    [
        {"action": "setCustomerGroup", "customerGroup": {"typeId": "customer-group", "key": "none"}},
        {"action": "addStore", "store": {"typeId": "store", "key": "none"}},
        {"action": "setCustomType", "type": {"typeId": "type", "key": "none"}},
    ],
    ids=str,
)
def test_what_does_not_exist_is_not_found(action: dict[str, Any]) -> None:
    with pytest.raises(ReferencedResourceNotFound):
        update(customers, anna(), action, facts=FACTS)


@pytest.mark.parametrize("day", ["2001-02-29", "yesterday", "", 20000101])
def test_a_day_that_never_was_does_not_decode(day: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        update(customers, anna(), {"action": "setDateOfBirth", "dateOfBirth": day})


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ({"action": "setTitle", "title": "Dr."}, told.CustomerTitleSet(title="Dr.")),
        ({"action": "setFirstName", "firstName": "A"}, told.CustomerFirstNameSet(first_name="A")),
        (
            {"action": "changeEmail", "email": "new@example.com"},
            told.CustomerEmailChanged(email="new@example.com", old_email="anna@example.com"),
        ),
        (
            {"action": "addStore", "store": {"typeId": "store", "key": "uk"}},
            told.CustomerStoresSet(stores=(store("uk"),), old_stores=()),
        ),
        (
            {"action": "addShippingAddressId", "addressId": "work"},
            told.CustomerShippingAddressAdded(address=WORK),
        ),
    ],
    ids=str,
)
def test_what_changed_is_told(action: dict[str, Any], message: Any) -> None:
    assert update(customers, anna(), action, facts=FACTS).messages == (message,)


def test_custom_fields_that_changed_are_told_with_the_address_they_are_on() -> None:
    before = update(
        customers,
        anna(),
        {"action": "setCustomType", "type": LOYALTY, "fields": {"points": 1}},
        {"action": "setAddressCustomType", "addressId": "home", "type": LOYALTY},
        facts=FACTS,
    ).resource
    changed = update(
        customers,
        before,
        {"action": "setCustomField", "name": "points", "value": 2},
        {"action": "setAddressCustomField", "addressId": "home", "name": "points", "value": 3},
        facts=FACTS,
    )
    assert changed.messages == (
        told.CustomerCustomFieldChanged(name="points", value=2, previous_value=1),
        told.CustomerAddressCustomFieldAdded(name="points", value=3, address_id="home"),
    )


def test_what_did_not_change_is_not_told() -> None:
    assert update(customers, anna(), {"action": "setTitle"}, facts=FACTS).messages == ()
    assert update(customers, anna(), {"action": "setCustomerGroup"}, facts=FACTS).messages == ()


def test_the_credential_goes_with_its_customer() -> None:
    changed = customers.deleted(anna(), FACTS)
    assert [(other.kind, other.before, other.after) for other in changed.others] == [
        (credentials, a_credential(), None)
    ]
    assert changed.messages == (told.CustomerDeleted(email="anna@example.com"),)
