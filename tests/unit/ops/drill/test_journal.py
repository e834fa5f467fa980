"""The journal: what was kept is on disk, what is half written waits."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from holdfast.ops.drill import journal as journals
from holdfast.ops.drill.journal import PLACED, Entry, Journal, pages


def entry(number: int) -> Entry:
    return Entry(PLACED, f"cart-{number}", "A×1", number, f"order-{number}", 1, "digest")


async def test_what_was_kept_can_be_read_by_anybody_at_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    await asyncio.gather(*(journal.keep(entry(number)) for number in range(50)))
    read = [each for entries, _ in pages(journal.path) for each in entries]
    assert sorted(each.at_ms for each in read) == list(range(50))
    journal.close()


async def test_reading_goes_on_where_it_ended_and_leaves_a_half_written_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    await journal.keep(entry(1))
    with journal.path.open("ab") as file:
        file.write(b'["placed","cart-2"')
    [(entries, position)] = pages(journal.path)
    assert entries == [entry(1)]
    with journal.path.open("ab") as file:
        file.write(b',"A\xc3\x971",2,"order-2",1,"digest"]\n')
    [(entries, _)] = pages(journal.path, position)
    assert entries == [entry(2)]
    journal.close()


async def test_a_long_journal_comes_in_pages(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    await asyncio.gather(*(journal.keep(entry(number)) for number in range(journals.LINES_A_PAGE + 1)))
    journal.close()
    assert [len(entries) for entries, _ in pages(journal.path)] == [journals.LINES_A_PAGE, 1]


class Growing(io.RawIOBase):
    """A file that ends within a line when it is read first, and has grown when it is read on."""

    def __init__(self, *readings: bytes) -> None:
        self._readings = iter(readings)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, position: int, _whence: int = 0) -> int:
        return position

    def readinto(self, buffer: Any) -> int:
        reading = next(self._readings, b"")
        buffer[: len(reading)] = reading
        return len(reading)


def test_a_line_that_is_being_written_while_it_is_read_waits_for_the_next_reader() -> None:
    whole = b'["placed","c","A\xc3\x971",1]\n'
    path = MagicMock(spec=Path)
    path.open.return_value = io.BufferedReader(Growing(whole + whole[:9], b"", whole[9:] + whole))
    [(entries, position)] = pages(path)
    assert (len(entries), position) == (1, len(whole))
