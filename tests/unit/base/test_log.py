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


def test_lines_of_a_command_never_stand_among_its_data() -> None:
    script = "from holdfast.base.log import log; log.warning('dead_letter.discarded', id='x'); print('{}')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "{}\n"
    assert "dead_letter.discarded" in done.stderr


FULL_DISK = """
import sys
from holdfast.base.log import configure, log
configure("api-0", "info", open("/dev/full", "w", buffering=1))
log.info("order.placed", at="once")
log.exception("commit.failed")
print("went on")
"""


def test_a_full_disk_costs_lines_and_nothing_else() -> None:
    done = subprocess.run([sys.executable, "-c", FULL_DISK], capture_output=True, text=True, check=False)
    assert done.stdout == "went on\n", done.stderr
