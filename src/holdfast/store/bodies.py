"""Bodies as they lie in the database: JSON, compressed where that pays.

An order is three documents of some 5 KB (order, cart, message) that repeat their own field names.
Compressed they are a quarter of that, in the table, in the write-ahead log and on the wire, for
about 15 µs; PostgreSQL spends several times that on the difference. Both forms can be told apart by
their first byte.
"""

from __future__ import annotations

import zstandard

# Below this there is little to win.
PLAIN_BYTES_MAX = 700
LEVEL = 1
# No document of ours grows larger; a damaged size must not ask for the machine's memory.
BODY_BYTES_MAX = 64 * 1024 * 1024
_MAGIC = zstandard.FRAME_HEADER

_compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True, write_content_size=True)
_decompressor = zstandard.ZstdDecompressor()


def packed(body: bytes) -> bytes:
    """A body as it is stored."""
    return body if len(body) <= PLAIN_BYTES_MAX else _compressor.compress(body)


def unpacked(stored: bytes) -> bytes:
    """A body as it is served. Raises ZstdError when it is damaged."""
    if not stored.startswith(_MAGIC):
        return stored
    return _decompressor.decompress(stored, max_output_size=BODY_BYTES_MAX)
