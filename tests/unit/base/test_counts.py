"""Numbers of a host: nothing is lost by a kill or a restart, nothing counted twice, and nothing old taken for new."""

import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.base import counts as module
from holdfast.base.counts import PAGE_BYTES, TOLD_BYTES_MAX, Counts, Figure, read_pages, summed
from holdfast.base.series import COMMIT_CHANGES, ORDERS, place

PLACED = place(ORDERS, "placed")

# A process that counts as told and then waits to be killed.
COUNTING = """
import sys
from pathlib import Path
from holdfast.base.counts import Counts, Figure
from holdfast.base.series import ORDERS, place
counts = Counts()
counts.open(Path(sys.argv[1]), sys.argv[2])
for _ in range(int(sys.argv[3])):
    counts.add(place(ORDERS, "placed"))
counts.tell([Figure("holdfast_gate_limit", 40.0)])
print(counts.process, flush=True)
sys.stdin.read()
"""


def counting(folder: Path, role: str, orders: int) -> tuple[subprocess.Popen[str], str]:
    """A process that has counted so many orders, and the name of its page."""
    command = [sys.executable, "-c", COUNTING, str(folder), role, str(orders)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def placed(folder: Path) -> float:
    return summed(read_pages(folder))[PLACED]


def test_two_processes_add_up_and_a_killed_one_keeps_its_share(tmp_path: Path) -> None:
    first, first_name = counting(tmp_path, "api-0", 3)
    second, _ = counting(tmp_path, "api-1", 4)
    assert (first_name, placed(tmp_path)) == ("api-0", 7)
    kill(first)
    assert placed(tmp_path) == 7
    heir, name = counting(tmp_path, "api-0", 5)
    assert (name, placed(tmp_path)) == ("api-0", 12)
    kill(heir)
    kill(second)
    assert placed(tmp_path) == 12


def test_a_process_that_drains_and_its_heir_do_not_share_a_page(tmp_path: Path) -> None:
    draining, first_name = counting(tmp_path, "api-0", 1)
    heir, heir_name = counting(tmp_path, "api-0", 1)
    assert (first_name, heir_name) == ("api-0", "api-0.1")
    assert placed(tmp_path) == 2
    kill(draining)
    kill(heir)


def test_what_a_killed_process_told_is_soon_not_true_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process, _ = counting(tmp_path, "api-0", 1)
    kill(process)
    (page,) = read_pages(tmp_path)
    assert page.told is not None
    assert page.told.figures == [Figure("holdfast_gate_limit", 40.0)]
    assert page.is_fresh(page.told.at + 1)
    assert not page.is_fresh(page.told.at + module.FRESH_SECONDS + 1)
    monkeypatch.setattr(module, "FORGOTTEN_SECONDS", -1.0)
    assert read_pages(tmp_path)[0].told is None


def test_a_process_that_ends_as_it_should_is_not_missed(tmp_path: Path) -> None:
    counts = Counts()
    counts.open(tmp_path, "background")
    counts.add(PLACED)
    counts.tell([Figure("holdfast_gate_limit", 40.0)])
    counts.close()
    (page,) = read_pages(tmp_path)
    assert (page.told, page.numbers[PLACED]) == (None, 1)


def test_a_page_of_another_layout_is_begun_anew_and_never_added_up(tmp_path: Path) -> None:
    (tmp_path / "api-0").write_bytes(struct.pack("<8sII", b"holdfast", 1, 0) + b"\1" * (PAGE_BYTES - 16))
    (tmp_path / "torn").write_bytes(b"\1" * 100)
    assert read_pages(tmp_path) == []
    counts = Counts()
    counts.open(tmp_path, "api-0")
    counts.add(PLACED)
    assert summed(read_pages(tmp_path))[PLACED] == 1
    counts.close()


def test_a_half_written_telling_is_not_believed(tmp_path: Path) -> None:
    counts = Counts()
    counts.open(tmp_path, "api-0")
    counts.tell([Figure("holdfast_gate_limit", 40.0)])
    content = bytearray((tmp_path / "api-0").read_bytes())
    at = content.index(b"holdfast_gate_limit")
    with (tmp_path / "api-0").open("r+b") as file:
        file.seek(at)
        file.write(b"x")
    assert read_pages(tmp_path)[0].told is None
    counts.close()


def test_more_than_there_is_room_for_is_not_told(tmp_path: Path) -> None:
    counts = Counts()
    counts.open(tmp_path, "api-0")
    counts.tell([Figure("x" * 100, 1.0)] * (TOLD_BYTES_MAX // 100))
    (page,) = read_pages(tmp_path)
    assert page.told is not None
    assert page.told.figures == []
    counts.close()


def test_a_folder_that_cannot_be_used_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    counts = Counts()
    counts.open(tmp_path / "file" / "counts", "api-0")
    counts.add(PLACED)
    counts.tell([])
    assert read_pages(tmp_path / "file" / "counts") == []
    counts.close()


def test_a_histogram_counts_a_value_at_its_bound_below_it(tmp_path: Path) -> None:
    counts = Counts()
    counts.open(tmp_path, "api-0")
    for value in (1.0, 1.5, 2.0, 300.0):
        counts.observe(COMMIT_CHANGES, value)
    first = place(COMMIT_CHANGES)
    assert list(counts.numbers[first : first + COMMIT_CHANGES.width]) == [1, 2, 0, 0, 0, 0, 0, 0, 0, 1, 304.5]
    counts.close()


def test_a_page_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    counts = Counts()
    counts.open(tmp_path / "counts", "api-0")
    assert (tmp_path / "counts").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "counts" / "api-0").stat().st_mode & 0o777 == 0o600
    counts.close()
