"""Every fault and every control there is."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.ops.drill.controls import durability, orders, stock
from holdfast.ops.drill.fault import AnyControl, AnyFault
from holdfast.ops.drill.faults import clock, database, disk, network, power, processes
from holdfast.ops.trouble import Trouble

FAULTS: tuple[AnyFault, ...] = (
    *processes.FAULTS,
    *database.FAULTS,
    *network.FAULTS,
    *clock.FAULTS,
    *disk.FAULTS,
    *power.FAULTS,
)
CONTROLS: tuple[AnyControl, ...] = (*durability.CONTROLS, *orders.CONTROLS, *stock.CONTROLS)


def chosen(names: Sequence[str]) -> list[AnyFault]:
    """The faults with these names, all when none is named. Raises Trouble for a name that is none."""
    known = {fault.name: fault for fault in FAULTS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Trouble(
            f"There is no fault named {', '.join(unknown)}.",
            remedy="`holdfast drill list` prints them.",
            code="unknown-fault",
            exit_code=2,
        )
    return [known[name] for name in names] if names else list(FAULTS)


def controls_of(faults: Sequence[AnyFault]) -> list[AnyControl]:
    """The controls that show the verdicts on these faults to be able to fail."""
    names = {fault.name for fault in faults}
    return [control for control in CONTROLS if names & set(control.proves)]
