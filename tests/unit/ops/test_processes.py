"""A process is known by more than its number."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from holdfast.ops.server.processes import Known, end, is_alive, known, recalled


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def test_a_reused_number_is_not_the_process_that_was_written_down(sleeper: subprocess.Popen[bytes]) -> None:
    written = known("api-0", sleeper.pid)
    assert is_alive(written)
    assert not is_alive(replace(written, birth="another boot:1"))


def test_a_reused_number_is_never_signalled(sleeper: subprocess.Popen[bytes]) -> None:
    end([replace(known("api-0", sleeper.pid), birth="another boot:1")], [(signal.SIGKILL, 0.1)])
    assert sleeper.poll() is None


def test_a_zombie_is_not_alive(sleeper: subprocess.Popen[bytes]) -> None:
    written = known("api-0", sleeper.pid)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(written)


def test_signals_grow_harder_until_the_process_ends() -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert end([known("api-0", process.pid)], [(signal.SIGTERM, 0.1), (signal.SIGKILL, 5.0)]) == []
        assert process.wait() == -signal.SIGKILL


def test_a_state_file_that_was_edited_badly_is_read_as_far_as_it_makes_sense() -> None:
    good = Known("api-0", 1, "boot:2")
    assert recalled([good.facts(), {"pid": 7}, {}]) == [good]
