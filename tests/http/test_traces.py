"""Traces of a running shop, told to a collector that these tests play."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.conftest import Shop, Start

PATIENCE_SECONDS = 60
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


class Collector(ThreadingHTTPServer):
    """Takes spans as an OpenTelemetry collector does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.spans: list[Span] = []

    def of_trace(self, trace: str) -> dict[str, Span]:
        return {span.name: span for span in self.spans if span.trace_id.hex() == trace}


class Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        found = ExportTraceServiceRequest.FromString(body)
        for resource in found.resource_spans:
            for scope in resource.scope_spans:
                self.server.spans += scope.spans
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Asked for before `start`, so that it outlives the shop, which tells its last spans at its end."""
    server = Collector()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def create_zone(shop: Shop, bearer: str) -> None:
    headers = {"Authorization": f"Bearer {bearer}", "traceparent": f"00-{TRACE}-{PARENT}-01"}
    draft = {"name": "traced", "key": "traced", "locations": []}
    answer = httpx.post(f"{shop.api_url}/{shop.project_key}/zones", json=draft, headers=headers)
    assert answer.status_code == 201, answer.text


def token(shop: Shop) -> str:
    pair = (shop.client_id, shop.client_secret)
    form = {"grant_type": "client_credentials"}
    return str(httpx.post(f"{shop.auth_url}/oauth/token", auth=pair, data=form).json()["access_token"])


def test_a_request_is_told_with_its_steps_and_only_where_its_caller_asked(
    collector: Collector, folder: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    shop, _ = start(folder, "--workers", "1")
    create_zone(shop, token(shop))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not {"POST catalogue.write", "decide", "commit"} <= set(found := collector.of_trace(TRACE)):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    request = found["POST catalogue.write"]
    assert request.parent_span_id.hex() == PARENT
    assert found["decide"].parent_span_id == request.span_id
    assert [link.span_id for link in found["commit"].links] == [request.span_id]
    facts = {attribute.key: attribute.value for attribute in request.attributes}
    assert facts["http.response.status_code"].int_value == 201
    assert "traced" not in json.dumps([str(span) for span in found.values()])
    # Fetching the token carried no trace, and this sampler begins none.
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
