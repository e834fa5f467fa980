"""A setting that cannot be meant stops the start before anything runs, and says why."""

import json
import subprocess
import sys

import pytest
from tests.conftest import START_SECONDS, environment


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("HOLDFAST_OUTBOUND_ALLOW", "10.0.0.1/8", "10.0.0.1/8"),
        ("HOLDFAST_TRUSTED_PROXIES", "10.0.0.0/8, my-proxy", "my-proxy"),
        ("HOLDFAST_REDIS_URL", "http://cache:6379", "redis://"),
    ],
)
def test_a_setting_that_cannot_be_read_stops_the_start(name: str, value: str, named: str) -> None:
    settings = {"HOLDFAST_DATABASE_URL": "postgresql://nowhere.invalid/", name: value}
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
    assert name in told["why"]
    assert named in told["why"]
