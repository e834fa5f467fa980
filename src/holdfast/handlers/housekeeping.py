"""What time does to carts: reservations end, and carts nobody comes back to go.

Both are changes like those of a shopper, with a version that must still stand, so whoever comes
second is told so: a cart touched at the last moment stays, and nothing is given back twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from holdfast.base import clock
from holdfast.base.errors import ConcurrentModification, ResourceNotFound
from holdfast.base.log import log
from holdfast.commerce.facts import Caller, Facts
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.rules.reservations import expired
from holdfast.handlers.work import Work
from holdfast.store.housekeeping import Due, carts_to_delete, carts_to_release
from holdfast.store.store import Store

CLIENT_ID = "housekeeping"

Decision = Callable[[Cart, Facts], Changed[Cart]]


async def release_expired_reservations(store: Store) -> int:
    """Give back a batch of reservations whose time is over; how many carts lost some."""
    due = await carts_to_release(store.database, clock.now())
    return await _all(store, due, expired, delete=False)


async def delete_expired_carts(store: Store) -> int:
    """Delete a batch of carts nobody has touched for as long as they ask to be kept; how many went."""
    due = await carts_to_delete(store.database)
    return await _all(store, due, carts.deleted, delete=True)


async def _all(store: Store, due: Sequence[Due], decision: Decision, *, delete: bool) -> int:
    """Settle each cart by itself; they commit together. One that cannot be settled does not keep the others waiting."""
    settling = (_one(store, each, decision, delete=delete) for each in due)
    outcomes = await asyncio.gather(*settling, return_exceptions=True)
    failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    if failed:
        log.error("housekeeping.failed", carts=len(failed), reason=repr(failed[0]))
    return outcomes.count(True)


async def _one(store: Store, due: Due, decision: Decision, *, delete: bool) -> bool:
    """Settle a cart, unless it has changed since it was found."""
    caller = Caller(project=due.project, client_id=CLIENT_ID, scopes=frozenset({"manage_project"}))
    work = Work(store, caller)
    document = await work.document(carts, due.id)
    if document is None or document.resource.version != due.version:
        return False
    cart: Cart = document.resource
    changed = await work.decide(lambda facts: decision(cart, facts))
    if changed.resource is cart and not delete:
        return False
    try:
        await work.commit(carts, cart, changed, delete=delete)
    except (ConcurrentModification, ResourceNotFound):
        return False
    return True
