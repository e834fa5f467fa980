"""What a fault, the setting it needs and a positive control are."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from holdfast.ops.drill.stage import Stage


class Setting:
    """How a shop's surroundings are arranged; faults with the same setting strike the same shop.

    A subclass changes the stage before the shop starts (its data folder, database, environment or
    front) and keeps what its faults need: a proxy, a mounted disk.
    """

    name = "plain"

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    @classmethod
    def needs(cls) -> str:
        """What is missing on this machine, as a sentence; empty when nothing is."""
        return ""

    async def prepare(self) -> None:
        """Arrange everything; the shop does not run yet."""

    async def opened(self) -> None:
        """The shop serves for the first time and is stocked; the sale has not begun."""

    async def clear(self) -> None:
        """Take everything away; the shop has ended. Called however far the run came, `prepare` included."""


S = TypeVar("S", bound=Setting)


@dataclass(frozen=True)
class Fault(Generic[S]):
    """Something that goes wrong: `strike` injects and heals it.

    When `strike` returns, nothing is broken from the drill's side any more (what had to be started again
    is starting); whether the shop is whole again is for the runner to wait for. It may hold the fault as
    long as it takes effect. It never decides about the verdict.
    """

    name: str
    about: str
    setting: type[S]
    strike: Callable[[S, random.Random], Awaitable[None]]
    # How often it strikes a run; a power cut is wanted many times.
    times: int = 1
    # Whether orders are expected to pause; told beside what was seen.
    is_outage: bool = True


@dataclass(frozen=True)
class Control(Fault[S]):
    """The same drill against a set-up broken on purpose: its verdict must find one of `finds`."""

    # The faults whose verdict it shows to be able to fail.
    proves: tuple[str, ...] = ()
    # lost, duplicated, oversold or unexplained.
    finds: tuple[str, ...] = ()


AnyFault = Fault[Any]
AnyControl = Control[Any]
