"""`/me`: the shopper's own customer record, whose id comes from the token alone."""

from __future__ import annotations

from holdfast.commerce.resources.customer.shape import customers
from holdfast.handlers import crud
from holdfast.handlers.crud import Target
from holdfast.handlers.endpoints import Answer, Request, endpoint
from holdfast.handlers.work import Work
from holdfast.store.tokens import Tokens


def _mine(work: Work) -> Target:
    """An anonymous shopper has no customer record: there is none with an empty id."""
    return Target(work.caller.customer_id or "")


@endpoint("GET", "", scope="manage_my_profile", me=True, in_store=True, answer=customers)
async def read(work: Work, request: Request) -> Answer:
    """The shopper's customer record."""
    return await crud.read(work, customers, request, _mine(work))


@endpoint("POST", "", scope="manage_my_profile", me=True, in_store=True, body=customers, answer=customers)
async def update(work: Work, request: Request) -> Answer:
    """Change the shopper's customer record by the actions shoppers are allowed."""
    return await crud.update(work, customers, request, _mine(work))


@endpoint("DELETE", "", scope="manage_my_profile", me=True, in_store=True, answer=customers, parameters=("version",))
async def delete(work: Work, request: Request) -> Answer:
    """Delete the shopper's customer record, and end their sessions."""
    answer = await crud.delete(work, customers, request, _mine(work))
    assert work.caller.customer_id is not None, "a record was deleted, so it had an id"
    await Tokens(work.store.database, work.store.epochs).revoke_customer(work.caller.project, work.caller.customer_id)
    return answer
