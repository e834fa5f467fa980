"""What happened to discount codes."""

from __future__ import annotations

from typing import Any

from holdfast.commerce.messages.message import Message


class DiscountCodeCreated(Message):
    discount_code: Any


class DiscountCodeDeleted(Message): ...


class DiscountCodeKeySet(Message):
    key: str | None = None
    old_key: str | None = None
