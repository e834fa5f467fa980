"""The journal: what was kept is on disk, what is half written waits."""

from __future__ import annotations

import asyncio
from pathlib import Path

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
