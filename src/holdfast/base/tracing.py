"""Traces: what a request waited for, told to a collector as OpenTelemetry spans. Off unless asked for.

The usual variables ask: OTEL_TRACES_EXPORTER=otlp, or an OTEL_EXPORTER_OTLP_ENDPOINT (also …_TRACES_ENDPOINT); with
OTEL_SDK_DISABLED=true nothing is sent. Off, a span costs a comparison; the SDK is an extra (`holdfast[otel]`) and is
loaded by whoever turns traces on. A trace that a caller began is continued, and told to whom we call.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol, Self

from holdfast.base.log import log

Headers = Mapping[bytes, bytes]
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Span(Protocol):
    """A request under way."""

    def answered(self, status: int) -> None: ...


class Tracer(Protocol):
    """What makes spans; base/otel.py."""

    def request(self, name: str, facts: Mapping[str, Any], headers: Headers) -> AbstractContextManager[Span]: ...

    def child(self, name: str, facts: Mapping[str, Any] | None) -> AbstractContextManager[Any]: ...

    def batch(self, name: str, members: Sequence[Any]) -> AbstractContextManager[Any]: ...

    def here(self) -> Any: ...

    def headers(self) -> list[tuple[str, str]]: ...

    def close(self) -> None: ...


class _Nothing:
    """A span nobody looks at."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def answered(self, status: int) -> None:
        pass


NOTHING = _Nothing()
_tracer: Tracer | None = None


def configure(process: str, environment: Mapping[str, str]) -> None:
    """Turn traces on where the environment asks for them; called once at a process's start."""
    global _tracer  # noqa: PLW0603 - one for the process, as with logs
    if not is_asked_for(environment):
        return
    try:
        _tracer = importlib.import_module("holdfast.base.otel").tracer(process, environment)
    except ImportError as error:
        log.warning("traces.off", reason=str(error), next="pip install 'holdfast[otel]'")
        return
    log.info("traces.on", process=process)


def is_asked_for(environment: Mapping[str, str]) -> bool:
    """Whether these variables ask for traces, as OpenTelemetry's specification reads them."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "")
    return exporter == "otlp" or (not exporter and any(environment.get(name) for name in _ENDPOINTS))


def close() -> None:
    """Send what has not been sent, within a bounded time, and be off."""
    global _tracer  # noqa: PLW0603 - as above
    if _tracer is not None:
        _tracer.close()
        _tracer = None


def is_on() -> bool:
    return _tracer is not None


def request(name: str, facts: Mapping[str, Any], headers: Headers) -> AbstractContextManager[Span]:
    """The span of a request that came in with these headers."""
    return NOTHING if _tracer is None else _tracer.request(name, facts, headers)


def span(name: str, facts: Mapping[str, Any] | None = None) -> AbstractContextManager[Any]:
    """A step of the request at hand; nothing where no request is traced."""
    return NOTHING if _tracer is None else _tracer.child(name, facts)


def batch(name: str, members: Sequence[Any]) -> AbstractContextManager[Any]:
    """Work done for several requests at once, linked to each of them; `members` are from `here`."""
    return NOTHING if _tracer is None else _tracer.batch(name, members)


def here() -> Any:
    """What a batch links to; None where no request is traced."""
    return None if _tracer is None else _tracer.here()


def headers() -> list[tuple[str, str]]:
    """What tells whom we call to which trace the call belongs."""
    return [] if _tracer is None else _tracer.headers()
