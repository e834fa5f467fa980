"""Becomes another program that ends when its parent does; run by path, with no imports of ours.

    python -I -S tether.py SIGNAL PARENT_PID UID:GID|- PROGRAM ARGUMENT…

A supervisor that is killed outright cannot stop its children, so on Linux each asks the
kernel for SIGNAL at the death of its parent. The request does not survive a change of
account, therefore it is made after it; and it comes too late when the parent died first,
therefore the parent is compared. Elsewhere the next start finds and stops what was left.
"""

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
    os.execv(command[0], command)  # noqa: S606 - the supervisor's own argument list


def become(uid: int, gid: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


if __name__ == "__main__":
    main(*sys.argv[1:])
