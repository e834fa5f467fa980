"""Decisions about the embedded server: pure, so that every odd machine is a test case."""

from dataclasses import dataclass
from pathlib import Path

# sun_path holds 108 bytes, the last of them zero; PostgreSQL adds its own file name.
SOCKET_PATH_BYTES_MAX = 107
SOCKET_FILE = "/.s.PGSQL.5432"

# package/pginstall/bin: a wheel keeps libraries beside its package and finds them by this relative place.
COPIED_LEVELS = 3

RESTART_DELAY_FIRST_SECONDS = 0.1
RESTART_DELAY_MAX_SECONDS = 5.0
# A process that lived this long starts with a clean record.
SETTLED_SECONDS = 30.0

# What an API process may open, and room for the background worker, backups and an operator's tools.
CONNECTIONS_PER_WORKER = 10
CONNECTIONS_APART = 40
CONNECTIONS_MIN = 100

SHARED_MEMORY_BYTES_MIN = 256 * 1024 * 1024


@dataclass(frozen=True)
class Account:
    """The operating system account PostgreSQL runs under when we are root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What was observed before anything is decided."""

    binaries: Path
    binaries_reachable: bool
    # Tells one build of the programs from another, where they have to be copied.
    build: str
    data: Path
    data_reachable: bool
    account: Account | None
    shelter: Path
    temporary: Path
    installation: str
    recorded: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where the server's files go and who runs it."""

    binaries: Path
    copy_binaries_from: Path | None
    pgdata: Path
    sockets: Path
    account: Account | None
    notes: tuple[str, ...] = ()


def place(machine: Machine) -> Placement:
    """Everything in the data folder if the server's account can get there, else in a shelter."""
    notes = []
    binaries, copy_from = machine.binaries, None
    if not machine.binaries_reachable:
        copies = machine.shelter / f"postgresql-{machine.build}"
        binaries, copy_from = copies.joinpath(*machine.binaries.parts[-COPIED_LEVELS:]), machine.binaries
        notes.append(f"{machine.binaries} cannot be reached by the server's account; using a copy in {binaries}")
    home = machine.data if machine.data_reachable else machine.shelter / machine.installation
    pgdata = machine.recorded or home / "postgres"
    if pgdata.parent != machine.data:
        notes.append(f"{machine.data} cannot be reached by the server's account; database files are in {pgdata}")
    return Placement(
        binaries=binaries,
        copy_binaries_from=copy_from,
        pgdata=pgdata,
        sockets=socket_folder(pgdata.parent, machine.temporary / f"holdfast-{machine.installation}"),
        account=machine.account,
        notes=() if machine.recorded else tuple(notes),
    )


def socket_folder(home: Path, short: Path) -> Path:
    """Beside the database files, unless that path is too long for a socket's address."""
    folder = home / "sockets"
    return folder if len(f"{folder}{SOCKET_FILE}".encode()) <= SOCKET_PATH_BYTES_MAX else short


def restart_delay(failures: int) -> float:
    """Seconds before the next start, after so many short lives in a row: growing, bounded."""
    return min(RESTART_DELAY_FIRST_SECONDS * 2.0 ** min(failures, 16), RESTART_DELAY_MAX_SECONDS)


def failures_after(failures: int, lived_seconds: float) -> int:
    return 0 if lived_seconds >= SETTLED_SECONDS else failures + 1


def settings(sockets: Path, shared_memory_bytes: int, workers: int) -> dict[str, str]:
    """PostgreSQL's settings: durable without exception, local only, small when idle."""
    return {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "wal_level": "logical",
        "max_connections": str(max(CONNECTIONS_MIN, CONNECTIONS_PER_WORKER * workers + CONNECTIONS_APART)),
        "shared_buffers": "96MB",
        "dynamic_shared_memory_type": "posix" if shared_memory_bytes >= SHARED_MEMORY_BYTES_MIN else "mmap",
        "max_wal_size": "1GB",
        "checkpoint_timeout": "5min",
        "random_page_cost": "1.1",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] ",
        "log_checkpoints": "off",
        "idle_in_transaction_session_timeout": "60s",
    }


def rendered(values: dict[str, str]) -> str:
    """A settings file; quotes are doubled as PostgreSQL reads them."""
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in values.items()]
    return (
        "# Written by `holdfast up` at every start; your own settings belong in local.conf.\n" + "\n".join(lines) + "\n"
    )


def host_based_access(users: tuple[str, ...]) -> tuple[str, str]:
    """pg_hba.conf and pg_ident.conf: over the socket, and only the account that started us."""
    ident = "".join(f'holdfast "{user}" holdfast\n' for user in users)
    return "local all holdfast peer map=holdfast\n", ident


def runs_on(arguments: list[str], pgdata: Path) -> bool:
    """Whether a command line is that of a server on these files."""
    return bool(arguments) and Path(arguments[0]).name == "postgres" and str(pgdata) in arguments


def ready_line(postmaster_pid: str) -> tuple[int, bool]:
    """The server's number, and whether it accepts statements, from its postmaster.pid."""
    lines = postmaster_pid.splitlines()
    return int(lines[0]) if lines and lines[0].isdigit() else 0, len(lines) >= 8 and lines[7].strip() == "ready"
