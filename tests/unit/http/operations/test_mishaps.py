"""What the logs tell of trouble, whatever else stands in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.http.operations.mishaps import (
    FACT_CHARACTERS_MAX,
    MISHAPS_MAX,
    TAIL_BYTES_MAX,
    TRACE_CHARACTERS_MAX,
    mishaps,
)


def line(second: int, level: str = "error", **facts: object) -> str:
    told = {"process": "api-0", "level": level, "at": f"2026-01-31T10:{second // 60:02}:{second % 60:02}.000000Z"}
    return json.dumps({"event": "request.failed", **told, **facts}) + "\n"


def problems(folder: Path) -> list[dict[str, Any]]:
    found = mishaps(folder)
    assert found is not None
    return found.problems


def test_the_newest_of_all_processes_come_first_with_their_request(tmp_path: Path) -> None:
    (tmp_path / "api-0.log").write_text(line(1, correlation_id="abc-1", path="/x") + line(3, "info"))
    (tmp_path / "api-1.log").write_text(line(2, "warning", event="commit.conflict"))
    newest, oldest = problems(tmp_path)
    assert (newest["event"], newest["level"], newest["correlationId"]) == ("commit.conflict", "warning", None)
    assert (oldest["correlationId"], oldest["facts"]) == ("abc-1", {"path": "/x"})


def test_only_so_many_and_so_much_of_each(tmp_path: Path) -> None:
    many = (line(second, reason="r" * 2_000, exception="e" * 9_000 + "Last line") for second in range(60))
    (tmp_path / "api-0.log").write_text("".join(many)[-TAIL_BYTES_MAX:])
    found = problems(tmp_path)
    assert 0 < len(found) <= MISHAPS_MAX
    assert {len(each["facts"]["reason"]) for each in found} == {FACT_CHARACTERS_MAX}
    assert {len(each["exception"]) for each in found} == {TRACE_CHARACTERS_MAX}
    assert all(each["exception"].endswith("Last line") for each in found)


@pytest.mark.parametrize(
    "strange",
    [
        '{"level": "error", "at": ',
        '["level", "error"]',
        '{"level": ["error"], "at": "2026"}',
        '{"level": "error"}',
        '{"level": "error", "at": 5}',
        '2026-01-31 10:00:00 UTC FATAL: "level" error',
        "\x00\xff",
    ],
)
def test_lines_of_others_are_passed_over(tmp_path: Path, strange: str) -> None:
    (tmp_path / "postgres.log").write_text(strange + "\n" + line(1))
    assert len(problems(tmp_path)) == 1


def test_of_a_long_log_only_the_end_is_read(tmp_path: Path) -> None:
    (tmp_path / "api-0.log").write_text(line(1, event="old") + line(2, "info", text="x" * TAIL_BYTES_MAX) + line(3))
    assert [each["event"] for each in problems(tmp_path)] == ["request.failed"]


def test_without_a_folder_of_logs_there_is_nothing_to_read(tmp_path: Path) -> None:
    assert mishaps(tmp_path / "logs") is None
    assert mishaps(tmp_path) == ([], [])


def test_what_circuits_did_is_told_by_itself(tmp_path: Path) -> None:
    moved = line(1, "warning", event="breaker.moved", destination="erp", phase="open", why="9 of 10 failed")
    (tmp_path / "background.log").write_text(moved + line(2))
    found = mishaps(tmp_path)
    assert found is not None
    assert len(found.problems) == 1
    assert found.circuit_moves == [
        {"at": found.circuit_moves[0]["at"], "process": "api-0"}
        | {"destination": "erp", "phase": "open", "why": "9 of 10 failed"}
    ]
