"""Packages that tests take from npm, as their lock files say, with the Node of the test environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.locked import locked

INSTALL_TIMEOUT_SECONDS = 120


def tool(name: str) -> str:
    """Take Node from the test environment, whose version is locked; some packages refuse older ones."""
    return str(Path(sys.executable).parent / name)


def installed(folder: Path) -> Path:
    """Install exactly what the lock file says, once; npm keeps a copy of it to tell what is there."""
    there = folder / "node_modules" / ".holdfast-lock.json"
    wanted = (folder / "package-lock.json").read_bytes()
    with locked("npm"):
        if not there.exists() or there.read_bytes() != wanted:
            _install(folder)
            there.write_bytes(wanted)
    return folder


def _install(folder: Path) -> None:
    # npm is a script that starts `node` by name: it must find the one beside it.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    subprocess.run(
        [tool("npm"), "ci", "--no-audit", "--no-fund"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        check=True,
        timeout=INSTALL_TIMEOUT_SECONDS,
    )
