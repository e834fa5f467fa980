"""The drill's own memory of what the shop said, outside the shop: written and flushed before it counts.

One line an event, JSON arrays, appended. Clients wait for the flush that holds their line; lines that
come meanwhile share the next one.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

# Flushes are this far apart, so that the journal does not take the disk from the shop.
FLUSH_PAUSE_SECONDS = 0.01
LINES_A_PAGE = 5_000

PLACED, REFUSED, UNKNOWN, VIOLATION = "placed", "refused", "unknown", "violation"


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """How one attempt to order a cart ended, or a promise that was seen broken.

    digest: of the body as acknowledged. lines: `SKU×quantity` joined by commas; or what was broken.
    """

    outcome: str
    cart_id: str
    lines: str
    at_ms: int
    order_id: str = ""
    version: int = 0
    digest: str = ""
    attempts: int = 1
    receipt: str = ""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Entry)


class Journal:
    """Appends entries to one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab")
        self._lines: list[bytes] = []
        self._flushed: asyncio.Future[None] | None = None
        self._flushing: asyncio.Task[None] | None = None

    async def keep(self, entry: Entry) -> None:
        """Return once the entry is on disk."""
        self._lines.append(_encoder.encode(entry) + b"\n")
        if self._flushed is None:
            self._flushed = asyncio.get_running_loop().create_future()
        flushed = self._flushed
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        await asyncio.shield(flushed)

    async def _flush(self) -> None:
        while self._flushed is not None:
            flushed, self._flushed = self._flushed, None
            text, self._lines = b"".join(self._lines), []
            await asyncio.to_thread(self._write, text)
            flushed.set_result(None)
            await asyncio.sleep(FLUSH_PAUSE_SECONDS)
        self._flushing = None

    def _write(self, text: bytes) -> None:
        self._file.write(text)
        self._file.flush()
        os.fdatasync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def pages(path: Path, start: int = 0) -> Iterator[tuple[list[Entry], int]]:
    """The entries from a byte position on, a bounded number at a time, each time with the next position."""
    with path.open("rb") as file:
        file.seek(start)
        while lines := list(itertools.takewhile(_is_whole, itertools.islice(file, LINES_A_PAGE))):
            start += sum(map(len, lines))
            yield [_decoder.decode(line) for line in lines], start
            if len(lines) < LINES_A_PAGE:
                # Whatever follows is still being written, or came since: it belongs to the next reader.
                return


def _is_whole(line: bytes) -> bool:
    return line.endswith(b"\n")
