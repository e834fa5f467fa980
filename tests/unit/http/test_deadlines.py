"""How long a client wants to wait, as it says so in headers."""

from __future__ import annotations

import pytest

from holdfast.base.errors import DeadlineExceeded, InvalidField
from holdfast.http.deadlines import DEFAULT_SECONDS, MAX_SECONDS, seconds_left

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z


@pytest.mark.parametrize(
    ("timeout", "deadline", "seconds"),
    [
        (None, None, DEFAULT_SECONDS),
        (b"1500", None, 1.5),
        (b"1500ms", None, 1.5),
        (b" 1.5s ", None, 1.5),
        (b"0.25", None, 0.00025),
        (b"3600s", None, MAX_SECONDS),
        (None, b"1800000002500", 2.5),
        (None, b"2027-01-15T08:00:03Z", 3.0),
        (None, b"2027-01-15T09:00:03+01:00", 3.0),
        (None, b"2028-01-01T00:00:00Z", MAX_SECONDS),
        (b"5s", b"1800000002500", 2.5),
        (b"1s", b"1800000002500", 1.0),
    ],
)
def test_the_earlier_of_both_headers_counts_within_bounds(
    timeout: bytes | None, deadline: bytes | None, seconds: float
) -> None:
    assert seconds_left(timeout, deadline, NOW) == pytest.approx(seconds)


@pytest.mark.parametrize("timeout", [b"", b"0", b"1h", b"-1", b"soon", b"1 s", b"1e3", b"\xb2", b"9" * 400])
def test_a_timeout_that_is_no_duration_is_refused_by_name(timeout: bytes) -> None:
    with pytest.raises(InvalidField) as refused:
        seconds_left(timeout, None, NOW)
    assert refused.value.fields["field"] == "X-Request-Timeout"


@pytest.mark.parametrize("deadline", [b"", b"tomorrow", b"2027-13-01T00:00:00Z", b"-5", b"1.5", b"9" * 400])
def test_a_deadline_that_is_no_moment_is_refused_by_name(deadline: bytes) -> None:
    with pytest.raises(InvalidField) as refused:
        seconds_left(None, deadline, NOW)
    assert refused.value.fields["field"] == "X-Request-Deadline"


def test_a_deadline_in_the_past_is_exceeded_at_once() -> None:
    with pytest.raises(DeadlineExceeded):
        seconds_left(None, b"1799999999999", NOW)
