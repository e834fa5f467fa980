"""What is shown of a sale: rates, pauses, and where faults struck."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter

import pytest

from holdfast.ops.drill.chart import NUMBERED_MAX, chart, column_seconds, nice, per_second
from holdfast.ops.drill.pulse import Pause, Pulse
from holdfast.ops.drill.scene import Struck


def struck(at: float) -> Struck:
    return Struck("kill <all>", at, 3, 0.1, 1.0, 1.5, 1.2, 100, 7)


def test_the_longest_pause_counts_from_the_strike_to_the_order_that_ended_it() -> None:
    pause = Pause(began=10.0, last=10.0)
    for second in (10.1, 10.2, 13.0, 13.5):
        pause.beat(second)
    assert pause.longest_seconds == pytest.approx(2.8)
    assert pause.recovered_after_seconds == pytest.approx(3.0)


def test_who_went_on_selling_did_not_have_to_recover() -> None:
    pause = Pause(began=10.0, last=10.0)
    for beat in range(1, 50):
        pause.beat(10 + beat / 10)
    assert pause.recovered_after_seconds == 0


def test_beats_become_rates_of_columns_whatever_their_width() -> None:
    assert per_second(Counter({0: 5, 1: 5, 2: 1}), 0.3, 0.1) == pytest.approx([50, 50, 10])
    assert per_second(Counter({0: 5, 1: 5, 2: 1}), 0.3, 0.2) == pytest.approx([50, 5])
    assert column_seconds(20) == pytest.approx(0.1)
    assert column_seconds(36_000) == pytest.approx(150)


@pytest.mark.parametrize(("value", "top"), [(1, 1), (1.1, 2), (199, 200), (201, 500), (501, 1000)])
def test_scales_end_at_round_numbers(value: float, top: float) -> None:
    assert nice(value) == top


@pytest.mark.parametrize("strikes", [0, 3, NUMBERED_MAX + 1])
def test_the_picture_is_sound_and_marks_every_strike(strikes: int) -> None:
    pulse = Pulse(acknowledged=Counter({1: 3}), failed=Counter({2: 1}))
    picture = ET.fromstring(chart(pulse, 10, [struck(n / 10) for n in range(strikes)]))
    assert len(picture.findall("g")) == strikes
    assert len(picture.findall("g/circle")) == (strikes if strikes <= NUMBERED_MAX else 0)
    assert all("kill <all>" in (title.text or "") for title in picture.findall("g/title"))


def test_a_sale_without_a_single_order_can_be_drawn() -> None:
    ET.fromstring(chart(Pulse(), 0.0, []))
