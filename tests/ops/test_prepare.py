"""A setting that cannot be meant stops the start before anything runs, and says why."""

import json
import subprocess
import sys

from tests.conftest import START_SECONDS, environment


def test_a_network_that_is_none_stops_the_start() -> None:
    settings = {"HOLDFAST_DATABASE_URL": "postgresql://nowhere.invalid/", "HOLDFAST_OUTBOUND_ALLOW": "10.0.0.1/8"}
    done = subprocess.run(
        [sys.executable, "-m", "holdfast.ops.server.prepare"],
        env={**environment(), **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS,
    )
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert "HOLDFAST_OUTBOUND_ALLOW" in told["why"]
    assert "10.0.0.1/8" in told["why"]
