"""One at a time, whichever of the test processes they are in: installing a package does not bear company."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock of this name, which lies in the environment that runs the tests."""
    with (Path(sys.prefix) / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
