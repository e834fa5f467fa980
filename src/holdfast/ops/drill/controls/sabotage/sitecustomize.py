"""Takes a promise out of the shop's processes, so that a drill can be seen to fail.

Python runs a file of this name at its start when the folder is on its path, and only a control puts it
there; no part of the product looks for it. DRILL_SABOTAGE names what to break. The parts are reached by
name, because the drill stands outside of them; one that is gone stops the process, so that a control
can never pass for want of anything to break.
"""

import os
import sys
import uuid
from collections.abc import Callable
from importlib import import_module
from typing import Any

WORKER = "holdfast.http.worker"


def unguarded() -> None:
    """Reservations are granted whatever is left."""
    stock: Any = import_module("holdfast.commerce.stock")
    guarded = stock.moved

    def moved(level: Any, movement: Any) -> Any:
        if movement.kind == "reserve":
            return level._replace(reserved=level.reserved + movement.quantity)
        return guarded(level, movement)

    stock.moved = moved


def forgetful() -> None:
    """An order's id does not follow from its cart, and the cart does not know that it was ordered."""
    ids: Any = import_module("holdfast.base.ids")
    assert ids.order_id
    ids.order_id = lambda _project, _cart_id: str(uuid.uuid4())
    committer: Any = import_module("holdfast.store.committer").Committer
    submit = committer.submit

    async def submit_without_cart(self: Any, change: Any) -> Any:
        kinds = {put.kind for put in change.puts}
        if {"order", "cart"} <= kinds:
            change = change._replace(puts=[put for put in change.puts if put.kind != "cart"])
        return await submit(self, change)

    committer.submit = submit_without_cart


def hopeful() -> None:
    """A commit whose answer was lost is taken for done."""
    take_lost_commits_for(done=True)


def hopeless() -> None:
    """A commit whose answer was lost is taken for failed."""
    take_lost_commits_for(done=False)


def take_lost_commits_for(*, done: bool) -> None:
    committer: Any = import_module("holdfast.store.committer").Committer
    assert committer._did_commit  # noqa: SLF001 - to break it is why we are here

    async def did_commit(_self: Any, _fate: Any) -> bool:
        return done

    committer._did_commit = did_commit  # noqa: SLF001 - as above


WAYS: dict[str, Callable[[], None]] = {way.__name__: way for way in (unguarded, forgetful, hopeful, hopeless)}

if WORKER in sys.orig_argv:
    try:
        WAYS[os.environ["DRILL_SABOTAGE"]]()
    except Exception as error:
        # What goes wrong in this file is otherwise only printed, and the process goes on unbroken.
        raise SystemExit(f"drill: nothing to sabotage: {error!r}") from error
