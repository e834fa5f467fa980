"""What the relay and a destination agree on.

The relay decides what is sent, in which order and when again; a destination passes on what it is given
and says of each delivery what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class Delivery(NamedTuple):
    """One notification, ready to be sent.

    id: the same at every attempt; receivers drop what they have seen by it. ordering_key: names the resource
    it is about; notifications of one key must arrive in order. subject: what it tells, `OrderCreated` or
    `ResourceUpdated`. attributes: what a receiver may filter by without reading the body.
    """

    id: str
    ordering_key: str
    subject: str
    body: bytes
    content_type: str
    attributes: Mapping[str, str] = {}


class Accepted(NamedTuple):
    """The receiver has it, durably as far as he can say."""


class Retry(NamedTuple):
    """Not now. after_seconds: when the receiver asked to be tried again, if he did."""

    reason: str
    after_seconds: float | None = None


class Refused(NamedTuple):
    """Never, whatever is tried: it becomes a dead letter."""

    reason: str


class Misconfigured(NamedTuple):
    """The destination is gone or does not let us in; every delivery would fare alike until somebody mends it."""

    reason: str


Outcome = Accepted | Retry | Refused | Misconfigured
ACCEPTED = Accepted()


class Destination(Protocol):
    """A receiver of one subscription. Made by a factory that neither connects nor waits.

    batch_max: how many deliveries one `send` takes. parallel_max: how many `send` run at once.
    """

    @property
    def batch_max(self) -> int: ...

    @property
    def parallel_max(self) -> int: ...

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """Pass deliveries on; one outcome for each, in their order.

        No two of them have the same ordering key, so they may go out in any order and all at once. The first
        call connects. It is cancelled when it takes longer than the relay waits; an exception or a cancellation
        means that all of them are tried again.
        """
        ...

    async def close(self) -> None:
        """Hang up. Nothing is sent afterwards."""
        ...
