"""Whether the money of a payment has ended as an order or as a refund, and what would bring that about.

A captured payment belongs to one order that costs what was captured. Everything else is told apart
here, on paper: money without an order, an order paid too much, too little or twice, and money kept
for an order that was cancelled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from holdfast.base import clock
from holdfast.commerce.resources.payment.shape import Payment, TransactionType

# A shopper who has paid is on the way to the order; after that long nobody is.
GRACE_MINUTES = 5
_OPEN_CARTS = ("Active", "Frozen")
_UNDER_WAY = ("Initial", "Pending")
# The shop knows that there is money to come.
_EXPECTING = ("BalanceDue", "Pending", "Failed")

BreakName = Literal[
    "payment-unmatched", "payment-amount", "payment-twice", "payment-after-cancel", "payment-shared", "payment-excess"
]


class Use(NamedTuple):
    """A cart or an order that names a payment: what it costs, and all payments it names."""

    kind: Literal["cart", "order"]
    id: str
    state: str
    modified_at: datetime
    due: int
    currency: str
    payments: Sequence[str]
    payment_state: str | None = None


class Placing(NamedTuple):
    """The order of this cart would use the money; where it cannot be placed, the money goes back."""

    cart_id: str
    payment_id: str
    cents: int


class Refunding(NamedTuple):
    """So much of this payment has to go back."""

    payment_id: str
    cents: int


class Break(NamedTuple):
    """Money that is not where it belongs, and what would bring it there: None where a person must decide."""

    name: BreakName
    kind: Literal["payment", "order"]
    subject: str
    detail: str
    repair: Placing | Refunding | None


class Balance(NamedTuple):
    """The transactions of a payment, added up in minor units. `returning` and `coming` are under way."""

    authorized: int
    charged: int
    refunded: int
    returning: int
    coming: int

    @property
    def kept(self) -> int:
        return self.charged - self.refunded - self.returning


def balance(payment: Payment) -> Balance:
    """What was authorized, charged and refunded."""
    return Balance(
        authorized=_sum(payment, ("Authorization",), ("Success",)),
        charged=_sum(payment, ("Charge",), ("Success",)),
        refunded=_sum(payment, ("Refund", "Chargeback"), ("Success",)),
        returning=_sum(payment, ("Refund", "Chargeback"), _UNDER_WAY),
        coming=_sum(payment, ("Charge",), _UNDER_WAY),
    )


def _sum(payment: Payment, types: Sequence[TransactionType], states: Sequence[str]) -> int:
    return sum(
        transaction.amount.cent_amount
        for transaction in payment.transactions
        if transaction.type in types and transaction.state in states
    )


def breaks(payment: Payment, uses: Sequence[Use], paying: Mapping[str, Payment], now: datetime) -> Iterator[Break]:
    """What is not settled about a payment; `paying` are all payments that its carts and orders name."""
    money = balance(payment)
    yield from _beyond(payment, money)
    if money.kept <= 0 or _is_fresh(payment, uses, now):
        return
    orders = [use for use in uses if use.kind == "order"]
    if not orders:
        yield _unmatched(payment, money, [use for use in uses if use.kind == "cart"], paying)
    live = [order for order in orders if order.state != "Cancelled"]
    if len(live) > 1:
        named = ", ".join(order.id for order in live)
        yield Break("payment-shared", "payment", payment.id, f"pays for {len(live)} orders: {named}", None)
    elif live:
        yield from _amount(live[0], [paying[each] for each in live[0].payments if each in paying])
    elif orders:
        detail = f"{_told(money.kept, payment)} kept for order {orders[0].id}, which is cancelled"
        yield Break("payment-after-cancel", "payment", payment.id, detail, Refunding(payment.id, money.kept))


def _beyond(payment: Payment, money: Balance) -> Iterator[Break]:
    if money.authorized and money.charged > money.authorized:
        detail = f"charged {_told(money.charged, payment)}, authorized {_told(money.authorized, payment)}"
        yield Break("payment-excess", "payment", payment.id, detail, None)
    if money.refunded > money.charged:
        detail = f"refunded {_told(money.refunded, payment)}, charged {_told(money.charged, payment)}"
        yield Break("payment-excess", "payment", payment.id, detail, None)


def _is_fresh(payment: Payment, uses: Sequence[Use], now: datetime) -> bool:
    """Whether somebody may still be at it."""
    last = max((clock.parse(payment.last_modified_at), *(use.modified_at for use in uses)))
    return now - last < timedelta(minutes=GRACE_MINUTES)


def _unmatched(payment: Payment, money: Balance, carts: Sequence[Use], paying: Mapping[str, Payment]) -> Break:
    kept = _told(money.kept, payment)
    open_cart = next((cart for cart in carts if cart.state in _OPEN_CARTS), None)
    repair: Placing | Refunding | None = Refunding(payment.id, money.kept)
    if open_cart is not None:
        detail = f"{kept} captured, cart {open_cart.id} over {open_cart.due} {open_cart.currency} never became an order"
        if _is_covered(open_cart, paying):
            repair = Placing(open_cart.id, payment.id, money.kept)
    elif any(cart.state == "Ordered" for cart in carts):
        # The order may have been lost, and then the goods are what the shopper is owed.
        detail, repair = f"{kept} captured, the order of cart {carts[0].id} is not there", None
    else:
        detail = f"{kept} captured, no cart and no order names this payment"
    return Break("payment-unmatched", "payment", payment.id, detail, repair)


def _is_covered(cart: Use, paying: Mapping[str, Payment]) -> bool:
    """Whether all that was captured for a cart is what it costs, or more."""
    named = [paying[each] for each in cart.payments if each in paying]
    same = [payment for payment in named if payment.amount_planned.currency_code == cart.currency]
    return sum(balance(payment).kept for payment in same) >= cart.due


def _amount(order: Use, payments: Sequence[Payment]) -> Iterator[Break]:
    """An order's price against all that was captured for it."""
    balances = {payment.id: balance(payment) for payment in payments}
    if any(payment.amount_planned.currency_code != order.currency for payment in payments):
        yield Break("payment-amount", "order", order.id, f"costs {order.currency}, is paid in another currency", None)
        return
    paid = sum(money.kept for money in balances.values())
    detail = f"costs {order.due} {order.currency}, paid {paid}"
    if paid > order.due:
        charged = [payment for payment in payments if balances[payment.id].kept > 0]
        last = max(charged, key=lambda payment: (payment.created_at, payment.id))
        back = Refunding(last.id, min(paid - order.due, balances[last.id].kept))
        yield Break("payment-twice" if len(charged) > 1 else "payment-amount", "order", order.id, detail, back)
    elif paid < order.due and order.payment_state not in _EXPECTING and not _more_to_come(balances.values()):
        yield Break("payment-amount", "order", order.id, detail, None)


def _more_to_come(balances: Iterable[Balance]) -> bool:
    """Whether a charge is under way, or authorized and not made yet."""
    return any(money.coming or money.authorized > money.charged for money in balances)


def _told(cents: int, payment: Payment) -> str:
    return f"{cents} {payment.amount_planned.currency_code}"
