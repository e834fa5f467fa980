"""Shops that forget which carts they have ordered, or take a lost commit for done."""

from __future__ import annotations

from holdfast.ops.drill.controls.sabotaged import Sabotaged
from holdfast.ops.drill.fault import AnyControl, Control
from holdfast.ops.drill.faults.network import BehindProxy, drop_commits
from holdfast.ops.drill.faults.processes import kill_all_api_workers


class Forgetful(Sabotaged):
    """The second request to order a cart makes a second order."""

    name = "with forgotten orders"
    sabotage = "forgetful"


class Hopeful(Sabotaged, BehindProxy):
    """A commit that never arrived is acknowledged."""

    name = "with hope for lost commits"
    sabotage = "hopeful"


CONTROLS: tuple[AnyControl, ...] = (
    Control(
        "forgotten-orders",
        "an order's id does not follow from its cart, and the cart's state is not kept",
        Forgetful,
        kill_all_api_workers,
        proves=(
            "kill-all-api-workers",
            "kill-supervisor",
            "kill-background",
            "pause-postgres",
            "half-open-to-shop",
            "drop-commit-answers",
            "clock-ahead",
            "clock-back",
            "clocks-apart",
        ),
        finds=("duplicated",),
    ),
    Control(
        "lost-commits-hoped-for",
        "a commit whose answer was lost is taken for done",
        Hopeful,
        drop_commits,
        is_outage=False,
        proves=("drop-commits", "end-at-commit", "cut-network", "half-open-to-database", "black-hole"),
        finds=("lost",),
    ),
)
