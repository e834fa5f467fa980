"""The page of a running shop's numbers, read as patiently as it may be told."""

from __future__ import annotations

import time
from collections.abc import Sequence

import httpx
from tests.conftest import Shop

# Longer than the page's three looks at the database together may take, and what it keeps of a look that failed.
PATIENCE_SECONDS = 30.0
# One number of each look at the database, which a busy database may miss: the page is told without it then.
_LOOKS = ("holdfast_database_connections{", "holdfast_events_waiting{", "holdfast_audit_findings{")


def scrape(shop: Shop, path: str = "/metrics", *, wanted: Sequence[str] = _LOOKS) -> str:
    """The page once all that is wanted is on it; as it was last told where that does not come in time."""
    token = (shop.data / "metrics.token").read_text().strip()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.get(f"{shop.api_url}{path}", headers=headers, timeout=PATIENCE_SECONDS)
        assert answer.status_code == 200, answer.text
        if all(part in answer.text for part in wanted) or time.monotonic() >= deadline:
            return answer.text
        time.sleep(0.2)
