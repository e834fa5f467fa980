"""What requests under an `Idempotency-Key` were answered, so that the same request gets the same answer.

The committer writes an answer in the transaction that makes it true. Only the answer of a request
that had nothing to commit is written here, by itself: it says what is, not what was done.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from holdfast.store.bodies import packed, unpacked
from holdfast.store.coalescer import Coalescer
from holdfast.store.pool import Database
from holdfast.store.queries import columns, queries

KEPT_DAYS = 30
PURGE_BATCH_MAX = 1_000

_SQL = queries("idempotency")


class KeyPlace(NamedTuple):
    """Whose key it is: keys of one project, client and shopper are unknown to all others."""

    project: str
    owner: str
    key: str


class RequestKey(NamedTuple):
    """A key as a request brings it. `fingerprint` tells requests under one key apart."""

    place: KeyPlace
    fingerprint: bytes


class KeptAnswer(NamedTuple):
    """The first answer under a key. `kind` is the type of the resource it is about, empty where there is none."""

    fingerprint: bytes
    status: int
    kind: str
    body: bytes
    created_at: datetime


class About(NamedTuple):
    """The resource an answer is about."""

    kind: str
    id: str
    version: int


class Idempotency:
    """The answers under keys, of all projects."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._answers: Coalescer[KeyPlace, KeptAnswer | None] = Coalescer(self._load)

    async def find(self, place: KeyPlace) -> KeptAnswer | None:
        """What the first request under this key was answered; None as long as it has not committed."""
        return await self._answers.ask(place)

    async def keep(self, key: RequestKey, status: int, about: About, body: bytes) -> bool:
        """Keep the answer of a request that had nothing to commit; False when there is one already."""
        row = (*key.place, key.fingerprint, status, *about, packed(body))
        done = await self._database.execute(_SQL["keep_answer"], *row)
        return done.endswith("1")

    async def _load(self, places: Sequence[KeyPlace]) -> Sequence[KeptAnswer | None]:
        found: list[KeptAnswer | None] = [None] * len(places)
        for row in await self._database.fetch_keyed(_SQL["find_answers"], *columns(list(places), 3)):
            answer = KeptAnswer(
                row["fingerprint"], row["status"], row["kind"], unpacked(row["body"]), row["created_at"]
            )
            found[row["n"] - 1] = answer
        return found


async def purge_answers(database: Database) -> int:
    """Forget a batch of answers older than KEPT_DAYS; answers how many."""
    done = await database.execute(_SQL["purge_answers"], KEPT_DAYS, PURGE_BATCH_MAX)
    return int(done.rpartition(" ")[2])
