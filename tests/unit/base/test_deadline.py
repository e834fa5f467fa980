"""The time a request may take, and what it leaves behind."""

from __future__ import annotations

import asyncio
import gc

import pytest

from holdfast.base.deadline import Deadline
from holdfast.base.errors import DeadlineExceeded


async def bounded(seconds: float) -> None:
    with Deadline(seconds):
        await asyncio.sleep(0 if seconds > 1 else 60)


async def test_who_waits_longer_than_he_may_is_ended() -> None:
    with pytest.raises(DeadlineExceeded):
        await bounded(0.001)


async def test_a_request_that_is_over_leaves_nothing_to_the_garbage_collector() -> None:
    """Some thousand cycles of task, context and timer took a tenth of a process under load."""
    await asyncio.create_task(bounded(60.0))
    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            await asyncio.create_task(bounded(60.0))
        assert gc.collect() < 100
    finally:
        gc.enable()
