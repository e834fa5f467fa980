"""Logs are events with facts, one JSON object a line, on standard error.

    log.info("order.placed", order_id=order.id, commit_ms=elapsed_ms)

Whoever starts the process decides where the lines go; `holdfast up` collects them under
`logs/` in the data folder, where `holdfast logs` reads them.
"""

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

# Facts with these names never reach a line, whatever a caller passes.
SECRETS = frozenset({"password", "secret", "client_secret", "token", "access_token", "refresh_token", "authorization"})

log: structlog.stdlib.BoundLogger = structlog.get_logger()
# Commands are not configured: what they have to say besides never stands among the data they print.
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


def configure(process: str, level: str = "info", stream: TextIO = sys.stderr) -> None:
    """Send every line of this process to the stream as JSON; called once at its start."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            hide_secrets,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", Patient(stream))),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)


def hide_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in SECRETS & event.keys():
        event[name] = "***"
    return event


class Patient:
    """A stream for lines that may be lost: a full disk under the log must not stop the work that is logged."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            return 0

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()
