"""Where everything that belongs to one installation lies: one folder, named once, here."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PRIVATE_FILE = 0o600
# Others may pass through (the database account must), but not list.
PASSABLE_FOLDER = 0o711


@dataclass(frozen=True)
class Layout:
    """The data folder and the names in it."""

    data: Path

    @property
    def lock(self) -> Path:
        return self.data / "lock"

    @property
    def state(self) -> Path:
        """Which processes run, under which URL: what status, logs and the next start read."""
        return self.data / "state.json"

    @property
    def placement(self) -> Path:
        """Where the database files were put, decided once at the first start."""
        return self.data / "placement.json"

    @property
    def operator_token(self) -> Path:
        return self.data / "operator.token"

    @property
    def metrics_token(self) -> Path:
        return self.data / "metrics.token"

    @property
    def receipt_key(self) -> Path:
        """What receipts are signed with; whoever has it can make them."""
        return self.data / "receipt.key"

    @property
    def clients(self) -> Path:
        """Credentials handed out at the first start; the database itself only has their hashes."""
        return self.data / "clients.json"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def postgres(self) -> Path:
        return self.data / "postgres"

    @property
    def sockets(self) -> Path:
        return self.data / "sockets"

    def log(self, process: str) -> Path:
        return self.logs / f"{process}.log"

    def create(self) -> None:
        """Make the folders that are missing; those that exist keep their permissions."""
        make_passable(self.data)
        self.logs.mkdir(exist_ok=True, mode=0o700)


def make_passable(folder: Path) -> None:
    """Make a folder, and those missing above it, fit for passing through; existing ones stay as they are."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir(exist_ok=True)
        place.chmod(PASSABLE_FOLDER)


def data_folder(given: str | None) -> Path:
    """The folder to work in: the one named, else $HOLDFAST_DATA, else ./.holdfast."""
    return Path(given or os.environ.get("HOLDFAST_DATA") or ".holdfast").absolute()


def write_private(path: Path, text: str) -> None:
    """Replace a file so that readers see the old or the new text, and only we may read it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def flush_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, facts: object) -> None:
    write_private(path, json.dumps(facts) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file; empty when there is none or it was cut short."""
    try:
        facts = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
