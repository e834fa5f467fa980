"""Orders by the number that shop and customer call them by."""

from __future__ import annotations

from holdfast.commerce.resources.order.shape import orders
from holdfast.handlers import crud
from holdfast.handlers.crud import Target
from holdfast.handlers.endpoints import Answer, Request, endpoint
from holdfast.handlers.work import Work

PATTERN = "order-number=*"


def _target(request: Request) -> Target:
    return Target(request.path_values[0], "orderNumber")


@endpoint("GET", "orders", PATTERN, scope="view_orders", in_store=True, answer=orders)
async def read(work: Work, request: Request) -> Answer:
    """Get an order by its number."""
    return await crud.read(work, orders, request, _target(request))


@endpoint("POST", "orders", PATTERN, scope="manage_orders", in_store=True, body=orders, answer=orders)
async def update(work: Work, request: Request) -> Answer:
    """Update an order by its number."""
    return await crud.update(work, orders, request, _target(request))


@endpoint("DELETE", "orders", PATTERN, scope="manage_orders", in_store=True, answer=orders, parameters=("version",))
async def delete(work: Work, request: Request) -> Answer:
    """Delete an order by its number; its last body is the answer."""
    return await crud.delete(work, orders, request, _target(request))
