"""How long a client wants to wait, from its headers.

`X-Request-Timeout: 1500` (milliseconds, or `1500ms`, `1.5s`) and `X-Request-Deadline` (a moment: ISO 8601,
or milliseconds since 1970). The earlier one counts. Without any, DEFAULT_SECONDS; never more than MAX_SECONDS.
"""

from __future__ import annotations

import re

from holdfast.base import clock
from holdfast.base.errors import DeadlineExceeded, InvalidField

DEFAULT_SECONDS = 20.0
MAX_SECONDS = 60.0
TIMEOUT_HEADER = "X-Request-Timeout"
DEADLINE_HEADER = "X-Request-Deadline"
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s)?", re.ASCII)
_UNIX_MILLISECONDS = re.compile(r"\d{1,15}", re.ASCII)


def seconds_left(timeout: bytes | None, deadline: bytes | None, now: float) -> float:
    """Seconds the request may take from `now` (Unix time).

    Raises InvalidField naming the header, DeadlineExceeded when it is too late already.
    """
    seconds = MAX_SECONDS if timeout or deadline else DEFAULT_SECONDS
    if timeout is not None:
        seconds = min(seconds, _duration(timeout.decode("latin-1").strip()))
    if deadline is not None:
        seconds = min(seconds, _moment(deadline.decode("latin-1").strip()) - now)
    if seconds <= 0:
        raise DeadlineExceeded
    return seconds


def _duration(text: str) -> float:
    found = _DURATION.fullmatch(text)
    seconds = float(found[1]) / (1 if found[2] == "s" else 1_000) if found else 0.0
    if seconds <= 0:
        raise InvalidField(TIMEOUT_HEADER, text[:100], f"{TIMEOUT_HEADER} is a duration: 1500, 1500ms or 1.5s.")
    return seconds


def _moment(text: str) -> float:
    if _UNIX_MILLISECONDS.fullmatch(text):
        return int(text) / 1_000
    try:
        return clock.parse(text).timestamp()
    except (ValueError, OverflowError):
        raise InvalidField(
            DEADLINE_HEADER, text[:100], f"{DEADLINE_HEADER} is a moment: ISO 8601, or milliseconds since 1970."
        ) from None
