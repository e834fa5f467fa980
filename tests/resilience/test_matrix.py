"""What a buyer sees when a dependency fails: played for every cell, held against the promises and the page."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_asyncio
from tests.resilience.cells import CELLS, DATABASE, FAILURES, Dependency
from tests.resilience.document import PLACE, classes, page
from tests.resilience.play import Row, play

MAY_STOP_A_CHECKOUT: tuple[Dependency, ...] = ("PostgreSQL", "extension, fail closed")


@pytest.fixture(scope="module")
def place(short_folder: Path) -> Path:
    place = short_folder / "matrix"
    place.mkdir(mode=0o711)
    return place


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rows(place: Path) -> list[Row]:
    return await play(place, at_once=True)


def test_every_dependency_fails_in_every_way(rows: list[Row]) -> None:
    assert [row.cell for row in rows] == CELLS
    for dependency in {cell.dependency for cell in CELLS}:
        assert {cell.failure for cell in CELLS if cell.dependency == dependency} == set(FAILURES)


def test_browsing_never_fails_and_is_stale_only_without_the_database(rows: list[Row]) -> None:
    for row in rows:
        expected = {"live", "cached"} | ({"stale"} if row.cell in DATABASE else set())
        for answer in row.pages:
            assert answer.status == 200, (row.cell.name, answer)
            assert answer.served in expected, (row.cell.name, answer)


def test_nothing_but_the_database_stops_a_checkout_unless_it_was_declared_so(rows: list[Row]) -> None:
    for row in rows:
        for answer in (row.visit.cart, row.visit.order):
            may_fail = row.cell.dependency in MAY_STOP_A_CHECKOUT
            assert answer.status == 201 or (may_fail and answer.status in (502, 503, 504)), (row.cell.name, answer)


def test_every_checkout_ends_as_one_order(rows: list[Row]) -> None:
    assert {row.cell.name: row.orders for row in rows if row.orders != 1} == {}


def test_every_event_arrives_or_is_a_dead_letter(rows: list[Row]) -> None:
    for row in rows:
        expected = {"dead letter"} if row.cell.note == "410" else {"delivered", "delivered late"}
        assert row.events in expected, row.cell.name


def test_the_page_tells_what_was_seen(rows: list[Row]) -> None:
    """Written anew by `python -m tests.resilience`."""
    assert classes(PLACE.read_text()) == classes(page(rows))
