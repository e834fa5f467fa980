"""What `holdfast audit --apply` does about a finding: the same guarded changes a client could ask for.

A repair first looks whether the finding is still there. Orders are placed by the handler shoppers
use, so a shopper who comes late gets the same order; refunds are asked for as transactions in state
Initial, for the payment service to act on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import asyncpg
import msgspec
from msgspec.structs import replace

from holdfast.base.errors import ApiError, InvalidOperation, Rejected
from holdfast.base.ids import order_id
from holdfast.base.log import log
from holdfast.commerce.facts import Caller
from holdfast.commerce.registry import Changed, touched
from holdfast.commerce.resources.cart.shape import Cart, carts
from holdfast.commerce.resources.payment.shape import Payment, payments
from holdfast.commerce.rules.reconciliation import Placing, Refunding, balance
from holdfast.commerce.scopes import EVERYTHING
from holdfast.handlers import crud
from holdfast.handlers.crud import Target
from holdfast.handlers.endpoints import Request
from holdfast.handlers.place_order import place
from holdfast.handlers.work import Work
from holdfast.store.audit import corrections
from holdfast.store.audit import findings as ledger
from holdfast.store.audit.check import Finding, Walk
from holdfast.store.audit.documents import VALUE_MISSING
from holdfast.store.audit.examine import examine_again
from holdfast.store.audit.payments import BREAKS, unsettled
from holdfast.store.audit.reading import snapshot
from holdfast.store.audit.registers import VALUE_ORPHAN
from holdfast.store.audit.sales import CART_WITHOUT_ORDER
from holdfast.store.audit.stock import HOLDINGS, LEDGER, LEVELS
from holdfast.store.store import Store

Mend = Callable[[Store, asyncpg.Connection, Finding], Awaitable[str | None]]
OPERATOR = "operator"


class Mended(NamedTuple):
    """What became of a finding: `done` says what was changed, `why_not` why nothing was."""

    finding: Finding
    done: str | None
    why_not: str = ""
    is_left: bool = False


async def mend(store: Store, connection: asyncpg.Connection, walk: Walk, finding: Finding) -> Mended:
    """Mend a finding of a walk, if it is still there and can be mended without a person."""
    still, passed_over = await examine_again(connection, walk, finding.project, [finding])
    if passed_over:
        return Mended(finding, None, "it could not be looked at", is_left=True)
    if not still:
        return Mended(finding, None, "it is gone already")
    found = still[0]
    repair = _REPAIRS.get(found.check)
    try:
        done = await repair(store, connection, found) if repair is not None else None
    except ApiError as error:
        return Mended(found, None, f"{error.code}: {error.message}", is_left=True)
    if done is None:
        return Mended(found, None, found.remedy, is_left=True)
    log.info("audit.mended", project=found.project, check=found.check, subject=found.subject, done=done)
    await ledger.record(connection, walk, [found])
    await ledger.strike(connection, [found], done)
    return Mended(found, done)


# --- repairs -------------------------------------------------------------------------------


async def _claim(_store: Store, connection: asyncpg.Connection, finding: Finding) -> str | None:
    return await corrections.claim_values(connection, finding)


async def _release(_store: Store, connection: asyncpg.Connection, finding: Finding) -> str | None:
    return await corrections.release_value(connection, finding)


async def _correct(_store: Store, connection: asyncpg.Connection, finding: Finding) -> str | None:
    return await corrections.correct_stock(connection, finding)


async def _reopen(store: Store, connection: asyncpg.Connection, finding: Finding) -> str | None:
    """Let an ordered cart without an order be ordered again: by its shopper, to the same order id.

    Not where somebody was told of the order: then it was placed, perhaps paid, and is to be restored.
    """
    lost = order_id(finding.project, finding.subject)
    async with snapshot(connection, finding.project) as reading:
        if await reading.rows("first_messages", "order", [lost]):
            raise InvalidOperation(f"Order '{lost}' was placed and is lost: restore it from its OrderCreated message.")
    work = _work(store, finding)
    cart: Cart = await work.get(carts, finding.subject)
    if cart.cart_state != "Ordered":
        return None
    changed = await work.decide(lambda facts: touched(replace(cart, cart_state="Active"), cart.version + 1, facts))
    await work.commit(carts, cart, Changed(changed))
    return f"cart {cart.id} is Active again"


async def _settle(store: Store, connection: asyncpg.Connection, finding: Finding) -> str | None:
    """Bring money to where it belongs: into the order of its cart, else on its way back."""
    work = _work(store, finding)
    repair = await _proposed(connection, finding)
    if isinstance(repair, Placing):
        cart: Cart = await work.get(carts, repair.cart_id)
        # Asked again now that the version is known: a cart that changes from here on is not ordered.
        if await _proposed(connection, finding) != repair:
            return None
        return await _place_or_refund(work, repair, cart.version)
    return await _refund(work, repair) if repair is not None else None


async def _proposed(connection: asyncpg.Connection, finding: Finding) -> Placing | Refunding | None:
    """What would settle a finding as things are now."""
    payment_id = finding.place[0]
    async with snapshot(connection, finding.project) as reading:
        found = await unsettled(reading, [payment_id])
    wanted = (finding.check, finding.subject)
    return next((each.repair for each in found.get(payment_id, ()) if (each.name, each.subject) == wanted), None)


async def _place_or_refund(work: Work, repair: Placing, version: int) -> str:
    body = {"cart": {"typeId": "cart", "id": repair.cart_id}, "version": version}
    try:
        await place(work, Request(msgspec.json.encode(body)))
    except Rejected as refusal:
        # It can never be placed as it is; anything else may be tried again and refunds nothing.
        done = await _refund(work, Refunding(repair.payment_id, repair.cents))
        return f"order not placed ({refusal.code}), {done}"
    return f"placed order {order_id(work.caller.project, repair.cart_id)}"


async def _refund(work: Work, repair: Refunding) -> str:
    """A refund for the payment service to carry out; nobody refunds twice, because the version is checked."""
    payment: Payment = await work.get(payments, repair.payment_id)
    if repair.cents > balance(payment).kept:
        raise InvalidOperation(f"Payment '{payment.id}' does not hold {repair.cents} any more.")
    amount = {"currencyCode": payment.amount_planned.currency_code, "centAmount": repair.cents}
    refund = {"type": "Refund", "state": "Initial", "amount": amount}
    body = {"version": payment.version, "actions": [{"action": "addTransaction", "transaction": refund}]}
    await crud.update(work, payments, Request(msgspec.json.encode(body)), Target(payment.id))
    return f"asked for a refund of {repair.cents} {amount['currencyCode']} of payment {payment.id}"


def _work(store: Store, finding: Finding) -> Work:
    return Work(store, Caller(project=finding.project, client_id=OPERATOR, scopes=frozenset({EVERYTHING})))


_REPAIRS: Mapping[str, Mend] = {
    VALUE_MISSING.name: _claim,
    VALUE_ORPHAN.name: _release,
    CART_WITHOUT_ORDER.name: _reopen,
    **dict.fromkeys((LEDGER.name, LEVELS.name, HOLDINGS.name), _correct),
    **{name: _settle for name, check in BREAKS.items() if check.mends},
}
