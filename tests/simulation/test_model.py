"""The model beside one API process on the simulated database: rules, handlers and committer, in milliseconds."""

from __future__ import annotations

from contextlib import ExitStack
from random import Random
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from tests.simulation.database import Server
from tests.simulation.faults import Faults, Plan
from tests.simulation.loop import SeededLoop
from tests.simulation.prepared import prepared
from tests.simulation.processes import ApiProcess
from tests.simulation.seeded import NATURE, seeded
from tests.simulation.stateful import CartsOrdersStock, Reply

from holdfast.store.epochs import Epochs

EXAMPLES = 30
STEPS = 25


class Simulated(CartsOrdersStock):
    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._stack.enter_context(seeded())
        self._shop = prepared()
        self._loop = SeededLoop(Random(1))
        NATURE.begin(self._loop, Random(1))
        server = Server(self._shop.tables.copy(), Faults(Plan(), Random(1)), self._loop)
        self._process = ApiProcess(server, Epochs(None), self._shop.known)

    def teardown(self) -> None:
        self._stack.close()

    def call(self, method: str, path: str, body: Any = None) -> Reply:
        answer = self._loop.run(self._process.call(method, path, body))
        return Reply(answer.status, answer.body)

    def stock(self) -> dict[str, tuple[str, str]]:
        return {sku: (sku, entry) for sku, entry in self._shop.entries.items()}


def test_the_rules_do_what_the_model_does() -> None:
    machine: type[RuleBasedStateMachine] = Simulated
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
