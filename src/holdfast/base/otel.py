"""Spans by the OpenTelemetry SDK, sent in batches by a thread of its own. Loaded only where traces are asked for."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import bind_contextvars

from holdfast.base import tracing
from holdfast.base.tracing import NOTHING, Headers

# Of requests whose caller has not decided, unless OTEL_TRACES_SAMPLER says otherwise.
SAMPLED_SHARE = 0.01
# Spans that wait to be sent; more are dropped, and requests never wait for a collector.
QUEUE_SPANS_MAX = 4_096
CLOSE_MILLISECONDS = 3_000
LINKS_MAX = 128

# Whether the request at hand is traced: asking the SDK costs forty times as much.
_recording: ContextVar[bool] = ContextVar("recording", default=False)
_chance = random.Random().random  # noqa: S311 - nobody gains by guessing which request is traced


class Answering:
    """The span of a request."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def answered(self, status: int) -> None:
        self._span.set_attribute("http.response.status_code", status)
        if status >= 500:
            self._span.set_status(StatusCode.ERROR)


class OpenTelemetry:
    """Makes spans. What a request that is not sampled does makes none."""

    def __init__(self, provider: TracerProvider, share: float = 1.0) -> None:
        """share: of requests whose caller has not decided. Those left out do not ask the SDK, which takes 30 µs."""
        self._share = share
        self._provider = provider
        self._tracer = provider.get_tracer("holdfast", version("holdfast"))
        self._propagator = TraceContextTextMapPropagator()

    def request(self, name: str, facts: Mapping[str, Any], headers: Headers) -> AbstractContextManager[tracing.Span]:
        if self._share < 1.0 and b"traceparent" not in headers and _chance() >= self._share:
            return NOTHING
        return self._request(name, facts, headers)

    @contextmanager
    def _request(self, name: str, facts: Mapping[str, Any], headers: Headers) -> Iterator[Answering]:
        carrier = {
            key: headers[key.encode()].decode("latin-1")
            for key in ("traceparent", "tracestate")
            if key.encode() in headers
        }
        begun = self._propagator.extract(carrier, context=Context())
        with self._tracer.start_as_current_span(name, begun, SpanKind.SERVER, facts) as span:
            recording = span.is_recording()
            if recording:
                bind_contextvars(trace_id=f"{span.get_span_context().trace_id:032x}")
            token = _recording.set(recording)
            try:
                yield Answering(span)
            finally:
                _recording.reset(token)

    def child(self, name: str, facts: Mapping[str, Any] | None) -> AbstractContextManager[Any]:
        if not _recording.get():
            return NOTHING
        # A decision that asks for more facts, or refuses, has not failed.
        return self._tracer.start_as_current_span(
            name, attributes=facts, record_exception=False, set_status_on_exception=False
        )

    def batch(self, name: str, members: Sequence[SpanContext | None]) -> AbstractContextManager[Any]:
        links = [Link(member) for member in members if member is not None][:LINKS_MAX]
        if not links:
            return NOTHING
        facts = {"holdfast.changes": len(members)}
        # A child of the first, so that it is sampled with it and found from it; the others find it by their links.
        parent = trace.set_span_in_context(trace.NonRecordingSpan(links[0].context), Context())
        return self._tracer.start_as_current_span(name, parent, attributes=facts, links=links)

    def here(self) -> SpanContext | None:
        return trace.get_current_span().get_span_context() if _recording.get() else None

    def headers(self) -> list[tuple[str, str]]:
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return list(carrier.items())

    def close(self) -> None:
        self._provider.force_flush(CLOSE_MILLISECONDS)
        self._provider.shutdown()


def tracer(process: str, environment: Mapping[str, str]) -> OpenTelemetry:
    """A tracer that sends to the collector the environment names."""
    facts = {"service.version": version("holdfast"), "service.instance.id": process}
    if "OTEL_SERVICE_NAME" not in environment:
        facts["service.name"] = "holdfast"
    # Without a sampler of ours the SDK reads OTEL_TRACES_SAMPLER; its default takes what we let through.
    provider = TracerProvider(resource=Resource.create(facts))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), max_queue_size=QUEUE_SPANS_MAX))
    return OpenTelemetry(provider, 1.0 if "OTEL_TRACES_SAMPLER" in environment else SAMPLED_SHARE)
