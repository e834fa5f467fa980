"""Payments that ended neither as an order nor as a refund, as the audit found them."""

from __future__ import annotations

from holdfast.base import clock
from holdfast.commerce.predicates.paging import paging
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.value import Value, encode
from holdfast.handlers.crud import page
from holdfast.handlers.endpoints import Answer, Request, endpoint
from holdfast.handlers.work import Work
from holdfast.store.audit.findings import Listed, listed
from holdfast.store.audit.payments import BREAKS


class PaymentBreak(Value):
    """Money that is not where it belongs. `type` says how, `proposedRepair` what would settle it.

    It leaves the list by itself when it has been settled.
    """

    type: str
    resource: Reference
    payment: Reference
    detail: str
    proposed_repair: str
    first_seen_at: str
    last_seen_at: str


@endpoint(
    "GET", "payment-breaks", scope="view_payments", answer=PaymentBreak, paged=True, parameters=("limit", "offset")
)
async def query(work: Work, request: Request) -> Answer:
    """Captured payments without an order, and orders paid too much, too little or twice."""
    asked = paging(request.first("limit"), request.first("offset"))
    found, total = await listed(
        work.store.database, work.caller.project, list(BREAKS), limit=asked.limit, offset=asked.offset
    )
    return Answer(page([encode(_told(each)) for each in found], asked, total))


def _told(each: Listed) -> PaymentBreak:
    finding = each.finding
    return PaymentBreak(
        type=finding.check,
        resource=Reference(type_id=finding.kind, id=finding.subject),
        payment=Reference(type_id="payment", id=finding.place[0]),
        detail=finding.detail,
        proposed_repair=finding.remedy,
        first_seen_at=clock.timestamp(each.first_seen),
        last_seen_at=clock.timestamp(each.last_seen),
    )
