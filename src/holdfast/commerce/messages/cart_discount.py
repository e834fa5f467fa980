"""What happened to cart discounts."""

from __future__ import annotations

from typing import Any

from holdfast.commerce.messages.message import Message
from holdfast.commerce.values.reference import KeyReference


class CartDiscountCreated(Message):
    cart_discount: Any


class CartDiscountDeleted(Message): ...


class CartDiscountStoresSet(Message):
    stores: tuple[KeyReference, ...]


class CartDiscountStoreAdded(Message):
    store: KeyReference


class CartDiscountStoreRemoved(Message):
    store: KeyReference
