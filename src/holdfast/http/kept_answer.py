"""An answer that is kept: what it shows, under which conditions it may be given again, and its headers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from holdfast.http.conditional import etag, is_held
from holdfast.http.headers import USUAL, Headers
from holdfast.http.ladder import PRIVATE, TTL_SECONDS, Ladder, Step
from holdfast.http.measured import endpoint_of

if TYPE_CHECKING:
    from holdfast.http.auth import Seen

ABSENT_SECONDS = 2.0
# What an answer takes beside its body: its key, headers and objects.
ENTRY_BYTES = 1_536

# Bodies begin with what they show, so the first id is theirs.
_ID = re.compile(rb'"id":"([0-9A-Za-z-]{1,64})"')
_VARY = (b"vary", b"authorization")
_SERVED = {step: (b"x-holdfast-served", step.value.encode()) for step in Step}
_CACHED = _SERVED[Step.CACHED]
_WARNING = (b"warning", b'110 - "Response is Stale"')
_AGES = [(b"age", b"%d" % seconds) for seconds in range(TTL_SECONDS + 1)]

SERVED_LIVE = _SERVED[Step.LIVE]
SERVED_REFUSED = _SERVED[Step.REFUSED]

Key = tuple[str, bytes]


class Keeping(NamedTuple):
    """What must be known before an answer is made, to tell later whether it is still true.

    single: whether it shows one resource, so that HEAD means the same without its body.
    slots: where the epochs of what it shows are; epoch: what they were.
    """

    key: Key
    project: str
    scope: str
    store_key: str | None
    kind: str
    ladder: Ladder
    single: bool
    slots: tuple[int, ...]
    epoch: int
    began_at: float


class KeptAnswer:
    """An answer, ready to be sent: 200, or the 404 of something that is not there."""

    __slots__ = (
        "began_at",
        "body",
        "endpoint",
        "epoch",
        "fresh_until",
        "headers",
        "keeping",
        "reader",
        "slot",
        "status",
        "tag",
    )

    def __init__(self, keeping: Keeping, body: bytes, status: int = 200) -> None:
        self.keeping = keeping
        self.body = body
        self.status = status
        self.epoch = keeping.epoch
        self.slot = keeping.slots[0] if len(keeping.slots) == 1 else None
        self.began_at = keeping.began_at
        self.fresh_until = keeping.began_at + (TTL_SECONDS if status == 200 else ABSENT_SECONDS)
        # The token that read it last, and so may.
        self.reader: Seen | None = None
        self.endpoint = endpoint_of("GET", keeping.key[0])
        self.tag = etag(body)
        self.headers: Headers = [*USUAL, (b"cache-control", keeping.ladder.cache_control if status == 200 else PRIVATE)]
        if status == 200:
            self.headers += [_VARY, (b"etag", self.tag), (b"surrogate-key", _surrogate_key(keeping, body))]

    @property
    def size_bytes(self) -> int:
        return len(self.body) + ENTRY_BYTES

    def is_held(self, if_none_match: bytes) -> bool:
        return self.status == 200 and is_held(if_none_match, self.tag)

    def headers_as(self, step: Step, age_seconds: int) -> Headers:
        """What is said beside the body, in a list of its own."""
        if step is Step.CACHED:
            return [*self.headers, _CACHED, _AGES[age_seconds]]
        if step is Step.STALE:
            return [*self.headers, _SERVED[step], (b"age", b"%d" % age_seconds), _WARNING]
        return [*self.headers, _SERVED[step]]


def _surrogate_key(keeping: Keeping, body: bytes) -> bytes:
    """By which name a CDN forgets it: a resource by kind and id, a page by the kind of what it lists."""
    names = [keeping.project, keeping.kind]
    found = _ID.search(body) if keeping.single else None
    if found is not None:
        names.append(found[1].decode())
    return "/".join(names).encode()
