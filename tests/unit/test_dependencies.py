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
def test_every_package_asked_for_is_locked_and_explained(name: str) -> None:
    locked = set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / "requirements" / f"{name}.txt").read_text(), re.MULTILINE))
    explained = (ROOT / "docs" / "dependencies.md").read_text()
    assert asked_for(name) <= locked
    assert [package for package in asked_for(name) if package not in explained] == []
