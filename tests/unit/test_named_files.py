"""What the tools' settings name is there: a name of something that moved would stand for nothing, in silence."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tests.abreast import IN_TURN

ROOT = Path(__file__).parents[2]
COVERED = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]["report"]["include"]


@pytest.mark.parametrize("pattern", COVERED)
def test_every_file_whose_every_way_must_be_walked_is_there(pattern: str) -> None:
    assert list(ROOT.glob(pattern))


@pytest.mark.parametrize("place", IN_TURN)
def test_every_test_that_wants_the_machine_for_itself_is_there(place: str) -> None:
    assert (ROOT / place).exists()
