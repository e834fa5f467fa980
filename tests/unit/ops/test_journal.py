"""Lines of all processes, in the order they were written."""

from itertools import islice
from pathlib import Path

import pytest

from holdfast.ops.server import hold
from holdfast.ops.server.journal import follow, last_lines
from holdfast.ops.server.layout import Layout
from holdfast.ops.trouble import Trouble


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    layout.create()
    layout.log("api-0").write_text('{"at": "2026-11-21T10:00:01.5Z"}\nTraceback\n{"at": "2026-11-21T10:00:03Z"}\n')
    layout.log("postgres").write_text("2026-11-21 10:00:02.000 UTC [1] LOG:  ready\n")
    return layout


def test_lines_of_several_processes_are_merged_by_their_moment(layout: Layout) -> None:
    lines = last_lines(layout, [], 10)
    assert [process for process, _ in lines] == ["api-0", "api-0", "postgres", "api-0"]
    assert lines[1] == ("api-0", "Traceback")


def test_the_newest_lines_of_one_process(layout: Layout) -> None:
    assert last_lines(layout, ["api-0"], 1) == [("api-0", '{"at": "2026-11-21T10:00:03Z"}')]


def test_a_process_without_a_log_is_named(layout: Layout) -> None:
    with pytest.raises(Trouble, match="api-9") as raised:
        last_lines(layout, ["api-9"], 1)
    assert "api-0, postgres" in raised.value.why


def test_following_shows_new_lines_also_after_the_log_was_emptied(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = follow(layout, ["postgres"])
    moments = iter((b"one\n", None, b"two\n"))

    def something_happens(_seconds: float) -> None:
        fresh = next(moments)
        with layout.log("postgres").open("ab" if fresh else "wb") as file:
            file.write(fresh or b"")

    monkeypatch.setattr("holdfast.ops.server.journal.time.sleep", something_happens)
    assert list(islice(lines, 2)) == [("postgres", "one"), ("postgres", "two")]


def test_a_log_that_grew_too_long_keeps_one_older_part(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold, "LOG_BYTES_MAX", 100)
    text = layout.log("postgres").read_text() * 5
    layout.log("postgres").write_text(text)
    hold.trim_logs(layout)
    assert layout.log("postgres").read_text() == ""
    assert (layout.logs / "postgres.log.1").read_text() == text
    assert layout.log("api-0").read_text()
