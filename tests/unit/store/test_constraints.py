"""What a resource claims and whom it points at, read off its body."""

from __future__ import annotations

from holdfast.commerce.resources.category import categories
from holdfast.commerce.resources.zone import Zone, zones
from holdfast.store.constraints import CLAIM_CHARACTERS_MAX, Pointer, claim_value, claims_of, duplicate, pointers_of


def test_a_short_value_is_claimed_as_it_is_and_a_long_one_by_its_hash() -> None:
    longest = "x" * CLAIM_CHARACTERS_MAX
    assert claim_value(longest) == longest
    hashes = {claim_value(longest + end) for end in ("a", "b")}
    assert len(hashes) == 2
    assert all(len(each) == len("sha256:") + 64 and each.startswith("sha256:") for each in hashes)


def test_a_resource_claims_its_key_if_it_has_one() -> None:
    assert claims_of(zones, Zone(id="z", name="Z", key="k")) == (("key", "k"),)
    assert claims_of(zones, Zone(id="z", name="Z")) == ()


def test_a_clash_names_the_owner_where_it_is_known() -> None:
    assert duplicate("zone", "key", "k", "z").fields["conflictingResource"] == {"typeId": "zone", "id": "z"}
    assert duplicate("zone", "key", "k", None).fields == {"field": "key", "duplicateValue": "k"}


def test_references_are_found_wherever_they_stand() -> None:
    body = b'{"parent":{"typeId":"category","id":"p"},"ancestors":[{"typeId":"category","id":"a"},{"x":[1,null]}]}'
    assert pointers_of(categories, body) == {Pointer("category", "p"), Pointer("category", "a")}


def test_only_references_with_an_id_to_kinds_that_are_held_on_to_count() -> None:
    body = b'{"a":{"typeId":"category","key":"k"},"b":{"typeId":"zone","id":"z"},"c":{"typeId":"category","id":7}}'
    assert pointers_of(categories, body) == frozenset()
    assert pointers_of(zones, b'{"a":{"typeId":"category","id":"c"}}') == frozenset()
