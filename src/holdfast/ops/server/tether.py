"""Becomes another program that ends when its parent does; run by path, with no imports of ours.

    python -I -S tether.py SIGNAL PARENT_PID UID:GID|- PROGRAM ARGUMENT…

A supervisor that is killed outright cannot stop its children, so on Linux each asks the
kernel for SIGNAL at the death of its parent. The request does not survive a change of
account, therefore it is made after it; and it comes too late when the parent died first,
therefore the parent is compared. Elsewhere the next start finds and stops what was left.

Linux also runs it as SCHED_BATCH (sched(7)): what wakes up does not push aside what runs. Client, API and
database wake each other thousands of times a second; letting each finish its turn is worth about a sixth
of the order rate where they share cores, and an idle core still takes up work at once.
"""

import contextlib
import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(number: str, parent: str, account: str, *command: str) -> None:
    if account != "-":
        become(*map(int, account.split(":")))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.Signals[number].value, 0, 0, 0)
        if os.getppid() != int(parent):
            sys.exit(0)
        with contextlib.suppress(OSError):  # some sandboxes forbid it
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    os.execv(command[0], command)  # noqa: S606 - the supervisor's own argument list


def become(uid: int, gid: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


if __name__ == "__main__":
    main(*sys.argv[1:])
