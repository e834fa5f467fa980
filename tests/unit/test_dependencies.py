"""What is installed is what is written down, pinned by hash, and told in docs/dependencies.md."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETS = ("runtime", "build", "dev", "mutation")


def asked_for(name: str) -> set[str]:
    lines = (ROOT / "requirements" / f"{name}.in").read_text().splitlines()
    return {re.split(r"[;<>= ]", line)[0] for line in lines if line and line[0] not in "#-"}


def test_every_set_is_looked_at() -> None:
    assert {file.stem for file in (ROOT / "requirements").glob("*.in")} == set(SETS)


def test_the_package_asks_for_what_the_running_shop_is_locked_to() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {re.split(r"[;<>= ]", line)[0] for line in project["dependencies"]} == asked_for("runtime")


@pytest.mark.parametrize("name", SETS)
def test_every_locked_package_has_hashes_and_no_address(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    pins = re.findall(r"^[a-z0-9.-]+==\S+.*?(?=^[a-z]|\Z)", text, re.MULTILINE | re.DOTALL)
    assert len(pins) == len(re.findall(r"^[a-z]", text, re.MULTILINE))
    assert all("--hash=sha256:" in pin for pin in pins)
    assert not re.search(r"https?://|index-url|find-links", text)


@pytest.mark.parametrize("name", SETS)
def test_every_package_asked_for_is_locked(name: str) -> None:
    locked = set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / "requirements" / f"{name}.txt").read_text(), re.MULTILINE))
    assert asked_for(name) <= locked


def test_every_package_asked_for_is_explained_once_and_nothing_else_is() -> None:
    explained = re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE)
    assert sorted(explained) == sorted(set().union(*map(asked_for, SETS)))


def test_tests_have_every_extra() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    packages = {re.split(r"[;<>= ]", line)[0] for lines in extras.values() for line in lines}
    assert {package for package in packages if not package.startswith("holdfast[")} <= asked_for("dev")
