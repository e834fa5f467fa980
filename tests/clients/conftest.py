"""A fresh project for each client, and Node with the locked packages."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RunNode = Callable[[str, dict[str, Any]], dict[str, Any]]

NODE_FOLDER = Path(__file__).parent / "node"
INSTALL_TIMEOUT_SECONDS = 120
SCRIPT_TIMEOUT_SECONDS = 180


def tool(name: str) -> str:
    """Take Node from the test environment, whose version is locked; the SDK refuses older ones."""
    return str(Path(sys.executable).parent / name)


@pytest.fixture(scope="session")
def node_packages() -> Path:
    """Install exactly what the lock file says, once; npm keeps a copy of it to tell what is there."""
    installed = NODE_FOLDER / "node_modules" / ".holdfast-lock.json"
    wanted = (NODE_FOLDER / "package-lock.json").read_bytes()
    if not installed.exists() or installed.read_bytes() != wanted:
        # npm is a script that starts `node` by name: it must find the one beside it.
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
        subprocess.run(
            [tool("npm"), "ci", "--no-audit", "--no-fund"],
            cwd=NODE_FOLDER,
            env={**os.environ, "PATH": path},
            check=True,
            timeout=INSTALL_TIMEOUT_SECONDS,
        )
        installed.write_bytes(wanted)
    return NODE_FOLDER


@pytest.fixture
def run_node(node_packages: Path) -> RunNode:
    def run(script: str, plan: dict[str, Any]) -> dict[str, Any]:
        """Run a script as a child process: the plan goes in, the summary comes out."""
        done = subprocess.run(
            [tool("node"), script],
            cwd=node_packages,
            input=json.dumps(plan),
            capture_output=True,
            text=True,
            check=False,
            timeout=SCRIPT_TIMEOUT_SECONDS,
        )
        assert done.returncode == 0, f"{script} failed:\n{done.stderr[-8000:]}"
        summary: dict[str, Any] = json.loads(done.stdout)
        return summary

    return run
