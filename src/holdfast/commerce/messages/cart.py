"""What happens to carts. Most of it is not worth telling: carts change with every click."""

from __future__ import annotations

from holdfast.commerce.messages.message import Message
from holdfast.commerce.values.value import Value


class CartFrozen(Message): ...


class CartUnfrozen(Message): ...


class CartLocked(Message): ...


class CartUnlocked(Message): ...


class CartPurchaseOrderNumberSet(Message):
    purchase_order_number: str | None = None
    old_purchase_order_number: str | None = None


class CartEstimatedDeliverySet(Message):
    shipping_key: str | None = None
    estimated_delivery: Value | None = None
