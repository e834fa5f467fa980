"""The account PostgreSQL runs under when Holdfast is started as root: it refuses to be root."""

import os
import pwd
import subprocess
from pathlib import Path
from typing import Any

from holdfast.ops.server.plan import Account
from holdfast.ops.trouble import Trouble

ACCOUNT_VARIABLE = "HOLDFAST_POSTGRES_ACCOUNT"
ACCOUNT_DEFAULT = "nobody"


def server_account() -> Account | None:
    """The account to change to, or None to stay who we are."""
    if os.geteuid() != 0:
        return None
    name = os.environ.get(ACCOUNT_VARIABLE, ACCOUNT_DEFAULT)
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise no_account(f"There is no account named {name}.") from None
    if entry.pw_uid == 0:
        raise no_account(f"{name} is root.")
    return Account(name, entry.pw_uid, entry.pw_gid)


def no_account(why: str) -> Trouble:
    return Trouble(
        "PostgreSQL cannot be started as root.",
        why=why,
        remedy=f"Start Holdfast as another user, or set {ACCOUNT_VARIABLE} to an existing unprivileged account.",
        code="no-account",
    )


def own_name() -> str:
    """The name the server sees us under; PostgreSQL needs one for its peer check."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise Trouble(
            "PostgreSQL cannot run under an account without a name.",
            why=f"User id {os.geteuid()} has no entry in the account database.",
            remedy="Add one (in a container: to /etc/passwd), or start with --database postgresql://…",
            code="no-account",
        ) from None


def as_account(account: Account | None) -> dict[str, Any]:
    """Arguments that make subprocess change to the account before it runs the program."""
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}


def can_use(account: Account | None, path: Path) -> bool:
    """Whether the account gets there: asked of the kernel, so that any access list counts."""
    if account is None:
        return os.access(path, os.X_OK)
    asked = subprocess.run(["/usr/bin/test", "-x", str(path)], cwd="/", check=False, **as_account(account))
    return asked.returncode == 0


def give_to(account: Account | None, *paths: Path) -> None:
    for path in paths if account else ():
        os.chown(path, account.uid, account.gid)  # type: ignore[union-attr] # guarded by the loop's condition
