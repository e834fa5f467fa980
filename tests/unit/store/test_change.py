"""What a decision asks to be written: resources, what they claim and point at, messages, an answer."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.unit.commerce.builders.cart import a_cart

from holdfast.commerce.messages.message import Message
from holdfast.commerce.registry import Changed, Other
from holdfast.commerce.resources.cart.shape import carts
from holdfast.commerce.resources.category import Category, categories
from holdfast.commerce.resources.zone import Zone, zones
from holdfast.commerce.stock import StockMovement
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.value import encode
from holdfast.store.bodies import unpacked
from holdfast.store.change import Change, Reply, Subject, change_of
from holdfast.store.constraints import Pointer

THEN, NOW = "2026-01-01T00:00:00.000Z", "2026-01-31T10:00:00.000Z"
REPLY = Reply("client", "key", b"f", 200)


class WholeTold(Message):
    zone: Zone | msgspec.Raw
    name: str
    remark: str | None = None


def a_zone(id: str = "z", version: int = 1, **fields: Any) -> Zone:
    return Zone(id=id, version=version, last_modified_at=NOW, name="Z", **fields)


def a_category(*ancestors: str, version: int = 1) -> Category:
    references = tuple(Reference(type_id="category", id=id) for id in ancestors)
    return Category(
        id="c",
        version=version,
        last_modified_at=NOW,
        name={"en": "x"},
        slug={"en": "x"},
        order_hint="0.5",
        ancestors=references,
    )


def made(resource: Zone, before: Zone | None = None, **side: Any) -> Change:
    return change_of("shop", zones, before, Changed(resource, **side))


def test_a_new_resource_expects_nothing_and_claims_what_is_its_own() -> None:
    (put,) = made(a_zone(key="k")).puts
    assert (put.kind, put.id, put.expected) == ("zone", "z", 0)
    assert (put.body, unpacked(put.stored), put.query) == (encode(put.resource),) * 3
    assert (put.claims, put.disclaims) == ((("key", "k"),), ())


def test_an_update_claims_what_is_new_and_gives_up_what_is_gone() -> None:
    (put,) = made(a_zone(version=2, key="new"), a_zone(key="old")).puts
    assert (put.expected, put.claims, put.disclaims) == (1, (("key", "new"),), (("key", "old"),))
    (put,) = made(a_zone(version=2, key="same"), a_zone(key="same")).puts
    assert (put.claims, put.disclaims) == ((), ())


def test_an_update_points_at_what_is_new_and_no_longer_at_what_is_gone() -> None:
    change = change_of("shop", categories, a_category("a", "b"), Changed(a_category("b", "c", version=2)))
    (put,) = change.puts
    assert (put.points, put.unpoints) == ((Pointer("category", "c"),), (Pointer("category", "a"),))
    (put,) = change_of("shop", categories, None, Changed(a_category("a"))).puts
    assert (put.points, put.unpoints) == ((Pointer("category", "a"),), ())


def test_who_holds_on_to_nothing_is_not_looked_through() -> None:
    (put,) = made(a_zone(version=2), a_zone()).puts
    assert (put.points, put.unpoints) == ((), ())


def test_what_queries_see_leaves_out_what_no_query_may_ask_for() -> None:
    cart = a_cart()
    assert carts.searchable is not None
    (put,) = change_of("shop", carts, None, Changed(cart)).puts
    assert put.query == encode(carts.searchable(cart)) != put.body


def test_a_deletion_gives_up_everything() -> None:
    change = change_of("shop", categories, a_category("a", version=3), Changed(a_category("a")), delete=True)
    (drop,) = change.drops
    assert (change.puts, drop.kind, drop.id, drop.expected) == ([], "category", "c", 3)
    assert drop.unpoints == (Pointer("category", "a"),)
    (drop,) = change_of("shop", zones, a_zone(key="k"), Changed(a_zone()), delete=True).drops
    assert (drop.disclaims, drop.unpoints, drop.notes) == ((("key", "k"),), (), ())


def test_others_are_made_changed_and_deleted_along_with_it() -> None:
    others = (
        Other(zones, None, a_zone("new", key="k")),
        Other(zones, a_zone("changed", key="old"), a_zone("changed", 2)),
        Other(zones, a_zone("gone", 7, key="g"), None),
    )
    change = made(a_zone(), messages=(WholeTold(zone=a_zone(), name="n"),), others=others)
    assert [(put.id, put.expected) for put in change.puts] == [("z", 0), ("new", 0), ("changed", 1)]
    assert [put.disclaims for put in change.puts] == [(), (), (("key", "old"),)]
    (drop,) = change.drops
    assert (drop.kind, drop.id, drop.expected, drop.disclaims) == ("zone", "gone", 7, (("key", "g"),))
    assert [len(item.notes) for item in change.items] == [1, 0, 0, 0]


def test_a_message_carries_the_resource_as_it_is_stored() -> None:
    zone = a_zone()
    (put,) = made(zone, messages=(WholeTold(zone=zone, name="n"), WholeTold(zone=a_zone("other"), name="n"))).puts
    own, other = put.notes
    assert (own.type, own.id != other.id) == ("WholeTold", True)
    assert unpacked(own.stored) == encode(WholeTold(zone=zone, name="n"))
    assert msgspec.json.decode(unpacked(other.stored))["zone"]["id"] == "other"
    assert put.body in unpacked(own.stored)


def test_a_deletion_tells_what_is_gone() -> None:
    told = WholeTold(zone=a_zone(), name="n")
    (drop,) = change_of("shop", zones, a_zone(), Changed(a_zone(), (told,)), delete=True).drops
    assert [unpacked(note.stored) for note in drop.notes] == [encode(told)]


def test_an_answer_is_that_of_the_first_resource_or_the_last_body_of_what_goes() -> None:
    change = change_of("shop", zones, None, Changed(a_zone()), reply=REPLY)
    assert change.reply == REPLY
    gone = a_zone(version=4)
    change = change_of("shop", zones, gone, Changed(gone), delete=True, reply=REPLY)
    assert change.reply is not None
    assert unpacked(change.reply.stored) == encode(gone)
    own = REPLY._replace(stored=b"own")
    assert change_of("shop", zones, gone, Changed(gone), delete=True, reply=own).reply == own


def test_a_change_is_about_its_first_resource() -> None:
    assert made(a_zone(version=3), a_zone(version=2)).subject == Subject("zone", "z", 3, NOW)
    gone = change_of("shop", zones, a_zone(version=4), Changed(a_zone()), delete=True)
    assert gone.subject[:3] == ("zone", "z", 4)
    assert gone.subject.at == gone.drops[0].at > THEN


@pytest.mark.parametrize("delete", [True, False])
def test_stock_moves_with_the_change(delete: bool) -> None:
    movement = StockMovement("release", "e", 1)
    zone = a_zone()
    change = change_of("shop", zones, zone, Changed(replace(zone, version=2), stock=(movement,)), delete=delete)
    assert change.stock == (movement,)
