"""Orders and carts: one checkout one order, none lost, every total the sum of its parts."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.base.ids import order_id
from holdfast.commerce.rules.sums import misreckoned
from holdfast.store.audit.check import NO_REPAIR, Check, Finding, Place, Walk
from holdfast.store.audit.documents import Document
from holdfast.store.audit.reading import FIRST_ID, Reading

ORDER_LOST = Check(
    "order-lost",
    "I1",
    "An order was told of, and it is neither there nor was it deleted.",
    NO_REPAIR + "restore the order from a backup or from its OrderCreated message; the shopper was told it is placed.",
)
CART_WITHOUT_ORDER = Check(
    "cart-without-order",
    "I1",
    "A cart is Ordered, and its order is neither there nor was it deleted.",
    "make the cart Active again, so that its one order can be placed; an order that was told of is to be restored",
    mends=True,
)
ORDER_IDENTITY = Check(
    "order-identity",
    "I2",
    "An order's id does not follow from its cart, so the cart may become a second order.",
    NO_REPAIR + "cancel one of the two orders and pay its customer back; find out who wrote past the API.",
)
CART_STATE = Check(
    "cart-state",
    "I2",
    "A cart became an order and is not Ordered: it can still be changed.",
    NO_REPAIR + "delete the cart through the API; ordering it again gives the same order.",
)
ORDER_UNTOLD = Check(
    "order-untold",
    "I5",
    "An order's first message does not say that it was created.",
    NO_REPAIR + "tell the consumers of OrderCreated about this order.",
)
TOTALS = Check(
    "totals",
    "I4",
    "A total is not the sum of its parts.",
    NO_REPAIR + "a cart: send `recalculate`; an order: compare with what was paid, refund or ask for the difference.",
)
OF_ORDERS = (ORDER_IDENTITY, CART_STATE, ORDER_UNTOLD, TOTALS)
OF_CARTS = (CART_WITHOUT_ORDER, TOTALS)
_BIRTHS = frozenset({"OrderCreated", "OrderImported"})


async def look_at_orders(reading: Reading, documents: Sequence[Document]) -> list[Finding]:
    """What is asked of orders beyond what is asked of every resource."""
    findings = _totals(reading, [document for document in documents if document.resource.cart is not None])
    findings += await _identities(reading, documents)
    first = {row["id"]: row["type"] for row in await reading.rows("first_messages", "order", _ids(documents))}
    for document in documents:
        told = first.get(document.id)
        if told not in _BIRTHS:
            detail = f"the first message is {told}" if told else "there is no first message"
            findings.append(ORDER_UNTOLD.found(reading.project, "order", document.id, document.place, detail))
    return findings


async def _identities(reading: Reading, documents: Sequence[Document]) -> list[Finding]:
    """The ids of orders against their carts, and the state those carts are in."""
    made = [(document, document.resource.cart.id) for document in documents if document.resource.cart is not None]
    rows = await reading.rows("states_of_carts", [cart_id for _, cart_id in made])
    states = {row["id"]: row["state"] for row in rows}
    strangers = [(document, cart_id) for document, cart_id in made if document.id != order_id(reading.project, cart_id)]
    twins = await reading.present("order", [order_id(reading.project, cart_id) for _, cart_id in strangers])
    findings = []
    for document, cart_id in strangers:
        twin = order_id(reading.project, cart_id)
        detail = f"cart {cart_id} " + (f"is order {twin} as well" if twin in twins else f"would become {twin}")
        findings.append(ORDER_IDENTITY.found(reading.project, "order", document.id, document.place, detail))
    for document, cart_id in made:
        if states.get(cart_id, "Ordered") != "Ordered":
            detail = f"cart {cart_id} is {states[cart_id]}"
            findings.append(CART_STATE.found(reading.project, "order", document.id, document.place, detail))
    return findings


async def look_at_carts(reading: Reading, documents: Sequence[Document]) -> list[Finding]:
    """What is asked of carts beyond what is asked of every resource."""
    findings = _totals(reading, documents)
    ordered = {
        order_id(reading.project, document.id): document
        for document in documents
        if document.resource.cart_state == "Ordered"
    }
    for missing in await _vanished(reading, list(ordered)):
        cart = ordered[missing]
        detail = f"order {missing} is missing"
        findings.append(CART_WITHOUT_ORDER.found(reading.project, "cart", cart.id, cart.place, detail))
    return findings


def _totals(reading: Reading, documents: Sequence[Document]) -> list[Finding]:
    findings = []
    for document in documents:
        wrong = misreckoned(document.resource)
        if wrong:
            detail = "; ".join(wrong)
            findings.append(TOTALS.found(reading.project, document.kind, document.id, document.place, detail))
    return findings


async def _vanished(reading: Reading, ids: Sequence[str]) -> list[str]:
    """Orders that are not there, although nobody deleted them."""
    gone = sorted(set(ids) - await reading.present("order", ids))
    if not gone:
        return []
    deleted = await reading.ids("deleted_orders", gone)
    return [each for each in gone if each not in deleted]


async def _page_of_told(reading: Reading, after: Place, limit: int) -> list[Place]:
    return [(row["id"],) for row in await reading.rows("page_of_told_orders", after[0], limit)]


async def _look_at_told(reading: Reading, places: Sequence[Place]) -> list[Finding]:
    return [
        ORDER_LOST.found(reading.project, "order", each, (each,), "its messages are there, the order is not")
        for each in await _vanished(reading, [place[0] for place in places])
    ]


def _ids(documents: Sequence[Document]) -> list[str]:
    return [document.id for document in documents]


TOLD_ORDERS = Walk("messages of orders", (ORDER_LOST,), (FIRST_ID,), _page_of_told, _look_at_told)
