"""Programs that no package registry but Debian's has: they are there, are installed on the spot, or a test says how."""

import os
import shutil
import subprocess

import pytest
from tests.locked import locked

INSTALL_SECONDS = 300


def have(package: str, program: str) -> None:
    """See that a program is there: root installs its package, anybody else is asked to."""
    if shutil.which(program):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        pytest.fail(f"This test needs {program}. Install it: sudo apt-get install --no-install-recommends {package}")
    with locked("debian"):
        if not shutil.which(program):
            _install(package)


def _install(package: str) -> None:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", package]
    for words in (["apt-get", "update", "--quiet"], install):
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS, env=quiet)
        if done.returncode != 0:
            pytest.fail(f"{' '.join(words)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
