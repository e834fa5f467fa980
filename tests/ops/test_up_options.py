"""What `holdfast up` starts when it is not told."""

from __future__ import annotations

import argparse
import os

import pytest

from holdfast.cli import up


@pytest.mark.parametrize(("processors", "workers"), [({3}, 1), ({0, 5}, 2), (set(range(8)), 2)])
def test_it_starts_no_more_api_processes_than_it_may_use_processors(
    monkeypatch: pytest.MonkeyPatch, processors: set[int], workers: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: processors)
    parser = argparse.ArgumentParser()
    up.arguments(parser)
    assert up.options_from(parser.parse_args([])).workers == workers
