"""The model beside a running shop: few histories, over real HTTP and a real database."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.http.api import Api
from tests.http.till import a_sku, open_till
from tests.simulation.stateful import UNITS, CartsOrdersStock, Reply

EXAMPLES = 6
STEPS = 20


def beside(api: Api) -> type[CartsOrdersStock]:
    """A machine that calls this API."""

    class OverHttp(CartsOrdersStock):
        def call(self, method: str, path: str, body: Any = None) -> Reply:
            answer = api.send(method, f"/{path}", body)
            return Reply(answer.status_code, answer.json() if answer.content else None)

        def stock(self) -> dict[str, tuple[str, str]]:
            made = {name: a_sku(api, on_stock=units) for name, units in UNITS.items()}
            return {
                name: (sku, api.get("/inventory", where=f'sku = "{sku}"')["results"][0]["id"])
                for name, sku in made.items()
            }

    return OverHttp


def test_a_running_shop_does_what_the_model_does(project: dict[str, Any]) -> None:
    with Api(project) as api:
        open_till(api)
        run_state_machine_as_test(
            beside(api),
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
