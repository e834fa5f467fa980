"""The files of the embedded PostgreSQL: found or made, never loosened, never started twice."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from holdfast.ops.server import plan
from holdfast.ops.server.account import as_account, can_use, give_to, own_name, server_account
from holdfast.ops.server.binaries import build_of, copy_binaries, find_binaries, version_of
from holdfast.ops.server.layout import Layout, make_passable, read_json, write_json
from holdfast.ops.server.plan import Account, Placement
from holdfast.ops.server.processes import Known, command_line, end, known, wait_for_end
from holdfast.ops.trouble import Trouble

SHELTERS = (Path("/var/lib/holdfast"), Path("/var/tmp/holdfast"))  # noqa: S108 - private folders are made inside
ROLE = "holdfast"
DATABASE = "holdfast"
INITDB_OPTIONS = (
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--data-checksums",
    "--no-instructions",
    f"--username={ROLE}",
)
CLEAN_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
# A server left behind is asked to shut down, then to crash safely, then killed: all within
# the five seconds a start after a crash may take.
LEFTOVER_SIGNALS = ((signal.SIGINT, 2.0), (signal.SIGQUIT, 0.7), (signal.SIGKILL, 0.7))
LEAVING_SECONDS = 1.0


@dataclass(frozen=True)
class Cluster:
    """A database cluster in its place; the supervisor runs `command`."""

    placement: Placement
    version: str

    @property
    def url(self) -> str:
        return address(self.placement.sockets)

    @property
    def command(self) -> list[str]:
        return [str(self.placement.binaries / "postgres"), "-D", str(self.placement.pgdata)]

    def is_ready(self, pid: int) -> bool:
        """Whether the server with this number accepts statements."""
        with suppress(OSError):
            return plan.ready_line((self.placement.pgdata / "postmaster.pid").read_text()) == (pid, True)
        return False


def address(sockets: Path) -> str:
    return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(sockets), safe='/')}"


def url_of(layout: Layout) -> str:
    """The address of an installation's own database, by where it was placed."""
    binaries = find_binaries()
    return address(plan.place(observe(layout, binaries, version_of(binaries))).sockets)


def prepare_cluster(layout: Layout, workers: int = 1) -> Cluster:
    """Find or make the database files of an installation; nothing runs on them afterwards."""
    binaries = find_binaries()
    version = version_of(binaries)
    placement = plan.place(observe(layout, binaries, version))
    if placement.copy_binaries_from:
        make_passable(placement.binaries.parents[plan.COPIED_LEVELS])
        copy_binaries(placement.copy_binaries_from, placement.binaries)
    stop_leftover(placement)
    if not (placement.pgdata / "PG_VERSION").exists():
        refuse_loss(layout, placement.pgdata)
        initialise(placement)
    record(layout, placement)
    check_release(placement.pgdata, version)
    write_settings(placement, workers)
    return Cluster(placement, version)


def observe(layout: Layout, binaries: Path, version: str) -> plan.Machine:
    account = server_account()
    recorded = read_json(layout.placement).get("pgdata")
    data_reachable = can_use(account, layout.data)
    binaries_reachable = can_use(account, binaries / "postgres")
    return plan.Machine(
        binaries=binaries,
        binaries_reachable=binaries_reachable,
        build=version if binaries_reachable else build_of(binaries, version),
        data=layout.data,
        data_reachable=data_reachable,
        account=account,
        shelter=layout.data if data_reachable and binaries_reachable else shelter(),
        temporary=Path(tempfile.gettempdir()),
        installation=installation_of(layout),
        recorded=layout.data / recorded if recorded else None,
    )


def installation_of(layout: Layout) -> str:
    """A name no other installation has, given at the first start and kept."""
    recorded = read_json(layout.placement)
    if "installation" not in recorded:
        recorded["installation"] = secrets.token_hex(6)
        write_json(layout.placement, recorded)
    return str(recorded["installation"])


def record(layout: Layout, placement: Placement) -> None:
    """Remember the place; inside the data folder only its name, so that the folder can be moved."""
    inside = placement.pgdata.parent == layout.data
    place = placement.pgdata.name if inside else str(placement.pgdata)
    write_json(layout.placement, {"installation": installation_of(layout), "pgdata": place})


def refuse_loss(layout: Layout, pgdata: Path) -> None:
    """An installation whose database files are missing is not started empty: its orders are somewhere."""
    if "pgdata" in read_json(layout.placement):
        raise Trouble(
            f"The database files of this installation are gone: {pgdata}",
            why=f"{layout.placement} says they were there; starting empty could hide their loss.",
            remedy=f"Bring them back (is a disk not mounted?), or remove {layout.data} to begin anew.",
            code="database-gone",
        )


