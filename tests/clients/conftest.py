"""A fresh project for each client, and Node with the locked packages."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.npm import installed, tool

RunNode = Callable[[str, dict[str, Any]], dict[str, Any]]

NODE_FOLDER = Path(__file__).parent / "node"
SCRIPT_TIMEOUT_SECONDS = 180


@pytest.fixture(scope="session")
def node_packages() -> Path:
    return installed(NODE_FOLDER)


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
