"""Requests under an `Idempotency-Key`: the first one decides, every other one gets its answer.

A key commits with the change it is for (work.py), so it is there exactly when the change is. Whoever
comes later finds it; whoever comes at the same time waits: in this process for the first to end,
elsewhere at the database, where the second commit is refused. So a refusal under a key is only
believed after one more look. See docs/decisions/idempotency.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec

from holdfast.base.errors import (
    ApiError,
    IdempotencyKeyReuse,
    IdempotencyKeyTaken,
    InvalidCredentials,
    OverCapacity,
    PendingOperation,
)
from holdfast.commerce.facts import Caller
from holdfast.commerce.resources.order.shape import orders
from holdfast.commerce.values.value import encode
from holdfast.handlers.endpoints import Answer, Request
from holdfast.handlers.receipts import acknowledged
from holdfast.handlers.work import Work
from holdfast.store.idempotency import About, KeptAnswer, KeyPlace, RequestKey

# Keyed requests of one process under way at once; more are told to come back.
UNDER_WAY_MAX = 8_192

# What an answer is about that shows no resource.
_NOBODY = "00000000-0000-0000-0000-000000000000"

Run = Callable[[Work, Request], Awaitable[Answer]]


class _Named(msgspec.Struct):
    """Of an answer's body, which resource it shows."""

    id: str = _NOBODY
    version: int = 0


_named = msgspec.json.Decoder(_Named)


class Once:
    """Runs requests under a key one after the other, and each only as long as nobody has answered it."""

    def __init__(self) -> None:
        # The last one in line for each key.
        self._lines: dict[KeyPlace, asyncio.Future[None]] = {}

    @property
    def lines(self) -> int:
        """Keys with a request under way."""
        return len(self._lines)

    async def answer(self, work: Work, request: Request, run: Run, *, checked: bool = False) -> Answer:
        """The answer under the request's key; with `checked` only for who is let in now as well.

        Raises IdempotencyKeyReuse for another request under it.
        """
        key = work.key
        assert key is not None, "only keyed requests come here"
        async with self._turn(key.place):
            answer = None if checked else await _earlier(work, key)
            if answer is not None:
                return answer
            try:
                answer = await run(work, request)
            except InvalidCredentials:
                raise
            except ApiError as refusal:
                earlier = await _earlier(work, key)
                if earlier is not None:
                    return earlier
                # Taken, yet not to be found: purged in between, or the database has more to tell later.
                raise (PendingOperation() if isinstance(refusal, IdempotencyKeyTaken) else refusal) from None
            return answer if answer.kept else await _keep(work, key, answer)

    @asynccontextmanager
    async def _turn(self, place: KeyPlace) -> AsyncIterator[None]:
        """Wait for those in line before us, however they end. Raises OverCapacity when too many lines are open."""
        before = self._lines.get(place)
        if before is None and len(self._lines) >= UNDER_WAY_MAX:
            raise OverCapacity
        mine = self._lines[place] = asyncio.get_running_loop().create_future()
        try:
            if before is not None:
                await asyncio.wait([before])
            yield
        finally:
            if self._lines.get(place) is mine:
                del self._lines[place]
            mine.set_result(None)


def place_of(key: str, caller: Caller) -> KeyPlace:
    """Keys belong to a client and, where its token names one, to the shopper: all shoppers share a shop's client."""
    owner = caller.client_id
    if caller.customer_id is not None:
        owner = f"{owner} customer:{caller.customer_id}"
    elif caller.anonymous_id is not None:
        owner = f"{owner} anonymous:{caller.anonymous_id}"
    return KeyPlace(caller.project, owner, key)


async def _earlier(work: Work, key: RequestKey) -> Answer | None:
    kept = await work.store.idempotency.find(key.place)
    if kept is None:
        return None
    if kept.fingerprint != key.fingerprint:
        raise IdempotencyKeyReuse(key.place.key)
    answer = Answer(kept.body, created=kept.status == 201, kept=True, replayed=True)
    return acknowledged(work, answer) if acknowledges(kept) else answer


def acknowledges(kept: KeptAnswer) -> bool:
    """Whether an answer told a client of its new order."""
    return kept.kind == orders.name and kept.status == 201


async def _keep(work: Work, key: RequestKey, answer: Answer) -> Answer:
    """Keep an answer that committed nothing; somebody may have been quicker."""
    body = answer.value if isinstance(answer.value, bytes) else encode(answer.value)
    named = _named.decode(body)
    about = About(orders.name if answer.receipt else "", named.id, named.version)
    if await work.store.idempotency.keep(key, 201 if answer.created else 200, about, body):
        return answer._replace(value=body, kept=True)
    earlier = await _earlier(work, key)
    if earlier is None:
        raise PendingOperation
    return earlier
