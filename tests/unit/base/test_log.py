"""Log lines are JSON and keep secrets to themselves."""

import json
import subprocess
import sys

SCRIPT = """
from holdfast.base.log import configure, log
configure("api-0", "info")
log.debug("quiet")
log.info("token.issued", token="t0p", client_secret="t0p", scope="all")
"""


def test_a_line_has_its_facts_and_hides_secrets() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    line = json.loads(done.stderr)
    assert line["event"] == "token.issued"
    assert (line["process"], line["level"], line["scope"]) == ("api-0", "info", "all")
    assert "t0p" not in done.stderr
