"""Goes along the walks: all of them at once for an operator, a page at a time for the background worker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

import asyncpg

from holdfast.base.log import log
from holdfast.commerce.catalogue import load_resources
from holdfast.commerce.registry import REGISTRY
from holdfast.store.audit import sales, tallies
from holdfast.store.audit.check import Check, Finding, Place, Walk
from holdfast.store.audit.documents import walk
from holdfast.store.audit.payments import PAYMENTS
from holdfast.store.audit.reading import snapshot
from holdfast.store.audit.registers import REFERENCES, REPLIES, VALUES
from holdfast.store.audit.stock import HELD_STOCK, STOCK
from holdfast.store.pool import CONNECTION_LOST

_FURTHER = {
    "order": (sales.OF_ORDERS, sales.look_at_orders),
    "cart": (sales.OF_CARTS, sales.look_at_carts),
    "discount-code": ((tallies.CODE_USES,), tallies.look_at_codes),
    "gift-card": ((tallies.CARD_USES,), tallies.look_at_cards),
}


class Page(NamedTuple):
    """What one page came to. `last` is where the next one goes on, None after the last page."""

    last: Place | None
    looked_at: int
    passed_over: int
    findings: Sequence[Finding]


def walks() -> list[Walk]:
    """All walks, those where money and stock are at stake first."""
    load_resources()
    documents = [walk(kind, _FURTHER) for kind in sorted(REGISTRY, key=lambda kind: (kind not in _FURTHER, kind))]
    return [PAYMENTS, STOCK, HELD_STOCK, sales.TOLD_ORDERS, *documents, VALUES, REFERENCES, REPLIES]


def checks() -> dict[str, Check]:
    """All checks by name."""
    return {check.name: check for each in walks() for check in each.checks}


async def examine_page(connection: asyncpg.Connection, walk: Walk, project: str, after: Place) -> Page:
    """Look at the places after one; what looks wrong is looked at again, in a new snapshot."""
    async with snapshot(connection, project) as reading:
        places = await walk.page(reading, after, walk.page_max)
    if not places:
        return Page(None, 0, 0, ())
    suspects, passed_over = await _look(connection, walk, project, places)
    findings, unconfirmed = await examine_again(connection, walk, project, suspects) if suspects else ([], 0)
    passed_over += unconfirmed
    last = places[-1] if len(places) == walk.page_max else None
    return Page(last, len(places) - passed_over, passed_over, findings)


async def examine_again(
    connection: asyncpg.Connection, walk: Walk, project: str, suspects: Sequence[Finding]
) -> tuple[list[Finding], int]:
    """Those of the suspects that are still to be seen, and how many could not be looked at."""
    places = sorted({suspect.place for suspect in suspects})
    wanted = {suspect.identity for suspect in suspects}
    seen, passed_over = await _look(connection, walk, project, places)
    return [finding for finding in _merged(seen) if finding.identity in wanted], passed_over


async def _look(
    connection: asyncpg.Connection, walk: Walk, project: str, places: Sequence[Place]
) -> tuple[list[Finding], int]:
    """What is wrong at these places, and how many could not be looked at: then each half is tried alone."""
    try:
        async with snapshot(connection, project) as reading:
            return list(await walk.look(reading, places)), 0
    except CONNECTION_LOST:
        raise
    except Exception as error:  # noqa: BLE001 - one place must not keep the audit from the others
        if len(places) == 1:
            log.warning("audit.passed_over", walk=walk.name, project=project, place=places[0], reason=str(error)[:500])
            return [], 1
    half = len(places) // 2
    first = await _look(connection, walk, project, places[:half])
    second = await _look(connection, walk, project, places[half:])
    return first[0] + second[0], first[1] + second[1]


def _merged(findings: Sequence[Finding]) -> list[Finding]:
    """One finding a check and resource: several details become one text."""
    by_identity: dict[tuple[str, str, str, str], Finding] = {}
    for finding in findings:
        known = by_identity.get(finding.identity)
        detail = f"{known.detail}; {finding.detail}" if known and known.detail != finding.detail else finding.detail
        by_identity[finding.identity] = finding._replace(detail=detail)
    return list(by_identity.values())


async def examine_all(
    connection: asyncpg.Connection, project: str, only: Sequence[str] = ()
) -> AsyncIterator[tuple[Walk, Page]]:
    """Every page of a project, at full speed; with `only`, of the walks that make these checks."""
    for each in walks():
        if only and not any(check.name in only for check in each.checks):
            continue
        after: Place | None = each.start
        while after is not None:
            page = await examine_page(connection, each, project, after)
            findings = [finding for finding in page.findings if not only or finding.check in only]
            yield each, page._replace(findings=findings)
            after = page.last
