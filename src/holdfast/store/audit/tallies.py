"""Counted uses against what used them: discount codes in orders, money of gift cards in payments."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.store.audit.check import NO_REPAIR, Check, Finding
from holdfast.store.audit.documents import Document
from holdfast.store.audit.reading import Reading

CODE_USES = Check(
    "code-uses",
    "I4",
    "A discount code was used by more orders than were counted: its limit did not hold.",
    NO_REPAIR + "decide which orders keep their discount; lower `maxApplications` by what was not counted.",
)
CARD_USES = Check(
    "card-uses",
    "I4",
    "What was taken off a gift card is not what its payments charged and refunded.",
    NO_REPAIR + "compare the card's payments with what its holder bought; top up the card, or charge it, by the rest.",
)


async def look_at_codes(reading: Reading, documents: Sequence[Document]) -> list[Finding]:
    """Uses of discount codes; orders that were deleted since still count as uses."""
    return [
        CODE_USES.found(
            reading.project, "discount-code", row["id"], (row["id"],), f"counted {row['used']}, orders {row['orders']}"
        )
        for row in await reading.rows("uses_of_codes", [document.id for document in documents])
    ]


async def look_at_cards(reading: Reading, documents: Sequence[Document]) -> list[Finding]:
    """Money taken off gift cards; a payment that holds some cannot be deleted, so all of it is there."""
    ids, codes = [document.id for document in documents], [document.resource.code for document in documents]
    return [
        CARD_USES.found(
            reading.project, "gift-card", row["id"], (row["id"],), f"counted {row['used']}, charged {row['charged']}"
        )
        for row in await reading.rows("uses_of_cards", ids, codes)
    ]
