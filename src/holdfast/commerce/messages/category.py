"""What happened to categories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.commerce.messages.message import Message
from holdfast.commerce.values.value import LocalizedString

if TYPE_CHECKING:
    from holdfast.commerce.resources.category import Category


class CategoryCreated(Message):
    category: Category


class CategorySlugChanged(Message):
    slug: LocalizedString
    old_slug: LocalizedString | None = None
