"""The second level of kept answers: what one process made, those of other hosts need not make again.

Hosts do not see each other's epochs. So an answer is current here if it was made after the last change this
host knows of, by more than clocks may differ; what other hosts changed shows after the time-to-live, as
with an answer of our own. An older one serves in an outage.
"""

from __future__ import annotations

import time
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from holdfast.http.kept_answer import Keeping, KeptAnswer
from holdfast.http.ladder import STALE_SECONDS_MAX, TTL_SECONDS
from holdfast.outbound.shared_memory import SharedMemory
from holdfast.store.epochs import Epochs

# By how much the clocks of a shop's hosts may differ.
SKEW_SECONDS = 2.0
_FORMAT = 1


class Lying(msgspec.Struct, frozen=True, array_like=True):
    """An answer as it lies on the shelf; `began_ns` is Unix time in nanoseconds."""

    began_ns: int
    body: bytes


class Found(NamedTuple):
    answer: KeptAnswer
    is_current: bool


_lying = msgspec.msgpack.Decoder(Lying)


class Shelf:
    """Kept answers in a memory that hosts share."""

    def __init__(self, memory: SharedMemory, epochs: Epochs) -> None:
        self.memory = memory
        self._epochs = epochs

    async def find(self, keeping: Keeping) -> Found | None:
        """What lies there, as if it had been made here when it was begun."""
        data = await self.memory.get(_place(keeping))
        lying = _read(data) if data is not None else None
        if lying is None:
            return None
        age_seconds = max(0.0, (time.time_ns() - lying.began_ns) / 1e9)
        changed_ns = max(map(self._epochs.read, keeping.slots))
        is_current = age_seconds < TTL_SECONDS and changed_ns + SKEW_SECONDS * 1e9 < lying.began_ns
        answer = KeptAnswer(keeping._replace(began_at=time.monotonic() - age_seconds), lying.body)
        if not is_current:
            answer.fresh_until = answer.began_at
        return Found(answer, is_current)

    def keep(self, answer: KeptAnswer) -> None:
        began_ns = time.time_ns() - int((time.monotonic() - answer.began_at) * 1e9)
        data = msgspec.msgpack.encode(Lying(began_ns, answer.body))
        self.memory.put(_place(answer.keeping), data, STALE_SECONDS_MAX)


def _place(keeping: Keeping) -> str:
    path, query = keeping.key
    name = blake2b(path.encode("utf-8", "surrogateescape") + b"?" + query, digest_size=20).hexdigest()
    return f"holdfast:kept:{_FORMAT}:{keeping.project}:{name}"


def _read(data: bytes) -> Lying | None:
    try:
        return _lying.decode(data)
    except msgspec.DecodeError:
        return None
