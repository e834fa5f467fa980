"""Verdicts on a batch, on paper: arrival order decides, and a refused change leaves no trace."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.base.errors import ConcurrentModification, OutOfStock, ReferencedResourceNotFound, ReferenceExists
from holdfast.commerce.resources.zone import Zone
from holdfast.commerce.stock import StockLevel, StockMovement
from holdfast.store.batch import Ground, Standing, judge
from holdfast.store.change import Change, Drop, Note, Put
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
