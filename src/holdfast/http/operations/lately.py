"""What a slow look gave lately: whoever asks gets it at once, with its age, even while the next look hangs.

The page is needed most when the database is slow or away. So it never waits long for anything: a look runs by
itself, one at a time however many ask, and what it found last stays until there is something newer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

from holdfast.base.errors import ApiError
from holdfast.base.log import log

T = TypeVar("T")

# Whoever asks waits so long for a look that is under way, then takes what there is.
WAIT_SECONDS_MAX = 0.25
# A look is given up after so long.
LOOK_SECONDS_MAX = 3.0


class Seen(NamedTuple, Generic[T]):
    """What was seen and how long ago; `trouble` is why there is nothing newer."""

    value: T | None
    age_seconds: float | None
    trouble: str | None


class Lately(Generic[T]):
    """A look that is worth keeping for a moment."""

    def __init__(self, look: Callable[[], Awaitable[T]], kept_seconds: float) -> None:
        self._look = look
        self._kept_seconds = kept_seconds
        self._value: T | None = None
        self._seen_at: float | None = None
        self._looked_at = float("-inf")
        self._trouble: str | None = None
        self._looking: asyncio.Task[None] | None = None

    async def seen(self) -> Seen[T]:
        """What was seen last, after a new look if that is soon done."""
        if self._looking is None and time.monotonic() - self._looked_at >= self._kept_seconds:
            self._looking = asyncio.create_task(self._look_again())
        if self._looking is not None:
            await asyncio.wait({self._looking}, timeout=WAIT_SECONDS_MAX)
        age = None if self._seen_at is None else time.monotonic() - self._seen_at
        return Seen(self._value, age, self._trouble)

    async def _look_again(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS_MAX):
                self._value = await self._look()
            self._seen_at, self._trouble = time.monotonic(), None
        except TimeoutError:
            self._trouble = f"No answer within {LOOK_SECONDS_MAX:g} s."
        except ApiError as error:
            self._trouble = error.message
        except Exception as error:  # noqa: BLE001 - the edge of a part of the page: logged and shown, the rest goes on
            log.exception("operations.look_failed")
            self._trouble = type(error).__name__
        finally:
            self._looked_at = time.monotonic()
            self._looking = None