def shelter() -> Path:
    """Where to put what the data folder cannot hold; made only when something is put there."""
    for folder in SHELTERS:
        own = folder.exists() and not folder.is_symlink() and folder.stat().st_uid == os.geteuid()
        if own or (not folder.exists() and os.access(folder.parent, os.W_OK)):
            return folder
    raise Trouble(
        "There is no place for the database files.",
        why=f"Its account cannot reach the data folder, and {' and '.join(map(str, SHELTERS))} cannot be made.",
        remedy="Name a data folder it can reach with --data, for example below /srv.",
        code="no-place",
    )


def initialise(placement: Placement) -> None:
    """Run initdb beside the final place and move the result there, so that half of one never counts."""
    account = placement.account
    make_passable(placement.pgdata.parent)
    unfinished = placement.pgdata.with_name("postgres.unfinished")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(mode=0o700)
    give_to(account, unfinished)
    made = subprocess.run(
        [placement.binaries / "initdb", "-D", unfinished, *INITDB_OPTIONS],
        env=CLEAN_ENVIRONMENT,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        **as_account(account),
    )
    if made.returncode:
        shutil.rmtree(unfinished)
        raise Trouble("PostgreSQL's files could not be created.", why=made.stderr.strip(), code="initdb-failed")
    unfinished.rename(placement.pgdata)
    flush_folder(placement.pgdata.parent)


def flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_release(pgdata: Path, version: str) -> None:
    release = (pgdata / "PG_VERSION").read_text().strip()
    if release != version.partition(".")[0]:
        raise Trouble(
            f"The database files belong to PostgreSQL {release}.",
            why=f"The programs found are version {version}; a major release cannot read another's files.",
            remedy="Set HOLDFAST_POSTGRES_BIN to programs of that release, or move the data with pg_upgrade.",
            code="postgres-release",
        )


def write_settings(placement: Placement, workers: int) -> None:
    """Write our settings anew at every start; what the operator adds in local.conf wins."""
    ensure_sockets(placement)
    access, ident = plan.host_based_access((own_name(),))
    shared_memory = os.statvfs("/dev/shm") if Path("/dev/shm").exists() else None  # noqa: S108 - only measured
    size = shared_memory.f_frsize * shared_memory.f_blocks if shared_memory else plan.SHARED_MEMORY_BYTES_MIN
    for name, text in {
        "postgresql.conf": "include 'holdfast.conf'\ninclude_if_exists 'local.conf'\n",
        "holdfast.conf": plan.rendered(plan.settings(placement.sockets, size, workers)),
        "pg_hba.conf": access,
        "pg_ident.conf": ident,
    }.items():
        replace_file(placement.pgdata / name, text, placement.account)


def replace_file(path: Path, text: str, account: Account | None) -> None:
    beside = path.with_name(f"{path.name}.new")
    with beside.open("w") as file:
        beside.chmod(0o600)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    give_to(account, beside)
    beside.replace(path)


def ensure_sockets(placement: Placement) -> None:
    """The folder of the socket: the server's own, closed to everyone else."""
    folder = placement.sockets
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        give_to(placement.account, folder)
    owner = placement.account.uid if placement.account else os.geteuid()
    if folder.is_symlink() or folder.stat().st_uid != owner:
        raise Trouble(
            f"{folder} belongs to someone else.",
            why="The database's socket must lie in a folder of its own.",
            remedy=f"Remove {folder}.",
            code="socket-folder",
        )


def stop_leftover(placement: Placement) -> None:
    """Stop a server an earlier supervisor left on these files, then drop the marks of its life.

    PostgreSQL takes a number that answers a signal for a living server: a zombie nobody reaps
    (usual in containers) or an unrelated process would keep it from starting for ever. That
    backends of a killed server still write is noticed by the shared memory they hold.
    """
    pid_file = placement.pgdata / "postmaster.pid"
    left = leftover(pid_file)
    # Its own supervisor's death has already told it to stop: it gets the moment that takes.
    if left and wait_for_end([left], LEAVING_SECONDS) and end([left], LEFTOVER_SIGNALS):
        raise Trouble(f"A PostgreSQL left by an earlier run (process {left.pid}) does not end.", code="postgres-stuck")
    for mark in (pid_file, Path(f"{placement.sockets}{plan.SOCKET_FILE}.lock")):
        mark.unlink(missing_ok=True)


def leftover(pid_file: Path) -> Known | None:
    with suppress(OSError):
        pid, _ready = plan.ready_line(pid_file.read_text())
        if pid and plan.runs_on(command_line(pid), pid_file.parent):
            return known("postgres", pid)
    return None
