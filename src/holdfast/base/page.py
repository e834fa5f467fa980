"""A file that several processes map into their memory."""

from __future__ import annotations

import mmap
import os


def mapped(handle: int, size_bytes: int) -> mmap.mmap:
    """Its memory. Its room is taken now: a page without room on a full disk kills whoever writes to it.

    Raises OSError where there is no room.
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size_bytes)
    else:
        os.ftruncate(handle, size_bytes)
    return mmap.mmap(handle, size_bytes)
