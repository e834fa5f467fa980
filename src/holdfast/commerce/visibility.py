"""Who sees what: `/me` shows a shopper only what is theirs, `/in-store` only what is the store's.

What is not visible does not exist: reading it answers 404, exactly like an id nobody ever had.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.facts import Caller

# Types with one store, and types that belong to a set of stores.
IN_ONE_STORE = frozenset({"cart", "order"})
IN_MANY_STORES = frozenset({"customer"})


class View(NamedTuple):
    """The part of a project a request can see."""

    caller: Caller
    me: bool = False
    store_key: str | None = None

    def shows(self, kind: str, resource: Any) -> bool:
        """Whether the request may know of a resource."""
        if self.store_key is not None and not _in_store(kind, resource, self.store_key):
            return False
        return not self.me or _is_mine(kind, resource, self.caller)

    def predicate(self, kind: str) -> str | None:
        """The query predicate that leaves what `shows` shows; None leaves everything."""
        parts = []
        if self.store_key is not None and kind in IN_ONE_STORE:
            parts.append(f"store(key = {_quoted(self.store_key)})")
        if self.store_key is not None and kind in IN_MANY_STORES:
            parts.append(f"stores(key = {_quoted(self.store_key)})")
        if self.me:
            parts.append(_mine(kind, self.caller))
        return " and ".join(parts) or None


def check_session(caller: Caller) -> None:
    """`/me` needs a token that names a shopper."""
    if not caller.is_shopper:
        raise InvalidOperation("This endpoint needs a token of the password or the anonymous flow.")


def _in_store(kind: str, resource: Any, store_key: str) -> bool:
    if kind in IN_ONE_STORE:
        return resource.store is not None and resource.store.key == store_key
    if kind in IN_MANY_STORES:
        return any(store.key == store_key for store in resource.stores)
    return True


def _is_mine(kind: str, resource: Any, caller: Caller) -> bool:
    customer_id = _customer_id(kind, resource)
    if caller.customer_id is not None:
        return bool(customer_id == caller.customer_id)
    return caller.anonymous_id is not None and bool(resource.anonymous_id == caller.anonymous_id)


def _customer_id(kind: str, resource: Any) -> str | None:
    if kind == "payment":
        return resource.customer.id if resource.customer else None
    if kind == "customer":
        return str(resource.id)
    customer_id: str | None = resource.customer_id
    return customer_id


def _mine(kind: str, caller: Caller) -> str:
    if caller.customer_id is None:
        return f"anonymousId = {_quoted(caller.anonymous_id or '')}"
    if kind == "payment":
        return f"customer(id = {_quoted(caller.customer_id)})"
    return f"customerId = {_quoted(caller.customer_id)}"


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
