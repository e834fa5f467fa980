"""How the stock of an inventory entry came to be what it is: its ledger, a page at a time."""

from __future__ import annotations

import re

from msgspec import field

from holdfast.base.errors import InvalidInput, ResourceNotFound
from holdfast.base.ids import is_uuid
from holdfast.commerce.predicates.paging import paging
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.value import Value, empty
from holdfast.handlers.endpoints import Answer, Request, endpoint
from holdfast.handlers.work import Work
from holdfast.store.ledger import END, Account, Line, account_of

_POSITION = re.compile(r"[0-9]{1,18}")


class LedgerLine(Value):
    """A movement: what it added to stock and reservations, what was on stock and available after it, and its cause."""

    position: int
    at: str
    movement: str
    on_stock: int
    reserved: int
    quantity_on_stock: int
    available_quantity: int
    reference: Reference
    reference_version: int


class StockLedger(Value):
    """Some movements of an entry, newest last; `balanced` says whether all of them add up to its counters."""

    limit: int
    count: int
    total: int
    quantity_on_stock: int
    available_quantity: int
    balanced: bool
    results: tuple[LedgerLine, ...] = field(default_factory=empty)


@endpoint("GET", "inventory", "*/ledger", scope="view_products", answer=StockLedger, parameters=("limit", "before"))
async def stock_ledger(work: Work, request: Request) -> Answer:
    """The last movements of an entry's stock, or those before a position; a deleted entry keeps its ledger."""
    (entry_id,) = request.path_values
    wanted = paging(request.first("limit"))
    before = _before(request.first("before"))
    if not is_uuid(entry_id):
        raise ResourceNotFound.by_id(entry_id)
    account = await account_of(work.store.database, work.caller.project, entry_id, wanted.limit, before)
    if not account.movements:
        raise ResourceNotFound.by_id(entry_id)
    return Answer(_shown(account, wanted.limit), keep=False)


def _before(text: str | None) -> int:
    if text is None:
        return END
    if not _POSITION.fullmatch(text):
        raise InvalidInput("Malformed parameter: before: the position of a movement is required.")
    return int(text)


def _shown(account: Account, limit: int) -> StockLedger:
    return StockLedger(
        limit=limit,
        count=len(account.lines),
        total=account.movements,
        quantity_on_stock=account.counters.on_stock,
        available_quantity=account.counters.available,
        balanced=account.balanced,
        results=tuple(_line(line) for line in account.lines),
    )


def _line(line: Line) -> LedgerLine:
    return LedgerLine(
        position=line.position,
        at=line.at,
        movement=line.movement,
        on_stock=line.change.on_stock,
        reserved=line.change.reserved,
        quantity_on_stock=line.after.on_stock,
        available_quantity=line.after.available,
        reference=Reference(type_id=line.reference_kind, id=line.reference_id),
        reference_version=line.reference_version,
    )
