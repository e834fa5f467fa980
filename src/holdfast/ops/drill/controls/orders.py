"""Shops that forget which carts they have ordered, or guess what became of a lost commit."""

from __future__ import annotations

from holdfast.ops.drill.controls.sabotaged import Sabotaged
from holdfast.ops.drill.fault import AnyControl, Control
from holdfast.ops.drill.faults.network import BehindProxy, drop_answers, drop_commits
from holdfast.ops.drill.faults.processes import kill_all_api_workers


class Forgetful(Sabotaged):
    """The second request to order a cart makes a second order."""

    name = "with forgotten orders"
    sabotage = "forgetful"


class Hopeful(Sabotaged, BehindProxy):
    """A commit that never arrived is acknowledged."""

    name = "with hope for lost commits"
    sabotage = "hopeful"


class Hopeless(Sabotaged, BehindProxy):
    """A commit that arrived is done again."""

    name = "without hope for lost commits"
    sabotage = "hopeless"


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
            "lost-answers",
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
        proves=(
            "drop-commits",
            "end-at-commit",
            "cut-network",
            "half-open-to-database",
            "black-hole",
            "forgotten-connections",
        ),
        finds=("lost",),
    ),
    Control(
        "lost-commits-given-up",
        "a commit whose answer was lost is taken for failed",
        Hopeless,
        drop_answers,
        is_outage=False,
        proves=("drop-commit-answers", "half-open-to-shop", "end-at-commit"),
        finds=("unexplained",),
    ),
)
