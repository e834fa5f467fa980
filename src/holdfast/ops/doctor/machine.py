"""The machine: interpreter, packages, limits, memory, clock."""

import ctypes
import os
import platform
import resource
import struct
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from holdfast.ops.doctor.finding import Check, Finding, judged, ok_if
from holdfast.ops.server.account import own_name, server_account

PYTHON_MIN = (3, 11)
OPEN_FILES_MIN, OPEN_FILES_GOOD = 256, 1024
PROCESSES_MIN, PROCESSES_GOOD = 64, 512
MEMORY_MB_MIN, MEMORY_MB_GOOD = 300, 1024
SHARED_MEMORY_MB_GOOD = 64
TIME_ERROR = 5  # adjtimex: the clock is not synchronised


def checks() -> list[tuple[str, Check]]:
    """Everything about the machine, most basic first."""
    return [
        ("python version", python_version),
        ("platform", known_platform),
        ("word size", word_size),
        ("optimised interpreter", assertions_on),
        ("interpreter build", interpreter_build),
        ("packages", packages),
        ("text encoding", text_encoding),
        ("processor cores", cores),
        ("memory", memory),
        ("shared memory", shared_memory),
        ("open files limit", open_files),
        ("processes limit", processes),
        ("temporary folder", temporary_folder),
        ("account", account),
        ("clock", clock),
        ("coverage of crashes", death_signal),
    ]


def python_version() -> Finding:
    fix = f"Install Python {'.'.join(map(str, PYTHON_MIN))} or newer."
    return ok_if(sys.version_info >= PYTHON_MIN, "python version", platform.python_version(), fix)


def known_platform() -> Finding:
    supported = sys.platform in ("linux", "darwin")
    return ok_if(supported, "platform", platform.platform(), "Use Linux or macOS.")


def word_size() -> Finding:
    bits = struct.calcsize("P") * 8
    return ok_if(bits == 64, "word size", f"{bits} bit", "Use a 64 bit Python.")


def interpreter_build() -> Finding | None:
    """Whether CPython was compiled with profile-guided optimisation, where its build tells."""
    given = sysconfig.get_config_var("CONFIG_ARGS")
    if given is None:
        return None
    evidence = "with" if "--enable-optimizations" in given else "without"
    fix = "The API is about 7 % slower so. Use your distribution's Python: make clean; make up PYTHON=/usr/bin/python3"
    optimised = evidence == "with"
    return ok_if(optimised, "interpreter build", f"{evidence} --enable-optimizations", fix, otherwise="warning")


def assertions_on() -> Finding:
    fix = "Start Python without -O and PYTHONOPTIMIZE: assertions guard the invariants."
    return ok_if(__debug__, "optimised interpreter", "assertions are on" if __debug__ else "assertions are off", fix)


def packages() -> Finding:
    names = needed(requires("holdfast") or ())
    missing = [name for name in names if not is_installed(name)]
    evidence = f"missing: {', '.join(missing)}" if missing else f"{len(names)} installed"
    return ok_if(not missing, "packages", evidence, "pip install --require-hashes -r requirements/runtime.txt")


def needed(requirements: Iterable[str]) -> list[str]:
    """The packages no shop does without; what an extra brings is for those who asked for it."""
    return [line.partition(";")[0].partition(">")[0].strip() for line in requirements if "extra ==" not in line]


def is_installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def text_encoding() -> Finding:
    encoding = sys.getfilesystemencoding()
    return ok_if(encoding == "utf-8", "text encoding", encoding, "Set LC_ALL=C.UTF-8 or PYTHONUTF8=1.")


def cores() -> Finding:
    count = os.cpu_count() or 1
    fix = "One core works; two let a worker fail without a pause."
    return judged("processor cores", count, warn_below=2, fail_below=1, evidence=str(count), fix=fix)


def memory() -> Finding | None:
    free_mb = memory_available_mb()
    if free_mb is None:
        return None
    evidence = f"{free_mb:.0f} MB available"
    fix = "End other programs, or start with --workers 1."
    return judged("memory", free_mb, warn_below=MEMORY_MB_GOOD, fail_below=MEMORY_MB_MIN, evidence=evidence, fix=fix)


def memory_available_mb() -> float | None:
    path = Path("/proc/meminfo")
    if not path.exists():
        return None
    line = next((line for line in path.read_text().splitlines() if line.startswith("MemAvailable:")), None)
    return int(line.split()[1]) / 1024 if line else None


def shared_memory() -> Finding | None:
    folder = Path("/dev/shm")  # noqa: S108 - only measured
    if not folder.exists():
        return None
    facts = os.statvfs(folder)
    size_mb = facts.f_frsize * facts.f_blocks / 1024**2
    enough = size_mb >= SHARED_MEMORY_MB_GOOD
    fix = "Nothing must be done: small shared memory is avoided. In a container, --shm-size=256m is faster."
    return ok_if(enough, "shared memory", f"{size_mb:.0f} MB", fix, otherwise="warning")


def open_files() -> Finding:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return limit("open files limit", soft, OPEN_FILES_GOOD, OPEN_FILES_MIN, "ulimit -n 4096")


def processes() -> Finding:
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    return limit("processes limit", soft, PROCESSES_GOOD, PROCESSES_MIN, "ulimit -u 1024")


def limit(check: str, soft: int, good: int, least: int, fix: str) -> Finding:
    if soft == resource.RLIM_INFINITY:
        return Finding(check, "ok", "unlimited", fix)
    return judged(check, soft, warn_below=good, fail_below=least, evidence=str(soft), fix=fix)


def temporary_folder() -> Finding:
    folder = tempfile.gettempdir()
    fix = "Make it writable, or set TMPDIR."
    return ok_if(os.access(folder, os.W_OK | os.X_OK), "temporary folder", folder, fix)


def account() -> Finding:
    """Raises Trouble, which says what to do, when PostgreSQL could not run."""
    server = server_account()
    evidence = f"{own_name()}; PostgreSQL runs as {server.name}" if server else own_name()
    return Finding("account", "ok", evidence)


def clock() -> Finding | None:
    """The kernel's own word on whether something keeps the clock right."""
    if sys.platform != "linux":
        return None
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    fix = "Start a time service (chrony, systemd-timesyncd): tokens and dates need a right clock."
    evidence = "not kept in time" if state == TIME_ERROR else "kept in time"
    return ok_if(state != TIME_ERROR, "clock", evidence, fix, otherwise="warning")


def death_signal() -> Finding:
    linux = sys.platform == "linux"
    evidence = "processes end with their supervisor" if linux else "the next start ends what a crash left"
    return Finding("coverage of crashes", "ok", evidence)
