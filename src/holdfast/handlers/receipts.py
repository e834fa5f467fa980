"""Receipts for orders that are acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.handlers.endpoints import Answer
    from holdfast.handlers.work import Work


def acknowledged(work: Work, answer: Answer) -> Answer:
    """An answer that tells a client of its order, with the receipt for it."""
    return answer._replace(receipt=work.signer.receipt(work.caller.project, answer.value)) if work.signer else answer
