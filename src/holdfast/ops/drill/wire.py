"""As much of PostgreSQL's wire protocol as it takes to see a COMMIT go by, and its answer come back.

A message is one byte of type, four of length (itself included), and the rest. The first thing a
client sends has no type byte: its start, or the question for TLS, which is answered with one byte.
"""

from __future__ import annotations

from collections.abc import Iterator

HEAD_BYTES = 5
START_BYTES = 4
TLS_ASKED = (8).to_bytes(4, "big") + (80_877_103).to_bytes(4, "big")
NO_TLS = b"N"
COMMIT = b"commit"
ROLLBACK = b"rollback"
# Longer messages are never a COMMIT: their rest is skipped, not kept.
KEPT_BYTES_MAX = 256


class Messages:
    """Cuts a stream into messages: their type, the beginning of their body, and where in the piece they end."""

    def __init__(self, *, started: bool) -> None:
        self._head = b""
        self._body = bytearray()
        self._missing = 0
        self._started = started

    def of(self, piece: bytes) -> Iterator[tuple[bytes, bytes, int]]:
        at = 0
        while at < len(piece):
            if not self._missing:
                at = self._take_head(piece, at)
            else:
                taken = min(self._missing, len(piece) - at)
                room = KEPT_BYTES_MAX - len(self._body)
                self._body += piece[at : at + min(taken, max(room, 0))]
                self._missing -= taken
                at += taken
            if self._is_whole():
                yield self._head[:-START_BYTES], bytes(self._body), at
                self._next()

    def _take_head(self, piece: bytes, at: int) -> int:
        """Take what is there of the next head; where it ended."""
        size = HEAD_BYTES if self._started else START_BYTES
        taken = piece[at : at + size - len(self._head)]
        self._head += taken
        if len(self._head) == size:
            self._missing = int.from_bytes(self._head[-START_BYTES:], "big") - START_BYTES
        return at + len(taken)

    def _is_whole(self) -> bool:
        size = HEAD_BYTES if self._started else START_BYTES
        return len(self._head) == size and not self._missing

    def _next(self) -> None:
        asked_for_tls = not self._started and self._head + self._body == TLS_ASKED
        self._started = self._started or not asked_for_tls
        self._head = b""
        self._body.clear()


class Client:
    """What a client says: where its commits end, whether sent as text or as a prepared statement."""

    def __init__(self) -> None:
        self._messages = Messages(started=False)
        self._prepared: set[bytes] = set()
        self._bound = False

    def commits(self, piece: bytes) -> Iterator[int]:
        """The places in a piece at which a request to commit is complete."""
        for kind, body, end in self._messages.of(piece):
            if self._is_commit(kind, body):
                yield end

    def _is_commit(self, kind: bytes, body: bytes) -> bool:
        match kind:
            case b"Q":
                return is_commit(body)
            case b"P":
                name, _, rest = body.partition(b"\0")
                (self._prepared.add if is_commit(rest) else self._prepared.discard)(name)
            case b"B":
                _portal, name = body.split(b"\0")[:2]
                self._bound = name in self._prepared
            case b"E":
                return self._bound
        return False


class Server:
    """What a server says: whether it has answered a COMMIT."""

    def __init__(self) -> None:
        self._messages = Messages(started=True)
        self._spoke = False

    def answers_commit(self, piece: bytes) -> bool:
        """Whether a piece completes the answer to a COMMIT, one that became a ROLLBACK included."""
        if not self._spoke and piece == NO_TLS:
            return False
        self._spoke = True
        tags = [body.rstrip(b"\0").lower() for kind, body, _ in self._messages.of(piece) if kind == b"C"]
        return COMMIT in tags or ROLLBACK in tags


def is_commit(text: bytes) -> bool:
    return text.partition(b"\0")[0].strip(b" ;\n").lower() == COMMIT
