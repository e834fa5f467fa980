"""A sale over time as inline SVG: orders and failed requests a second, faults marked where they struck."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from html import escape

from holdfast.ops.drill.pulse import BEAT_SECONDS, Pulse
from holdfast.ops.drill.scene import Struck

WIDTH, HEIGHT = 1000, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 30, 26
COLUMNS_MAX = 240
# More marks than this stand too close for numbers.
NUMBERED_MAX = 40
BADGE_RADIUS = 9
GRID_LINES = 5
TIME_LABELS = 8


def chart(pulse: Pulse, seconds: float, struck: Sequence[Struck]) -> str:
    """The picture of one scene."""
    width_seconds = column_seconds(seconds)
    orders = per_second(pulse.acknowledged, seconds, width_seconds)
    failures = per_second(pulse.failed, seconds, width_seconds)
    top = nice(max([*orders, *failures, 1.0]))
    plane = Plane(len(orders) * width_seconds, top)
    label = f"{sum(pulse.acknowledged.values())} orders in {seconds:.0f} seconds, {len(struck)} faults"
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">',
        *grid(plane),
        f'<path class="orders" d="{plane.area(orders, width_seconds)}"/>',
        f'<path class="failures" d="{plane.line(failures, width_seconds)}"/>' if any(failures) else "",
        *(mark(plane, number, each, numbered=len(struck) <= NUMBERED_MAX) for number, each in enumerate(struck, 1)),
        "</svg>",
    ]
    return "".join(parts)


class Plane:
    """From seconds and rates to places in the picture."""

    def __init__(self, seconds: float, top: float) -> None:
        self.seconds = max(seconds, BEAT_SECONDS)
        self.top = top

    def x(self, second: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * min(second, self.seconds) / self.seconds

    def y(self, rate: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * rate / self.top

    def line(self, rates: Sequence[float], width_seconds: float) -> str:
        """Steps: a rate holds for the whole of its column."""
        steps = []
        for column, rate in enumerate(rates):
            left, right = self.x(column * width_seconds), self.x((column + 1) * width_seconds)
            steps.append(f"{left:.1f},{self.y(rate):.1f} {right:.1f},{self.y(rate):.1f}")
        return "M" + " L".join(steps)

    def area(self, rates: Sequence[float], width_seconds: float) -> str:
        floor = self.y(0)
        return f"{self.line(rates, width_seconds)} L{self.x(self.seconds):.1f},{floor:.1f} L{LEFT},{floor:.1f} Z"


def column_seconds(seconds: float) -> float:
    """Whole beats, so wide that the columns fit."""
    return BEAT_SECONDS * max(1, math.ceil(seconds / BEAT_SECONDS / COLUMNS_MAX))


def per_second(beats: Counter[int], seconds: float, width_seconds: float) -> list[float]:
    """Counts of beats as rates of columns."""
    beats_a_column = round(width_seconds / BEAT_SECONDS)
    columns = [0] * max(1, math.ceil(seconds / width_seconds))
    for beat, count in beats.items():
        columns[min(beat // beats_a_column, len(columns) - 1)] += count
    return [count / width_seconds for count in columns]


def nice(value: float) -> float:
    """The next round number: 1, 2 or 5 with noughts."""
    power: float = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if value <= step * power)


def grid(plane: Plane) -> list[str]:
    parts = []
    for line in range(GRID_LINES + 1):
        rate = plane.top * line / GRID_LINES
        y = plane.y(rate)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="scale" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{rate:,.0f}</text>')
    for label in range(TIME_LABELS + 1):
        second = plane.seconds * label / TIME_LABELS
        anchor = "end" if label == TIME_LABELS else "middle"
        text = f"{second:.0f} s" if plane.seconds < 600 else f"{second / 60:.0f} min"
        parts.append(
            f'<text class="scale" x="{plane.x(second):.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{text}</text>'
        )
    return parts


def mark(plane: Plane, number: int, struck: Struck, *, numbered: bool) -> str:
    """A line where a fault struck, and a bar for as long as nobody was served."""
    x, end = plane.x(struck.at), plane.x(struck.at + struck.recovered_seconds)
    title = f"<title>{escape(struck.fault)}: sold again after {struck.recovered_seconds:.2f} s</title>"
    badge = (
        f'<circle class="badge" cx="{x:.1f}" cy="{TOP - 14}" r="{BADGE_RADIUS}"/>'
        f'<text class="number" x="{x:.1f}" y="{TOP - 10}" text-anchor="middle">{number}</text>'
        if numbered
        else ""
    )
    return (
        f'<g>{title}<rect class="outage" x="{x:.1f}" y="{TOP}" width="{max(end - x, 1):.1f}" '
        f'height="{HEIGHT - TOP - BOTTOM}"/><line class="strike" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 5}" '
        f'y2="{HEIGHT - BOTTOM}"/>{badge}</g>'
    )
