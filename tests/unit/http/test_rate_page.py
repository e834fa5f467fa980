"""One bucket for all processes of a host."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

from holdfast.http import rate_page
from holdfast.http.bucket import SECOND, Ask, Tier
from holdfast.http.rate_page import BUCKETS, PLACES, Page

BLOCK_BYTES = 512
PATIENCE_SECONDS = 30
TIER = Tier(per_second=1.0, burst=100.0)
# Takes one token, says so, and waits to be killed with the lock in its hand.
HOLDER = """
import sys, time
from pathlib import Path
from holdfast.http.bucket import Ask, Tier
from holdfast.http.rate_page import Page
page = Page(Path(sys.argv[1]))
page.take(7, Tier(1.0, 100.0), Ask(10.0))
assert page._lock()
print("locked", flush=True)
time.sleep(60)
"""


class Clock:
    def __init__(self) -> None:
        self.now = 1_000 * SECOND

    def __call__(self) -> int:
        return self.now


def took(page: Page, key: int, tokens: float) -> float:
    taken = page.take(key, TIER, Ask(tokens))
    assert taken is not None
    return taken.tokens


def wait(page: Page, key: int, tokens: float) -> int:
    taken = page.take(key, TIER, Ask(tokens))
    assert taken is not None
    return taken.wait_nanoseconds


def test_what_one_takes_the_other_does_not_find(tmp_path: Path) -> None:
    clock = Clock()
    one, other = Page(tmp_path / "rates", clock), Page(tmp_path / "rates", clock)
    assert took(one, 7, 60.0) == 60.0
    assert wait(other, 7, 60.0) == 20 * SECOND
    assert took(other, 8, 60.0) == 60.0
    clock.now += 20 * SECOND
    assert took(other, 7, 60.0) == 60.0


def test_a_bucket_that_is_not_full_keeps_its_place_before_those_that_are(tmp_path: Path) -> None:
    page = Page(tmp_path / "rates", Clock())
    neighbours = [7 + number * (BUCKETS // PLACES) for number in range(PLACES)]
    for key in neighbours:
        page.take(key, TIER, Ask(50.0 if key == 7 else 60.0))
    assert page.forgotten == 0
    assert took(page, neighbours[-1] + BUCKETS // PLACES, 60.0) == 60.0
    assert page.forgotten == 1
    # The one that was nearest to full made room, and is whole again; all others are as they were.
    assert not any(took(page, key, 60.0) for key in neighbours[1:])
    assert took(page, 7, 60.0) == 60.0


def test_a_death_with_the_lock_in_hand_loses_nothing_and_blocks_nobody(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path / "rates"], stdout=subprocess.PIPE)
    assert holder.stdout
    with holder, holder.stdout:
        assert holder.stdout.readline() == b"locked\n"
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait(PATIENCE_SECONDS)
    page = Page(tmp_path / "rates")
    taken = page.take(7, TIER, Ask(1.0))
    assert taken is not None
    assert 88.0 <= taken.left < 100.0  # ten are gone


def test_whoever_is_stopped_with_the_lock_does_not_stop_the_others(tmp_path: Path) -> None:
    clock = Clock()
    page = Page(tmp_path / "rates", clock)
    stopped = os.open(tmp_path / "rates", os.O_RDWR)
    fcntl.flock(stopped, fcntl.LOCK_EX)
    assert page.take(7, TIER, Ask(60.0)) is None
    os.close(stopped)
    assert page.take(7, TIER, Ask(60.0)) is None  # not tried again at once
    clock.now += int(rate_page.ALONE_SECONDS * SECOND)
    assert took(page, 7, 60.0) == 60.0


def test_what_was_taken_elsewhere_counts_here_and_never_backwards(tmp_path: Path) -> None:
    page = Page(tmp_path / "rates", Clock())
    page.raise_to({7: 70 * SECOND, 8: SECOND})
    page.raise_to({7: 10 * SECOND})
    assert wait(page, 7, 31.0) == SECOND


def test_its_room_is_taken_at_the_start_and_not_when_the_disk_may_be_full(tmp_path: Path) -> None:
    Page(tmp_path / "rates")
    assert (tmp_path / "rates").stat().st_blocks * BLOCK_BYTES >= BUCKETS * 16
