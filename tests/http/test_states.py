from __future__ import annotations

from typing import Any

import pytest
from tests.http.api import Api, fresh, refusal


@pytest.fixture(scope="module")
def api(shop: Any) -> Any:
    with Api(shop.create_project("states")) as api:
        yield api


def a_state(api: Api, **draft: Any) -> dict[str, Any]:
    return api.create("/states", {"key": fresh("state"), "type": "OrderState"} | draft)


def delete(api: Api, state: dict[str, Any]) -> Any:
    return api.send("DELETE", f"/states/{state['id']}", parameters={"version": state["version"]})


def test_a_project_is_born_with_the_initial_state_and_keeps_it(api: Api) -> None:
    initial = api.get("/states/key=Initial")
    assert (initial["type"], initial["builtIn"], initial["initial"]) == ("LineItemState", True, True)
    refusal(delete(api, initial), 400, "InvalidOperation")


def test_a_state_others_lead_to_cannot_be_deleted(api: Api) -> None:
    last = a_state(api, initial=False)
    first = a_state(api, transitions=[{"typeId": "state", "id": last["id"]}])
    refusal(delete(api, last), 400, "ReferenceExists")
    assert delete(api, first).status_code == 200
    assert delete(api, last).status_code == 200


def test_a_state_that_leads_to_itself_can_be_deleted(api: Api) -> None:
    state = a_state(api)
    own = {"action": "setTransitions", "transitions": [{"typeId": "state", "id": state["id"]}]}
    assert delete(api, api.update("/states", state, own)).status_code == 200


def test_a_state_key_belongs_to_one_state(api: Api) -> None:
    state = a_state(api)
    first = refusal(api.send("POST", "/states", {"key": state["key"], "type": "OrderState"}), 400, "DuplicateField")
    assert (first["field"], first["duplicateValue"]) == ("key", state["key"])
