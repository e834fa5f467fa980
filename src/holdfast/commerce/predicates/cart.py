"""Cart predicates: which carts a shipping method or a cart discount is for.

    totalPrice > "100.00 EUR" and lineItemCount(attributes.brand = "acme") >= 2

Conditions and logic are those of query predicates (`parser`); instead of fields there are dotted
paths, constants (`1 = 1` holds always) and functions over the line items and custom line items.
`evaluate` says what `not`, missing fields and arrays mean; `cart_fields` what the paths reach.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, NamedTuple, assert_never, cast

from holdfast.commerce.predicates import cart_fields
from holdfast.commerce.predicates.evaluate import meets
from holdfast.commerce.predicates.parser import Parser
from holdfast.commerce.predicates.tokens import Kind
from holdfast.commerce.predicates.tree import (
    Among,
    And,
    Comparison,
    Condition,
    ContainsAll,
    Not,
    Operand,
    Or,
    Scalar,
    Variable,
)

PATH_STEPS_MAX = 20
# Parsed texts kept: a shop has at most some hundreds of methods and discounts.
PARSED_KEPT_MAX = 1_024

Level = Literal["cart", "lineItem", "customLineItem"]


@dataclass(frozen=True, slots=True)
class Path:
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    value: Scalar


@dataclass(frozen=True, slots=True)
class Items:
    """A figure about the line items (or custom line items) that meet a predicate of their own."""

    level: Literal["lineItem", "customLineItem"]
    figure: Literal["Total", "NetTotal", "GrossTotal", "Count", "Exists", "ForAll"]
    chosen: CartPredicate


@dataclass(frozen=True, slots=True)
class CartTerm:
    subject: Path | Constant | Items
    condition: Condition


CartPredicate = And["CartPredicate"] | Or["CartPredicate"] | Not["CartPredicate"] | CartTerm

_FIGURES = ("Total", "NetTotal", "GrossTotal", "Count", "Exists")
_LEVELS = ("lineItem", "customLineItem")
_FUNCTIONS: dict[str, tuple[str, str]] = {level + figure: (level, figure) for level in _LEVELS for figure in _FIGURES}
_FUNCTIONS |= {"forAllLineItems": ("lineItem", "ForAll"), "forAllCustomLineItems": ("customLineItem", "ForAll")}


@lru_cache(maxsize=PARSED_KEPT_MAX)
def parse_cart_predicate(text: str, parameter: str = "predicate") -> CartPredicate:
    """A cart predicate. Raises InvalidInput with the position of the first mistake."""
    return _CartParser(text, parameter).whole()


class _CartParser(Parser[CartPredicate]):
    def term(self) -> CartPredicate:
        subject = self._subject()
        if self.token.kind is Kind.END or self.token.is_mark(")") or self.token.is_word("and", "or"):
            # A yes-or-no subject may stand alone.
            if isinstance(subject, Items) and subject.figure in ("Exists", "ForAll"):
                return CartTerm(subject, Comparison("=", value=True))
            if isinstance(subject, Constant) and isinstance(subject.value, bool):
                return CartTerm(subject, Comparison("=", value=True))
        condition, negated = self.condition()
        term = CartTerm(subject, condition)
        return Not(term) if negated else term

    def _subject(self) -> Path | Constant | Items:
        token = self.token
        if token.kind in (Kind.NUMBER, Kind.STRING) or (token.is_word("true", "false") and not self.ahead.is_mark(".")):
            return Constant(cast("Scalar", self.value()))
        if token.kind is Kind.NAME and token.text in _FUNCTIONS and self.ahead.is_mark("("):
            self.take()
            level, figure = _FUNCTIONS[token.text]
            return Items(cast("Any", level), cast("Any", figure), self.bracketed())
        return self._path()

    def _path(self) -> Path:
        start = self.token
        names = [self._name()]
        while self.took_mark("."):
            names.append(self._name())
        if len(names) > PATH_STEPS_MAX:
            raise self.unexpected(start, f"at most {PATH_STEPS_MAX} names")
        return Path(tuple(names))

    def _name(self) -> str:
        token = self.take()
        if not token.is_name:
            raise self.unexpected(token, "a field")
        return token.text

    def value(self) -> Operand:
        token, value = self.token, super().value()
        if isinstance(value, Variable):
            raise self.unexpected(token, "a value")
        return value


class _Asked(NamedTuple):
    """The cart in question, and where to look for the records it points at."""

    cart: dict[str, Any]
    lookup: cart_fields.Lookup


def cart_matches(tree: CartPredicate, cart: dict[str, Any], lookup: cart_fields.Lookup) -> bool:
    """Whether a cart (a dict with wire names) meets the predicate.

    Line items may carry `categories`, where the caller knows them. `lookup` is asked only about
    references that a path goes on behind.
    """
    return _holds(tree, cart, "cart", _Asked(cart, lookup))


def is_constant(tree: CartPredicate) -> bool:
    """Whether a predicate asks nothing of the cart: `1 = 1` is how one that is always met is written."""
    return isinstance(tree, CartTerm) and isinstance(tree.subject, Constant)


def _holds(tree: CartPredicate, subject: dict[str, Any], level: Level, asked: _Asked) -> bool:
    match tree:
        case And(parts):
            return all(_holds(part, subject, level, asked) for part in parts)
        case Or(parts):
            return any(_holds(part, subject, level, asked) for part in parts)
        case Not(part):
            return not _holds(part, subject, level, asked)
        case CartTerm(subject=about, condition=condition):
            return _meets(_values(about, subject, level, asked), condition)
        case _:
            assert_never(tree)


def _values(about: Path | Constant | Items, subject: dict[str, Any], level: Level, asked: _Asked) -> list[Any]:
    match about:
        case Constant(value):
            return [value]
        case Path(names):
            return cart_fields.values(subject, level, names, asked.lookup)
        case Items():
            return _figure(about, asked)
        case _:
            assert_never(about)


def _figure(items: Items, asked: _Asked) -> list[Any]:
    every = asked.cart.get(f"{items.level}s") or []
    chosen = [item for item in every if _holds(items.chosen, item, items.level, asked)]
    match items.figure:
        case "Total" | "NetTotal" | "GrossTotal":
            return cart_fields.total(chosen, asked.cart, items.figure)
        case "Count":
            return [sum(item.get("quantity", 0) for item in chosen)]
        case "Exists":
            return [bool(chosen)]
        case "ForAll":
            return [len(chosen) == len(every)]
        case _:
            assert_never(items.figure)


# --- money ----------------------------------------------------------------------------------

_MONEY = re.compile(r"(-?[0-9]{1,15}(?:\.[0-9]{1,12})?) ([A-Z]{3})")
_NEVER = Among(())


def _meets(values: list[Any], condition: Condition) -> bool:
    """Amounts are compared with `"100.00 EUR"` texts of their own currency, and with nothing else."""
    amounts = [value for value in values if cart_fields.is_money(value)]
    if not amounts:
        return meets(values, condition)
    return any(meets([cart_fields.amount(found)], _in_currency(condition, found["currencyCode"])) for found in amounts)


def _in_currency(condition: Condition, currency: str) -> Condition:
    match condition:
        case Comparison(_, value):
            wanted = _amounts((value,), currency)
            return replace(condition, value=wanted[0]) if wanted else _NEVER
        case Among(values):
            return Among(_amounts(values, currency))
        case ContainsAll(values):
            wanted = _amounts(values, currency)
            return ContainsAll(wanted) if len(wanted) == len(values) else _NEVER
        case _:
            return condition


def _amounts(values: tuple[Operand, ...], currency: str) -> tuple[Decimal, ...]:
    matches = [_MONEY.fullmatch(value) for value in values if isinstance(value, str)]
    return tuple(Decimal(match[1]) for match in matches if match and match[2] == currency)
