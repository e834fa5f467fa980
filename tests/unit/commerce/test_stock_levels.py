"""The counters of an entry, movement by movement."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest

from holdfast.commerce.stock import GUARDED, NO_STOCK, StockLevel, StockMovement, moved

KINDS = get_args(get_type_hints(StockMovement)["kind"])
SOUND = [StockLevel(on_stock, reserved) for on_stock in range(4) for reserved in range(on_stock + 1)]


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        ("reserve", (5, 4)),
        ("backorder", (5, 4)),
        ("adopt", (5, 2)),
        ("track", (3, 2)),
        ("release", (5, 0)),
        ("receive", (7, 2)),
        ("count", (2, 2)),
    ],
)
def test_each_movement_does_what_its_name_says(kind: Any, after: tuple[int, int]) -> None:
    assert moved(StockLevel(5, 2), StockMovement(kind, "e", 2)) == after


def test_a_reservation_takes_the_last_unit_and_no_more() -> None:
    assert moved(StockLevel(5, 2), StockMovement("reserve", "e", 3)) == (5, 5)
    assert moved(StockLevel(5, 2), StockMovement("reserve", "e", 4)) is None
    assert moved(StockLevel(5, 2), StockMovement("backorder", "e", 4)) == (5, 6)


def test_nobody_gives_back_more_than_is_held() -> None:
    assert moved(StockLevel(5, 2), StockMovement("release", "e", 9)) == (5, 0)


def test_what_nobody_counted_is_nothing() -> None:
    assert moved(NO_STOCK, StockMovement("reserve", "e", 1)) is None
    assert moved(NO_STOCK, StockMovement("receive", "e", 3)) == (3, 0)
    assert moved(NO_STOCK, StockMovement("backorder", "e", 3)) == (0, 3)


def test_guarded_movements_never_take_a_sound_level_below_zero_and_all_others_may() -> None:
    below = {kind for kind in KINDS if any(goes_below(kind, level) for level in SOUND)}
    assert set(KINDS) - below == GUARDED


def goes_below(kind: Any, level: StockLevel) -> bool:
    after = [moved(level, StockMovement(kind, "e", quantity)) for quantity in (-2, 1, 2)]
    if kind not in ("receive", "count"):
        after = after[1:]
    return any(each is not None and each.available < 0 for each in after)
