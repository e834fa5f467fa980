"""What the paths of cart predicates reach: their names differ from the cart's own here and there.

`product.id` is the line item's `productId`, `attributes.color` an attribute of its variant,
`custom.x` a custom field; `totalPrice` leaves shipping out, as predicates decide about shipping.
A path goes on behind references: `categories.key`, `customer.customerGroup.key`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from holdfast.commerce.values.money import fraction_digits

Object = Mapping[str, Any]
# The record that a reference names by type and id; None where there is none.
Lookup = Callable[[str, str], Object | None]


def values(subject: Object, level: str, names: tuple[str, ...], lookup: Lookup) -> list[Any]:
    """Everything a path leads to; arrays on the way are asked element by element."""
    head, *rest = names
    found = _head(subject, level, head, lookup)
    reached = [] if found is None else [found]
    for name in rest:
        reached = [value for element in reached for value in _step(element, name, lookup)]
    return reached


def _head(subject: Object, level: str, name: str, lookup: Lookup) -> Any:
    if name == "categoriesWithAncestors":
        return _with_ancestors(subject, lookup)
    special = _SPECIAL[level].get(name)
    return special(subject) if special else subject.get(name)


def _step(value: Any, name: str, lookup: Lookup) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for element in value:
            yield from _step(element, name, lookup)
    elif isinstance(value, Mapping):
        found = value.get(name)
        if found is None:
            found = _behind(value, lookup).get(name)
        if found is not None:
            yield found


def _behind(value: Object, lookup: Lookup) -> Object:
    """What a path may mean that finds no such field: fields of the record a reference names, or custom fields."""
    kind, record_id = value.get("typeId"), value.get("id")
    if isinstance(kind, str) and isinstance(record_id, str):
        return lookup(kind, record_id) or {}
    fields = value.get("fields")
    return fields if isinstance(fields, Mapping) else {}


def _with_ancestors(item: Object, lookup: Lookup) -> list[Object]:
    """The categories of a line item's product, and all above them."""
    found: list[Object] = []
    for category in item.get("categories") or ():
        record = lookup("category", category["id"]) or {}
        found += (category, *record.get("ancestors", ()))
    return found


# --- money ----------------------------------------------------------------------------------


def is_money(value: Any) -> bool:
    return isinstance(value, Mapping) and "currencyCode" in value and "centAmount" in value


def amount(money: Object) -> Decimal:
    """The exact amount in whole currency units."""
    digits = money.get("fractionDigits", fraction_digits(money["currencyCode"]))
    return Decimal(f"{money.get('preciseAmount', money['centAmount'])}E-{digits}")


def total(items: Iterable[Object], cart: Object, figure: str = "Total") -> list[Object]:
    """The sum over items in the cart's currency; empty when an item has no such price yet."""
    prices = [_item_price(item, figure) for item in items]
    if not all(prices):
        return []
    currency = cart["totalPrice"]["currencyCode"]
    cents = sum(price["centAmount"] for price in prices if price)
    return [{"currencyCode": currency, "centAmount": cents, "fractionDigits": fraction_digits(currency)}]


def _item_price(item: Object, figure: str) -> Object | None:
    if figure == "Total":
        return item.get("totalPrice")
    taxed: Object = item.get("taxedPrice") or {}
    return taxed.get("totalNet" if figure == "NetTotal" else "totalGross")


# --- names that differ ----------------------------------------------------------------------


def _item_sum(cart: Object) -> Object | None:
    items = [*(cart.get("lineItems") or ()), *(cart.get("customLineItems") or ())]
    return next(iter(total(items, cart)), None)


def _customer(cart: Object) -> Object:
    """What the cart says of its customer; whatever else is asked is the customer's own record's to say."""
    own = {"id": cart.get("customerId"), "email": cart.get("customerEmail"), "customerGroup": cart.get("customerGroup")}
    return {"typeId": "customer"} | {name: value for name, value in own.items() if value is not None}


def _taxed_price(subject: Object) -> Object:
    taxed = subject.get("taxedPrice") or {}
    return {**taxed, "net": taxed.get("totalNet"), "gross": taxed.get("totalGross")}


def _custom(subject: Object) -> Object:
    custom = subject.get("custom") or {}
    return {**custom, **(custom.get("fields") or {})}


def _product(item: Object) -> Object:
    return {"id": item.get("productId"), "key": item.get("productKey"), **(item.get("product") or {})}


def _attributes(item: Object) -> Object:
    listed = (item.get("variant") or {}).get("attributes") or ()
    return {attribute["name"]: attribute["value"] for attribute in listed}


def _price(item: Object) -> Object | None:
    """The price per unit after product discounts, with the scope it was chosen for."""
    price = item.get("price")
    if not price:
        return None
    money = (price.get("discounted") or price)["value"]
    return {**price, **money, "currency": money["currencyCode"]}


_ITEM: dict[str, Callable[[Object], Any]] = {"custom": _custom, "taxedPrice": _taxed_price}
_SPECIAL: dict[str, dict[str, Callable[[Object], Any]]] = {
    "cart": {
        "totalPrice": _item_sum,
        "currency": lambda cart: cart["totalPrice"]["currencyCode"],
        "customer": _customer,
        "custom": _custom,
        "taxedPrice": _taxed_price,
    },
    "lineItem": _ITEM
    | {
        "product": _product,
        "sku": lambda item: (item.get("variant") or {}).get("sku"),
        "attributes": _attributes,
        "price": _price,
        "channel": lambda item: item.get("distributionChannel"),
    },
    "customLineItem": _ITEM | {"price": lambda item: item.get("money")},
}
