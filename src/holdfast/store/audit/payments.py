"""Payments: what was captured, against the orders and carts that name it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import asyncpg

from holdfast.base import clock
from holdfast.commerce.resources.payment.shape import Payment, payments
from holdfast.commerce.rules.reconciliation import Break, Placing, Refunding, Use, breaks
from holdfast.store.audit.check import NO_REPAIR, Check, Finding, Place, Walk, by_name
from holdfast.store.audit.reading import FIRST_ID, Reading
from holdfast.store.bodies import unpacked

RECENT_MINUTES = 60
_REFUND = "refund it"
BREAKS = by_name(
    (
        Check("payment-unmatched", "I4", "Money was captured, and no order came of it.", _REFUND, mends=True),
        Check("payment-amount", "I4", "What was captured is not what the order costs.", _REFUND, mends=True),
        Check("payment-twice", "I4", "An order was paid more than once.", _REFUND, mends=True),
        Check("payment-after-cancel", "I4", "Money is kept for an order that was cancelled.", _REFUND, mends=True),
        Check("payment-shared", "I4", "One payment is counted towards several orders.", _REFUND),
        Check("payment-excess", "I4", "More was charged than authorized, or refunded than charged.", _REFUND),
    )
)
_BY_HAND: Mapping[str, str] = {
    "payment-unmatched": NO_REPAIR + "see what became of the order; restore it, or refund the payment.",
    "payment-amount": NO_REPAIR + "ask for the difference, or set the order's paymentState to BalanceDue.",
    "payment-shared": NO_REPAIR + "remove the payment from the order it does not belong to.",
    "payment-excess": NO_REPAIR + "ask the payment service what happened, and correct the transactions.",
}


async def _page(reading: Reading, after: Place, limit: int) -> list[Place]:
    return [(row["id"],) for row in await reading.rows("page_of_documents", after[0], limit, kind=payments.name)]


async def _look(reading: Reading, places: Sequence[Place]) -> list[Finding]:
    found = await unsettled(reading, [place[0] for place in places])
    return [
        BREAKS[each.name].found(
            reading.project, each.kind, each.subject, (payment,), each.detail, remedy=remedy_of(each)
        )
        for payment, mine in found.items()
        for each in mine
    ]


async def unsettled(reading: Reading, ids: Sequence[str]) -> dict[str, list[Break]]:
    """What is not settled about these payments, by payment."""
    own = await _read(reading, ids)
    charged = [each for each in own if any(one.type == "Charge" for one in own[each].transactions)]
    uses = await _uses(reading, charged)
    named = {other for mine in uses.values() for use in mine for other in use.payments}
    paying = own | await _read(reading, sorted(named - own.keys()))
    now = datetime.now(UTC)
    return {each: list(breaks(payment, uses[each], paying, now)) for each, payment in own.items()}


def remedy_of(found: Break) -> str:
    """What would settle it, in words."""
    match found.repair:
        case Placing(cart_id, payment_id, cents):
            return f"place the order of cart {cart_id}; if it cannot be placed, refund {cents} of payment {payment_id}"
        case Refunding(payment_id, cents):
            return f"refund {cents} of payment {payment_id}"
        case None:
            return _BY_HAND[found.name]


async def _read(reading: Reading, ids: Sequence[str]) -> dict[str, Payment]:
    rows = await reading.rows("bodies", list(ids), kind=payments.name) if ids else []
    return {row["id"]: payments.decode(unpacked(row["body"])) for row in rows}


async def _uses(reading: Reading, ids: Sequence[str]) -> defaultdict[str, list[Use]]:
    uses: defaultdict[str, list[Use]] = defaultdict(list)
    if not ids:
        return uses
    for row in await reading.rows("orders_of_payments", list(ids)):
        uses[row["payment_id"]].append(_use("order", row)._replace(payment_state=row["payment_state"]))
    for row in await reading.rows("carts_of_payments", list(ids)):
        uses[row["payment_id"]].append(_use("cart", row))
    return uses


def _use(kind: Literal["cart", "order"], row: asyncpg.Record) -> Use:
    return Use(kind, row["id"], row["state"], row["modified_at"], row["due"], row["currency"], payments=row["payments"])


async def _recent_page(reading: Reading, after: Place, limit: int) -> list[Place]:
    since = clock.timestamp(datetime.now(UTC) - timedelta(minutes=RECENT_MINUTES))
    return [(row["id"],) for row in await reading.rows("page_of_changed_payments", after[0], limit, since)]


PAYMENTS = Walk("payments", tuple(BREAKS.values()), (FIRST_ID,), _page, _look)
# The same, but only what changed lately: what was found stays on the list and is looked at with it, and
# what grew older unseen is found on the way through everything.
RECENT_PAYMENTS = PAYMENTS._replace(page=_recent_page)
