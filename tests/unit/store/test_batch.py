"""Verdicts on a batch, on paper: arrival order decides, and a refused change leaves no trace."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.base.errors import (
    ConcurrentModification,
    DuplicateField,
    IdempotencyKeyTaken,
    InvalidOperation,
    OutOfStock,
    ReferencedResourceNotFound,
    ReferenceExists,
    ResourceNotFound,
)
from holdfast.commerce.resources.zone import Zone
from holdfast.commerce.stock import StockLevel, StockMovement
from holdfast.commerce.tally import Tally
from holdfast.store.batch import Ground, Moved, Standing, Told, judge
from holdfast.store.change import Change, Drop, Note, Put, Reply, Subject
from holdfast.store.constraints import Pointer

P = "shop"
NOW = "2026-11-27T00:00:00.000Z"
NOTE = Note("m", "Told", b"{}")
NAMES = (f"new-{number}" for number in count())


def ground(stock: dict[str, int] | None = None, versions: dict[str, int] | None = None) -> Ground:
    levels = {(P, entry): StockLevel(units, 0) for entry, units in (stock or {}).items()}
    standings = {("zone", P, name): Standing(version, 0) for name, version in (versions or {}).items()}
    return Ground(standings, levels, set(standings), {})


def put(name: str, expected: int = 0, points: Sequence[str] = (), notes: int = 0) -> Put:
    zone = Zone(id=name, version=expected + 1, last_modified_at=NOW, name=name)
    pointers = tuple(Pointer("zone", target) for target in points)
    return Put("zone", name, expected, zone, b"{}", b"{}", b"{}", (), (), pointers, (), (NOTE,) * notes)


def change(*puts: Put, stock: Sequence[StockMovement] = (), drops: Sequence[Drop] = ()) -> Change:
    """A change of these parts; one that only moves stock is about a new resource of its own."""
    return Change(P, puts or (() if drops else (put(next(NAMES)),)), drops, stock)


def drop(name: str, expected: int = 1) -> Drop:
    return Drop("zone", name, expected, "", (), (), ())


def reserve(quantity: int, entry: str = "e") -> StockMovement:
    return StockMovement("reserve", entry, quantity, entry, f"line of {entry}")


def test_the_first_of_two_updates_of_a_version_wins() -> None:
    first, second = judge([change(put("a", 1)), change(put("a", 1))], ground(versions={"a": 1}))
    assert first is None
    assert isinstance(second, ConcurrentModification)
    assert second.fields["currentVersion"] == 2


def test_the_same_new_id_twice_is_made_once() -> None:
    first, second = judge([change(put("a")), change(put("a"))], ground())
    assert first is None
    assert isinstance(second, ConcurrentModification)


def test_a_refused_change_takes_no_stock() -> None:
    place = ground({"e": 3})
    verdicts = judge([change(stock=[reserve(2), reserve(2)]), change(stock=[reserve(3)])], place)
    assert isinstance(verdicts[0], OutOfStock)
    assert verdicts[1] is None
    assert place.level((P, "e")).available == 0


def test_lines_of_one_item_count_together() -> None:
    (verdict,) = judge([change(stock=[reserve(2), reserve(2)])], ground({"e": 3}))
    assert isinstance(verdict, OutOfStock)
    assert verdict.fields == {"lineItems": ["line of e"], "skus": ["e"]}


def test_a_change_whose_version_is_stale_moves_nothing() -> None:
    place = ground({"e": 1}, {"a": 5})
    judge([change(put("a", 4), stock=[reserve(1)])], place)
    assert place.level((P, "e")) == StockLevel(1, 0)
    assert place.standings["zone", P, "a"].version == 5


def test_sequence_numbers_go_on_from_change_to_change() -> None:
    place = ground(versions={"a": 1})
    judge([change(put("a", 1, notes=2)), change(put("a", 2, notes=3))], place)
    assert place.standings["zone", P, "a"] == Standing(3, 5)


def test_a_target_that_goes_earlier_in_the_batch_is_not_there() -> None:
    verdicts = judge([change(drops=[drop("a")]), change(put("b", points=["a"]))], ground(versions={"a": 1}))
    assert verdicts[0] is None
    assert isinstance(verdicts[1], ReferencedResourceNotFound)


def test_a_target_pointed_at_earlier_in_the_batch_stays() -> None:
    verdicts = judge([change(put("b", points=["a"])), change(drops=[drop("a")])], ground(versions={"a": 1}))
    assert verdicts[0] is None
    assert isinstance(verdicts[1], ReferenceExists)


def test_resources_made_together_may_point_at_each_other() -> None:
    assert judge([change(put("a", points=["b"]), put("b", points=["a"]))], ground()) == [None]


def test_what_is_said_last_is_numbered_too() -> None:
    place = ground(versions={"a": 1})
    judge([change(drops=[drop("a")._replace(notes=(NOTE, NOTE))])], place)
    assert [(told.last, told.version) for told in place.told] == [(2, 1)]


# --- what a refusal says -------------------------------------------------------------------


def test_a_stale_update_says_which_version_it_expected_and_which_there_is() -> None:
    (verdict,) = judge([change(put("a", 4))], ground(versions={"a": 6}))
    assert isinstance(verdict, ConcurrentModification)
    assert verdict.fields == ConcurrentModification("a", 4, 6).fields
    assert verdict.message == ConcurrentModification("a", 4, 6).message


def test_a_stale_deletion_says_which_version_it_expected_and_which_there_is() -> None:
    (verdict,) = judge([change(drops=[drop("a", 4)])], ground(versions={"a": 6}))
    assert isinstance(verdict, ConcurrentModification)
    assert verdict.fields == ConcurrentModification("a", 4, 6).fields
    assert verdict.message == ConcurrentModification("a", 4, 6).message


def test_what_is_not_there_is_named() -> None:
    for absent in (change(put("a", 4)), change(drops=[drop("a", 4)])):
        (verdict,) = judge([absent], ground())
        assert isinstance(verdict, ResourceNotFound)
        assert verdict.message == ResourceNotFound.by_id("a").message


def test_a_target_that_is_missing_is_named_with_its_type() -> None:
    (verdict,) = judge([change(put("b", points=["a"]))], ground())
    assert isinstance(verdict, ReferencedResourceNotFound)
    assert verdict.fields == ReferencedResourceNotFound("zone", id="a").fields


def test_a_deletion_is_told_who_points_there() -> None:
    verdicts = judge([change(put("b", points=["a"])), change(drops=[drop("a")])], ground(versions={"a": 1}))
    (_, refused) = verdicts
    assert isinstance(refused, ReferenceExists)
    assert refused.fields == ReferenceExists("zone").fields
    known = ground(versions={"a": 1})
    known.referrers["zone", P, "a"] = "cart"
    (refused,) = judge([change(drops=[drop("a")])], known)
    assert isinstance(refused, ReferenceExists)
    assert refused.fields == ReferenceExists("cart").fields


# --- values, keys and tallies --------------------------------------------------------------


def claiming(name: str, key: str, expected: int = 0) -> Put:
    return put(name, expected)._replace(claims=(("key", key),))


def test_a_value_belongs_to_the_first_of_a_batch_and_the_others_are_told_whose_it_is() -> None:
    first, second = judge([change(claiming("a", "k")), change(claiming("b", "k"))], ground())
    assert first is None
    assert isinstance(second, DuplicateField)
    assert second.fields == {
        "field": "key",
        "duplicateValue": "k",
        "conflictingResource": {"typeId": "zone", "id": "a"},
    }


def test_a_value_is_claimed_once_within_a_change_too() -> None:
    (refused,) = judge([change(claiming("a", "k"), claiming("b", "k"))], ground())
    assert isinstance(refused, DuplicateField)
    assert refused.fields["conflictingResource"]["id"] == "a"
    assert judge([change(claiming("a", "k"), claiming("b", "other"))], ground()) == [None]


@pytest.mark.parametrize("how", ["put", "drop"])
def test_a_value_that_is_given_up_is_free_for_the_next_of_the_batch(how: str) -> None:
    given_up = (("key", "k"),)
    second = (
        change(put("a", 1)._replace(disclaims=given_up))
        if how == "put"
        else change(drops=[drop("a", 1)._replace(disclaims=given_up)])
    )
    place = ground()
    assert judge([change(claiming("a", "k")), second, change(claiming("b", "k"))], place) == [None] * 3
    assert place.claims == {(P, "zone", "key", "k"): "b"}


def test_a_value_given_up_and_claimed_in_one_change_changes_hands() -> None:
    swap = change(put("a", 1)._replace(disclaims=(("key", "k"),)), claiming("b", "k", 1))
    place = ground(versions={"a": 1, "b": 1})
    assert judge([swap], place) == [None]
    assert place.claims == {(P, "zone", "key", "k"): "b"}


def keyed(key: str, client: str = "client") -> Change:
    return change()._replace(reply=Reply(client, key, b"f", 201))


def test_a_key_is_used_once_in_a_batch_by_each_client() -> None:
    verdicts = judge([keyed("k"), keyed("k"), keyed("other"), keyed("k", "another")], ground())
    assert [verdict is None for verdict in verdicts] == [True, False, True, True]
    assert isinstance(verdicts[1], IdempotencyKeyTaken)
    assert str(verdicts[1]) == str(IdempotencyKeyTaken("k"))


def test_the_key_of_a_refused_change_is_free() -> None:
    refused = change(put("gone", 3))._replace(reply=Reply("client", "k", b"f", 201))
    verdicts = judge([refused, keyed("k")], ground())
    assert [verdict is None for verdict in verdicts] == [False, True]


SPENT = InvalidOperation("It is used up.")


def using(amount: int, name: str = "code", limit: int | None = 3) -> Change:
    return change()._replace(tallies=[Tally(name, amount, limit, SPENT)])


def test_uses_of_a_batch_count_together_from_what_was_found() -> None:
    place = ground()
    place.found_tallies[P, "code"] = 1
    assert judge([using(1), using(2), using(1), using(1, "other")], place) == [None, SPENT, None, None]
    assert place.tallies == {(P, "code"): 3, (P, "other"): 1}


def test_uses_of_a_change_count_together_and_leave_no_trace_when_refused() -> None:
    place = ground({"e": 5})
    twice = [Tally("code", 2, 3, SPENT), Tally("code", 2, 3, SPENT)]
    assert judge([change(stock=[reserve(1)])._replace(tallies=twice)], place) == [SPENT]
    assert (place.tallies, place.level((P, "e")), place.ledger) == ({}, StockLevel(5, 0), [])
    assert judge([change()._replace(tallies=[twice[0], Tally("code", 1, 3, SPENT)])], place) == [None]
    assert place.tallies == {(P, "code"): 3}


# --- what was accepted ---------------------------------------------------------------------


def test_messages_say_what_they_are_about_and_when() -> None:
    place = ground(versions={"a": 1})
    judge([change(put("a", 1, notes=1)), change(drops=[drop("a", 2)._replace(at="then", notes=(NOTE,))])], place)
    row = ("zone", P, "a")
    assert place.told == [Told(row, (NOTE,), 1, 2, NOW), Told(row, (NOTE,), 2, 2, "then")]
    assert (place.standings, place.held) == ({}, set())


def test_what_was_made_can_be_pointed_at_by_the_next_of_the_batch() -> None:
    place = ground()
    assert judge([change(put("a")), change(put("b", points=["a"]))], place) == [None, None]
    assert place.referrers == {("zone", P, "a"): "zone"}
    assert place.held == {("zone", P, "a"), ("zone", P, "b")}


def test_the_ledger_says_what_moved_what_for_and_when() -> None:
    place = ground({"e": 5})
    movements = [reserve(2), StockMovement("release", "e", 9, at="earlier"), StockMovement("track", "f", 1)]
    judge([change(put("a"), stock=movements)], place)
    subject = Subject("zone", "a", 1, NOW)
    assert place.ledger == [
        Moved((P, "e"), "reserve", 0, 2, subject),
        Moved((P, "e"), "release", 0, -2, subject._replace(at="earlier")),
        Moved((P, "f"), "track", -1, 0, subject),
    ]


@pytest.mark.parametrize("kind", ["track", "backorder", "receive", "count", "release"])
def test_only_reservations_can_be_refused(kind: str) -> None:
    (verdict,) = judge([change(stock=[StockMovement(kind, "e", 7)])], ground())  # type: ignore[arg-type]
    assert verdict is None


@given(
    units=st.integers(0, 30),
    baskets=st.lists(
        st.lists(st.tuples(st.sampled_from("ef"), st.integers(1, 5)), min_size=1, max_size=3), max_size=20
    ),
)
def test_what_is_sold_and_what_is_left_is_what_there_was(units: int, baskets: list[list[tuple[str, int]]]) -> None:
    place = ground({"e": units, "f": units})
    changes = [change(stock=[reserve(quantity, entry) for entry, quantity in basket]) for basket in baskets]
    verdicts = judge(changes, place)
    for entry in "ef":
        sold = sum(
            movement.quantity
            for one, verdict in zip(changes, verdicts, strict=True)
            if verdict is None
            for movement in one.stock
            if movement.entry_id == entry
        )
        level = place.level((P, entry))
        assert level == StockLevel(units, sold)
        assert level.available >= 0
