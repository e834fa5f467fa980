"""What is kept beside the resources, against the resources: unique values, references, kept replies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import zstandard

from holdfast.commerce.registry import REGISTRY
from holdfast.store.audit.check import NO_REPAIR, Check, Finding, Place, Walk
from holdfast.store.audit.reading import FIRST_ID, Reading
from holdfast.store.bodies import unpacked

VALUE_ORPHAN = Check(
    "unique-value-orphan",
    "I2",
    "A unique value belongs to a resource that is not there; nobody can take it.",
    "release the value",
    mends=True,
)
REFERENCE_DANGLING = Check(
    "reference-dangling",
    "I2",
    "A reference names a resource that is not there.",
    NO_REPAIR + "set or remove the reference on the resource that holds it, or make its target anew.",
)
REPLY_WITHOUT_ORDER = Check(
    "reply-without-order",
    "I1",
    "A client was told under its idempotency key that an order was placed, and the order is not there.",
    NO_REPAIR + "restore the order from a backup; the body the client got is in the kept reply.",
)
REPLY_DAMAGED = Check(
    "reply-damaged",
    "I2",
    "The reply kept under an idempotency key cannot be read.",
    NO_REPAIR + "look after the disk (`holdfast doctor`); a retry with this key gets an error.",
)


async def _page_of_values(reading: Reading, after: Place, limit: int) -> list[Place]:
    rows = await reading.rows("page_of_values", *after, limit)
    return [(row["kind"], row["field"], row["value"]) for row in rows]


async def _look_at_values(reading: Reading, places: Sequence[Place]) -> list[Finding]:
    rows = await reading.rows("values_at", *map(list, zip(*places, strict=True)))
    present = await _present(reading, ((row["kind"], row["id"]) for row in rows))
    return [
        VALUE_ORPHAN.found(
            reading.project,
            row["kind"],
            f"{row['field']}={row['value']}",
            (row["kind"], row["field"], row["value"]),
            f"belongs to {row['id']}, which is not there",
        )
        for row in rows
        if (row["kind"], row["id"]) not in present
    ]


async def _page_of_references(reading: Reading, after: Place, limit: int) -> list[Place]:
    rows = await reading.rows("page_of_references", *after, limit)
    return [(row["target_kind"], row["target_id"], row["source_kind"], row["source_id"]) for row in rows]


async def _look_at_references(reading: Reading, places: Sequence[Place]) -> list[Finding]:
    rows = await reading.rows("references_at", *map(list, zip(*places, strict=True)))
    ends = [((row["target_kind"], row["target_id"]), (row["source_kind"], row["source_id"])) for row in rows]
    present = await _present(reading, (end for pair in ends for end in pair))
    findings = []
    for target, source in ends:
        gone = [f"{kind} {row_id}" for kind, row_id in (target, source) if (kind, row_id) not in present]
        if gone:
            subject, place = f"{source[1]} → {target[0]} {target[1]}", (*target, *source)
            detail = f"not there: {', '.join(gone)}"
            findings.append(REFERENCE_DANGLING.found(reading.project, source[0], subject, place, detail))
    return findings


async def _present(reading: Reading, named: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these resources, of any types, are there."""
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for kind, row_id in named:
        wanted[kind].add(row_id)
    return {
        (kind, row_id)
        for kind in sorted(wanted.keys() & REGISTRY.keys())
        for row_id in await reading.present(kind, sorted(wanted[kind]))
    }


async def _page_of_replies(reading: Reading, after: Place, limit: int) -> list[Place]:
    return [(row["client_id"], row["key"]) for row in await reading.rows("page_of_replies", *after, limit)]


async def _look_at_replies(reading: Reading, places: Sequence[Place]) -> list[Finding]:
    rows = await reading.rows("replies_at", *map(list, zip(*places, strict=True)))
    findings = []
    placed = {row["id"] for row in rows if row["kind"] == "order" and row["status"] == 201}
    lost = placed - await reading.present("order", sorted(placed))
    lost -= await reading.ids("deleted_orders", sorted(lost))
    for row in rows:
        place = (row["client_id"], row["key"])
        if row["id"] in lost and row["kind"] == "order":
            findings.append(
                REPLY_WITHOUT_ORDER.found(reading.project, "order", row["id"], place, f"idempotency key {row['key']}")
            )
        try:
            unpacked(row["body"])
        except zstandard.ZstdError as error:
            subject = f"{row['client_id']}/{row['key']}"
            findings.append(REPLY_DAMAGED.found(reading.project, row["kind"], subject, place, str(error)[:200]))
    return findings


VALUES = Walk("unique values", (VALUE_ORPHAN,), ("", "", ""), _page_of_values, _look_at_values)
REFERENCES = Walk(
    "references", (REFERENCE_DANGLING,), ("", FIRST_ID, "", FIRST_ID), _page_of_references, _look_at_references
)
REPLIES = Walk("kept replies", (REPLY_WITHOUT_ORDER, REPLY_DAMAGED), ("", ""), _page_of_replies, _look_at_replies)
