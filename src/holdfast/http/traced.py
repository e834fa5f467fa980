"""The span of a request: named after what it is for, never after what it names."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from holdfast.base import tracing
from holdfast.http.measured import endpoint_of


def traced(
    scope: Mapping[str, Any], headers: Mapping[bytes, bytes], correlation: bytes
) -> AbstractContextManager[tracing.Span]:
    """What the request at hand is traced by."""
    if not tracing.is_on():
        return tracing.NOTHING
    endpoint = endpoint_of(scope["method"], scope["path"])
    facts = {
        "http.request.method": scope["method"],
        "http.route": endpoint,
        "holdfast.correlation_id": correlation.decode(),
    }
    return tracing.request(f"{scope['method']} {endpoint}", facts, headers)
