"""The one client for calls to the outside.

    client = Client(allowed_of(config.outbound_allow))
    response = await client.send(Destination("sunrise webhook 4711", url), Request(headers=…, body=…))

Every call has a bound on time, size and company, a breaker and a retry budget of its destination. Each
process knows for itself how its destinations fare: a breaker that is shared would be one more thing to break.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from holdfast.base import tracing
from holdfast.outbound.addresses import Allowed
from holdfast.outbound.breaker import Policy
from holdfast.outbound.destination import Destination, Request, Response, check_sendable
from holdfast.outbound.errors import OutboundError, TooManyCalls
from holdfast.outbound.line import Figures, Line, told

if TYPE_CHECKING:
    from holdfast.outbound.transport import Transport

# Destinations a process remembers; of more, those called longest ago begin anew.
DESTINATIONS_MAX = 1_000
# Pauses before a retry lie between nothing and this, doubled each time (full jitter).
PAUSE_SECONDS = 0.1
PAUSE_SECONDS_MAX = 2.0
# Answers that another attempt may better. Whoever says 429 has asked not to be asked.
WORTH_ANOTHER = frozenset({500, 502, 503, 504})

_chance = random.Random().random  # noqa: S311 - spreads attempts; nobody gains by guessing it

Judge = Callable[[Response], bool]


def is_healthy(response: Response) -> bool:
    """Whether an answer speaks for the destination: refusing a request is no fault, falling over is."""
    return response.status < 500 and response.status != 429


class Client:
    """Calls destinations. Belongs to one event loop; `close` it at the end."""

    def __init__(self, allowed: Allowed, *, policy: Policy | None = None, transport: Transport | None = None) -> None:
        self._allowed = allowed
        self._policy = policy or Policy()
        self._transport = transport
        self._lines: OrderedDict[str, Line] = OrderedDict()
        self._opening = asyncio.Lock()

    async def send(self, destination: Destination, request: Request, *, judge: Judge = is_healthy) -> Response:
        """The answer, whatever its status. Raises OutboundError, which says whether the request may have arrived.

        judge: whether an answer speaks for its destination. Being cancelled speaks neither for nor against it.
        """
        check_sendable(destination, request)
        line = await self._line(destination)
        line.called()
        until = asyncio.get_running_loop().time() + destination.total_seconds
        for attempt in range(1, request.attempts_max + 1):
            last = attempt == request.attempts_max
            response = None
            try:
                with tracing.span("call", {"holdfast.destination": destination.name, "holdfast.attempt": attempt}):
                    response = await _attempted(line, destination, request, until, judge)
                if last or response.status not in WORTH_ANOTHER or not request.is_repeatable:
                    return response
            except OutboundError as error:
                if last or not error.counts or (error.may_have_arrived and not request.is_repeatable):
                    raise
                if not await _paused(line, attempt, until):
                    raise
            else:
                if not await _paused(line, attempt, until):
                    return response
        raise AssertionError("the last attempt returns or raises")

    async def _line(self, destination: Destination) -> Line:
        transport = self._transport or await self._opened()
        line = self._lines.get(destination.name)
        if line is not None and line.destination == destination:
            self._lines.move_to_end(destination.name)
            return line
        outdated = self._lines.pop(destination.name, None)
        line = self._lines[destination.name] = Line(destination, transport.connections(destination), self._policy)
        for gone in [outdated] if outdated else self._surplus():
            await gone.retire()
        return line

    async def _opened(self) -> Transport:
        """The transport, made by the first who calls, beside the event loop: it takes a tenth of a second."""
        async with self._opening:
            if self._transport is None:
                self._transport = await asyncio.to_thread(_transport, self._allowed)
        return self._transport

    def _surplus(self) -> list[Line]:
        surplus = []
        while len(self._lines) > DESTINATIONS_MAX:
            name = next((name for name, line in self._lines.items() if line.is_idle), None)
            if name is None:
                break
            surplus.append(self._lines.pop(name))
        return surplus

    @property
    def allowed(self) -> Allowed:
        """What may be called beside the public internet."""
        return self._allowed

    def figures(self) -> list[Figures]:
        """How things stand with each destination this process has called."""
        return [line.figures() for line in self._lines.values()]

    async def close(self) -> None:
        """Hang up on all of them."""
        lines = list(self._lines.values())
        self._lines.clear()
        for line in lines:
            await line.retire()
        if self._transport is not None:
            self._transport.close()


def _transport(allowed: Allowed) -> Transport:
    # Late: most shops call nobody, and none of them needs it to start.
    from holdfast.outbound.transport import Transport  # noqa: PLC0415

    return Transport(allowed)


async def _attempted(line: Line, destination: Destination, request: Request, until: float, judge: Judge) -> Response:
    """One attempt: a place among the calls under way, the breaker's leave, the exchange and what it says."""
    line.check_closed()
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(until) as waiting, line.place():
            waiting.reschedule(None)
            turn = line.admit()
            began, good, error = time.monotonic(), None, ""
            try:
                response = await line.connections.exchange(destination, request, seconds=until - loop.time())
                good = judge(response)
                error = "" if good else f"status {response.status}"
            except OutboundError as problem:
                good, error = (False if problem.counts else None), told(problem)
                raise
            finally:
                line.judge(turn, time.monotonic() - began, good=good, error=error)
            return response
    except TimeoutError:
        line.counts.refused_busy += 1
        raise TooManyCalls(f"'{destination.host}' answers too slowly for all who call it.") from None


async def _paused(line: Line, attempt: int, until: float) -> bool:
    """Wait before the next attempt; False where the budget or the time does not reach that far."""
    pause = _chance() * min(PAUSE_SECONDS_MAX, PAUSE_SECONDS * 2 ** (attempt - 1))
    if asyncio.get_running_loop().time() + pause >= until or not line.may_retry():
        return False
    await asyncio.sleep(pause)
    return True
