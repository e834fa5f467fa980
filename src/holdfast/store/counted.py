"""What the committer counts, for the metrics."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.base.counts import counts
from holdfast.base.errors import ApiError, PendingOperation
from holdfast.base.series import CHANGES, COMMIT_CHANGES, COMMIT_EVENTS, COMMIT_SECONDS, place

CONFLICT = place(COMMIT_EVENTS, "conflict")
ISOLATED = place(COMMIT_EVENTS, "isolated")
RECOVERED = place(COMMIT_EVENTS, "recovered")
_COMMITTED = place(CHANGES, "committed")
_REFUSED = place(CHANGES, "refused")
_UNKNOWN = place(CHANGES, "unknown")


def count_batch(verdicts: Sequence[ApiError | None], seconds: float) -> None:
    """Count a batch that was settled after so long."""
    counts.observe(COMMIT_SECONDS, seconds)
    counts.observe(COMMIT_CHANGES, len(verdicts))
    for verdict in verdicts:
        if verdict is None:
            counts.add(_COMMITTED)
        else:
            counts.add(_UNKNOWN if isinstance(verdict, PendingOperation) else _REFUSED)
