"""A small disk of the drill's own: ext4 in a file, which can be filled, and whose power can be cut.

The cut is ext4's shutdown call with the order to drop its journal: from that moment nothing reaches the
disk any more, and what was not flushed before never will. It models a machine that loses power with an
honest disk. It does not model one that lies about its flushes, nor torn sectors.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from holdfast.ops.server.layout import PASSABLE_FOLDER
from holdfast.ops.trouble import Trouble

SHUTDOWN_CALL = 0x8004587D  # EXT4_IOC_SHUTDOWN
DROP_THE_JOURNAL = struct.pack("I", 2)  # EXT4_GOING_FLAGS_NOLOGFLUSH
PROGRAMS = ("mkfs.ext4", "mount", "umount", "losetup")
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
BLOCK_BYTES = 512  # what st_blocks counts
COMMAND_SECONDS_MAX = 30.0
BUSY_SECONDS_MAX = 10.0
BUSY_PAUSE_SECONDS = 0.02


def missing_for_disks() -> str:
    """Why this machine cannot have such a disk, as a sentence; empty when it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "It needs root on Linux, to mount a disk of its own."
    absent = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if absent:
        return f"It needs {', '.join(absent)} (Debian packages e2fsprogs, mount and util-linux)."
    try:
        run("losetup", "--find")
    except Trouble as trouble:
        return f"It needs a free loop device: {trouble.why}"
    return ""


class LoopDisk:
    """A file system in the file `folder`/disk.image, mounted on `folder`/disk."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.mounted_on = folder / "disk"
        self._image = folder / "disk.image"
        self._size_bytes = size_bytes
        self._device = ""

    @property
    def _ballast(self) -> Path:
        return self.mounted_on / "ballast"

    def make(self) -> None:
        """Make and mount it. The file is sparse: it takes up what is written to it."""
        self.mounted_on.mkdir()
        with self._image.open("wb") as image:
            image.truncate(self._size_bytes)
        run("mkfs.ext4", "-q", "-m", "0", "-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=1", self._image)
        self._device = run("losetup", "--find", "--show", self._image).strip()
        self.mount()
        self.mounted_on.chmod(PASSABLE_FOLDER)

    def mount(self) -> None:
        """Mount it, replaying its journal after a power cut."""
        run("mount", "-t", "ext4", self._device, self.mounted_on)

    def unmount(self) -> None:
        """Unmount it as soon as the last process that was killed has let go. Raises Trouble when none does."""
        deadline = time.monotonic() + BUSY_SECONDS_MAX
        while True:
            try:
                run("umount", self.mounted_on)
            except Trouble:
                if time.monotonic() > deadline:
                    raise
                time.sleep(BUSY_PAUSE_SECONDS)
            else:
                return

    def cut_power(self) -> None:
        """From now on nothing is written, and what was not flushed is lost."""
        folder = os.open(self.mounted_on, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, SHUTDOWN_CALL, DROP_THE_JOURNAL)
        finally:
            os.close(folder)

    def settle(self) -> None:
        """Bring everything written so far to the disk."""
        run("sync", "--file-system", self.mounted_on)

    def fill(self) -> int:
        """Take up all free space; the bytes taken."""
        descriptor = os.open(self._ballast, os.O_WRONLY | os.O_CREAT)
        try:
            # Blocks that describe the ballast are taken beside it: the last step is refused.
            with suppress(OSError):
                while free := self._free_bytes():
                    os.posix_fallocate(descriptor, os.fstat(descriptor).st_size, free)
            return os.fstat(descriptor).st_blocks * BLOCK_BYTES
        finally:
            os.close(descriptor)

    def free(self) -> None:
        """Give the space back."""
        self._ballast.unlink(missing_ok=True)

    def _free_bytes(self) -> int:
        about = os.statvfs(self.mounted_on)
        return about.f_bavail * about.f_frsize

    def remove(self) -> None:
        """Unmount and detach it; its file stays for whoever removes the folder."""
        if self._device and os.path.ismount(self.mounted_on):
            self.unmount()
        if self._device:
            run("losetup", "--detach", self._device)
            self._device = ""


def run(*command: str | Path) -> str:
    """What a system program printed. Raises Trouble with what it complained about."""
    done = subprocess.run(
        [*map(str, command)],
        env={"PATH": PATH},
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_SECONDS_MAX,
    )
    if done.returncode:
        raise Trouble(f"{command[0]} failed.", why=done.stderr.strip(), code="drill-disk")
    return done.stdout
