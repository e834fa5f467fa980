"""What became of a request whose answer was lost: asked for by its idempotency key."""

from __future__ import annotations

import msgspec

from holdfast.base import clock
from holdfast.base.errors import ResourceNotFound
from holdfast.commerce.values.value import Value
from holdfast.handlers.endpoints import Answer, Request, endpoint
from holdfast.handlers.once import acknowledges, place_of
from holdfast.handlers.receipts import acknowledged
from holdfast.handlers.work import Work

# When a request is over, however long its client allowed it: 60 s at most, 12 s more for the outcome
# of a commit, and what a committer holds out when the database goes away under it.
SETTLED_SECONDS = 180


class KeyedAnswer(Value):
    """The first answer under a key: `status` and `body` as they were, and the receipt if they were an order's."""

    key: str
    status: int
    body: msgspec.Raw
    receipt: str | None = None
    created_at: str


@endpoint("GET", "idempotency-keys", "*", scope="", answer=KeyedAnswer)
async def read(work: Work, request: Request) -> Answer:
    """The answer of the request with this key. 404: it has not committed; final once its time is over."""
    (key,) = request.path_values
    kept = await work.store.idempotency.find(place_of(key, work.caller))
    if kept is None:
        raise ResourceNotFound(
            f"No request under the Idempotency-Key '{key[:255]}' has committed. One sent more than "
            f"{SETTLED_SECONDS} s ago never will.",
            retry_after_seconds=SETTLED_SECONDS,
        )
    answer = Answer(kept.body)
    receipt = acknowledged(work, answer).receipt if acknowledges(kept) else None
    created_at = clock.timestamp(kept.created_at)
    body = msgspec.Raw(kept.body)
    return Answer(KeyedAnswer(key=key, status=kept.status, body=body, receipt=receipt, created_at=created_at))
