"""The import contracts hold, and they would notice if they did not."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINTER, "--config", folder / "pyproject.toml", "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={"PYTHONPATH": str(folder / "src"), "PATH": "/usr/bin:/bin"},
    )


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("ops/planted.py", "import holdfast.handlers.endpoints"),
        ("ops/planted.py", "import holdfast.commerce.registry"),
        ("commerce/planted.py", "import holdfast.store.pool"),
        ("commerce/planted.py", "import asyncio"),
        ("handlers/planted.py", "import holdfast.ops.trouble"),
        ("http/planted.py", "import holdfast.delivery.worker"),
        ("base/planted.py", "import holdfast.commerce.registry"),
    ],
)
def test_a_planted_violation_is_reported_with_its_place(tmp_path: Path, file: str, line: str) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "src" / "holdfast" / file).write_text(f'"""Planted."""\n\n{line}\n')
    found = lint(tmp_path)
    assert found.returncode == 1, found.stdout + found.stderr
    planted = f"holdfast.{file.removesuffix('.py').replace('/', '.')} -> {line.removeprefix('import ')}"
    assert f"{planted} (l.3)" in found.stdout


def test_the_picture_of_the_rooms_shows_who_imports_whom() -> None:
    picture = (ROOT / "docs" / "architecture.md").read_text().split("```mermaid", 1)[1].split("```", 1)[0]
    graph = grimp.build_graph("holdfast", cache_dir=None)
    imports = {
        (room_of(module), room_of(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
        # Named in pyproject.toml as the one exception.
        if not (module == "holdfast.ops.bench.rush" and room_of(imported) == "commerce")
    }
    assert set(re.findall(r"(\w+) --> (\w+)", picture)) == {
        (room, imported) for room, imported in imports if imported not in (room, "base")
    }


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""
