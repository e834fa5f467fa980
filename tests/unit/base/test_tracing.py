"""Traces: nothing unless asked for, and what a trace says of a request, its batch and whom it calls."""

import asyncio
from collections.abc import Iterator, Mapping

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from structlog.contextvars import clear_contextvars, get_contextvars

from holdfast.base import tracing
from holdfast.base.otel import OpenTelemetry

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = {b"traceparent": f"00-{TRACE}-{PARENT}-01".encode()}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What a tracer that follows its callers' decisions has told."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=ParentBased(ALWAYS_OFF))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", OpenTelemetry(provider))
    yield exporter
    clear_contextvars()


def named(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans.get_finished_spans()}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318", "OTEL_SDK_DISABLED": "TRUE"}, False),
    ],
)
def test_traces_are_made_where_the_usual_variables_ask(environment: Mapping[str, str], expected: bool) -> None:
    assert tracing.is_asked_for(environment) is expected


def test_off_nothing_is_made_and_nobody_is_told() -> None:
    tracing.configure("api-0", {})
    assert not tracing.is_on()
    assert tracing.span("gather") is tracing.NOTHING
    assert tracing.request("GET token", {}, SAMPLED) is tracing.NOTHING
    assert tracing.batch("commit", [None]) is tracing.NOTHING
    assert (tracing.here(), tracing.headers()) == (None, [])


def test_a_callers_trace_goes_on_in_steps_and_calls(spans: InMemorySpanExporter) -> None:
    with tracing.request("POST order.place", {"http.route": "order.place"}, SAMPLED) as request:
        with tracing.span("decide"):
            told = dict(tracing.headers())
        request.answered(201)
    found = named(spans)
    order, decide = found["POST order.place"], found["decide"]
    assert order.parent is not None
    assert decide.parent is not None
    assert (f"{order.context.trace_id:032x}", f"{order.parent.span_id:016x}") == (TRACE, PARENT)
    assert decide.parent.span_id == order.context.span_id
    assert told["traceparent"] == f"00-{TRACE}-{decide.context.span_id:016x}-01"
    assert order.attributes == {"http.route": "order.place", "http.response.status_code": 201}
    assert order.status.is_unset


def test_a_failure_shows_and_log_lines_name_the_trace(spans: InMemorySpanExporter) -> None:
    with tracing.request("GET token", {}, SAMPLED) as request:
        assert get_contextvars()["trace_id"] == TRACE
        request.answered(503)
    assert not named(spans)["GET token"].status.is_ok


def test_a_batch_is_linked_to_every_request_in_it(spans: InMemorySpanExporter) -> None:
    members = []
    for number in range(3):
        headers = {b"traceparent": f"00-{number + 1:032x}-{PARENT}-01".encode()}
        with tracing.request("POST order.place", {}, headers):
            members.append(tracing.here())
    with tracing.batch("commit", [*members, None]):
        pass
    commit = named(spans)["commit"]
    assert [link.context.trace_id for link in commit.links] == [1, 2, 3]
    assert commit.attributes == {"holdfast.changes": 4}
    assert tracing.batch("commit", [None, None]) is tracing.NOTHING


def test_of_requests_whose_caller_has_not_decided_a_share_is_traced() -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    never = OpenTelemetry(provider, share=0.0)
    assert never.request("GET token", {}, {}) is tracing.NOTHING
    with never.request("GET token", {}, SAMPLED) as request:
        request.answered(200)
    assert [span.name for span in exporter.get_finished_spans()] == ["GET token"]


async def test_a_request_that_is_not_sampled_makes_no_spans(spans: InMemorySpanExporter) -> None:
    with tracing.request("GET token", {}, {}) as request:
        assert tracing.span("gather") is tracing.NOTHING
        assert tracing.here() is None
        await asyncio.sleep(0)
        request.answered(200)
    assert named(spans) == {}


@pytest.mark.parametrize("given", [b"", b"00-zz-zz-01", b"\xff" * 40, b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01"])
def test_a_traceparent_that_is_none_begins_nothing(spans: InMemorySpanExporter, given: bytes) -> None:
    with tracing.request("GET token", {}, {b"traceparent": given}) as request:
        request.answered(200)
    assert named(spans) == {}


def test_a_refusal_inside_a_step_is_no_failure_of_the_step(spans: InMemorySpanExporter) -> None:
    request = tracing.request("POST order.place", {}, SAMPLED)
    with request, pytest.raises(ValueError, match="refused"), tracing.span("decide"):
        raise ValueError("refused")
    assert named(spans)["decide"].status.is_unset
    assert named(spans)["decide"].events == ()
