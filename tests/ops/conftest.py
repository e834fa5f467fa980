"""Shops that a test may break: each has a folder and processes of its own."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.conftest import Shop, start_shop, stop_shop, wait_for_shop

Start = Callable[..., tuple[Shop, subprocess.Popen[bytes]]]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder the database's account can reach."""
    place = Path(tempfile.mkdtemp(prefix="holdfast-"))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts shops, and ends those that still run when the test is over."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(data: Path, *options: str) -> tuple[Shop, subprocess.Popen[bytes]]:
        (data / "ready.json").unlink(missing_ok=True)
        process = start_shop(data, *options)
        started.append(process)
        return wait_for_shop(data, process), process

    yield begin
    for process in started:
        if process.poll() is None:
            stop_shop(process)
