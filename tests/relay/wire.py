"""Sinks of the long proof, in the parent process, and the destination through which the relay reaches them.

The wire: a line of JSON with ids, keys and numbers of a batch, answered by a line with an outcome for each.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from holdfast.commerce.resources.subscription.destinations import AnyDestination, WebhookDestination
from holdfast.delivery.destinations.port import ACCEPTED, Delivery, Outcome, Refused, Retry

ANSWER_SECONDS_MAX = 2.0
LINE_BYTES_MAX = 4 * 1024 * 1024


class Mood(NamedTuple):
    """How often a sink misbehaves: batches it never answers, and deliveries it fails or refuses for good."""

    hangs: float = 0.0
    fails: float = 0.0
    refuses: float = 0.0


class Sink:
    """One receiver. Keeps the order in which different messages of a resource first arrived."""

    def __init__(self, name: str, mood: Mood, seed: int) -> None:
        self.name = name
        self.mood = mood
        self.seen: set[str] = set()
        self.first: defaultdict[str, list[int]] = defaultdict(list)
        self.accepted = self.failed = self.refused = self.hung = 0
        self.is_patient = False
        self._chance = random.Random(seed)

    @property
    def duplicates(self) -> int:
        return self.accepted - len(self.seen)

    def take(self, batch: Sequence[tuple[str, str, int]]) -> list[str] | None:
        """An outcome for each delivery (id, key, number), or None for never an answer."""
        if self._chance.random() < self.mood.hangs:
            self.hung += 1
            return None
        return [self._one(*each) for each in batch]

    def _one(self, message: str, key: str, number: int) -> str:
        chance = self._chance.random()
        if chance < self.mood.fails:
            self.failed += 1
            return "retry"
        if chance < self.mood.fails + self.mood.refuses and not self.is_patient and message not in self.seen:
            self.refused += 1
            return "refused"
        self.accepted += 1
        if message not in self.seen:
            self.seen.add(message)
            self.first[key].append(number)
        return "accepted"


async def serve(sinks: dict[str, Sink]) -> asyncio.Server:
    """A door for all sinks; each line says for whom it is."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                name, batch = json.loads(line)
                answer = sinks[name].take(batch)
                if answer is not None:
                    writer.write(json.dumps(answer).encode() + b"\n")
                    await writer.drain()
        except (ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(talk, "127.0.0.1", 0, limit=LINE_BYTES_MAX)


class Wire:
    """The relay's side: a connection for each call under way; one that got no answer is thrown away."""

    batch_max = 50
    parallel_max = 4

    def __init__(self, settings: AnyDestination) -> None:
        assert isinstance(settings, WebhookDestination)
        parts = urlsplit(settings.url)
        self._place = (parts.hostname or "", parts.port or 0)
        self._name = parts.path.strip("/")
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        try:
            reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection(*self._place)
        except OSError as error:
            return [Retry(str(error))] * len(deliveries)
        answer = b""
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                writer.write(json.dumps([self._name, [_facts(each) for each in deliveries]]).encode() + b"\n")
                answer = await reader.readline()
        except (OSError, TimeoutError) as error:
            return [Retry(f"no answer: {type(error).__name__}")] * len(deliveries)
        finally:
            if answer:
                self._idle.append((reader, writer))
            else:
                writer.close()
        meaning: dict[str, Outcome] = {"accepted": ACCEPTED, "retry": Retry("500"), "refused": Refused("410")}
        return [meaning[word] for word in json.loads(answer)] if answer else [Retry("hung up")] * len(deliveries)

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()


def _facts(delivery: Delivery) -> tuple[str, str, int]:
    body = json.loads(delivery.body)
    return delivery.id, delivery.ordering_key, body.get("sequenceNumber", 0)
