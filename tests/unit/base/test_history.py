"""Samples for error budgets: bounded files that a crash cannot spoil."""

from pathlib import Path

from holdfast.base.history import HOURS, MINUTES, keep, samples
from holdfast.base.slo import SLOS, Events, Sample

START = 1_800_000_000.0


def a_sample(at: float, total: float = 1.0) -> Sample:
    return Sample(at, (Events(total, total),) * len(SLOS))


def test_a_folder_nobody_has_written_to_has_no_samples(tmp_path: Path) -> None:
    assert samples(tmp_path / "slo") == []


def test_the_last_sample_of_a_minute_is_kept(tmp_path: Path) -> None:
    for seconds in (0, 15, 30, 60, 75):
        keep(tmp_path, a_sample(START + seconds, seconds))
    assert [sample.at - START for sample in samples(tmp_path)] == [30, 75]


def test_days_are_kept_by_the_minute_and_a_month_by_the_hour(tmp_path: Path) -> None:
    steps = HOURS.slots + 10
    for hour in range(steps):
        keep(tmp_path, a_sample(START + hour * 3_600.0))
    found = samples(tmp_path)
    assert len(found) == HOURS.slots
    assert [sample.at for sample in found] == sorted({sample.at for sample in found})
    assert found[-1].at == START + (steps - 1) * 3_600
    assert (tmp_path / HOURS.name).stat().st_size <= HOURS.slots * 200
    assert (tmp_path / MINUTES.name).stat().st_size <= MINUTES.slots * 200


def test_a_torn_sample_was_never_taken(tmp_path: Path) -> None:
    keep(tmp_path, a_sample(START))
    keep(tmp_path, a_sample(START + 60.0))
    for ring in (MINUTES, HOURS):
        content = bytearray((tmp_path / ring.name).read_bytes())
        content[-1] ^= 1
        (tmp_path / ring.name).write_bytes(content)
    assert len(samples(tmp_path)) == 1
