"""Taking over an order that happened elsewhere."""

from __future__ import annotations

from functools import partial

import msgspec

from holdfast.commerce.resources.order import importing
from holdfast.commerce.resources.order.drafts import OrderImportDraft
from holdfast.commerce.resources.order.shape import orders
from holdfast.commerce.values.value import decode_special
from holdfast.handlers.crud import shown
from holdfast.handlers.endpoints import Answer, Request, endpoint
from holdfast.handlers.receipts import acknowledged
from holdfast.handlers.work import Work

_drafts = msgspec.json.Decoder(OrderImportDraft, dec_hook=decode_special)


@endpoint("POST", "orders", "import", scope="manage_orders", body=OrderImportDraft, answer=orders)
async def import_order(work: Work, request: Request) -> Answer:
    """Create an order without a cart; its prices, taxes and states are trusted."""
    draft = work.decode(_drafts, request.body)
    changed = await work.decide(lambda facts: importing.import_order(draft, facts))
    return acknowledged(work, await work.answer(orders, None, changed, partial(shown, work, request), created=True))
