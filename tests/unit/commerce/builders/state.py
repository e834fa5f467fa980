from __future__ import annotations

from typing import Any

from holdfast.commerce.resources.state import State


def a_state(id: str = "state-1", **fields: Any) -> State:
    given: dict[str, Any] = {"id": id, "key": id, "type": "OrderState", "initial": True} | fields
    return State(**given)
