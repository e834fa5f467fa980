"""A sale: many shoppers at once, all they are told written down before it counts."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from holdfast.ops.drill.assortment import Assortment
from holdfast.ops.drill.checkout import Broken, GaveUp, Kept, Line, Shopper, Till, Told, codes_of, digest_of, kept_of
from holdfast.ops.drill.journal import PLACED, REFUSED, UNKNOWN, VIOLATION, Entry, Journal
from holdfast.ops.drill.supply import Filled, Supply

STOP_SECONDS_MAX = 60.0
RECEIPT_HEADER = "holdfast-receipt"
LINES_MAX = 3
QUANTITY_MAX = 3
# Refusals of one scarce item after which shoppers turn to the next.
DISAPPOINTMENTS = 25


@dataclass(frozen=True)
class Habits:
    """How shoppers behave, as shares of their checkouts."""

    clients: int = 32
    # Carts filled step by step, as a storefront does; the rest come in one request.
    by_steps: float = 0.15
    scarce: float = 0.15
    two_tabs: float = 0.1
    # Orders asked for under an idempotency key.
    keyed: float = 0.3
    look_again: float = 0.05
    # Carts that come from the supply of copies.
    supplied: float = 0.0


# Carts made over the API, of which all others are copies.
ORIGINALS = 50
# For a long campaign: as few requests an order as there can be.
EXPRESS = Habits(by_steps=0.01, scarce=0.05, two_tabs=0.02, keyed=0.02, look_again=0.01, supplied=0.9)


class Sale:
    """Shoppers at work until they are told to stop."""

    def __init__(self, till: Till, assortment: Assortment, journal: Journal, habits: Habits, seed: str) -> None:
        self.till = till
        self.pulse = till.pulse
        self.outcomes: Counter[str] = Counter()
        self._assortment = assortment
        self._journal = journal
        self._habits = habits
        self._seed = seed
        self._stopping = False
        self._sold_out: Counter[str] = Counter()
        self._shoppers: list[asyncio.Task[None]] = []
        self._supply: Supply | None = None
        self._supplying: asyncio.Task[None] | None = None

    @property
    def in_flight(self) -> int:
        return self.till.in_flight

    def open(self) -> None:
        self._shoppers = [asyncio.create_task(self._shop(number)) for number in range(self._habits.clients)]

    async def stock_carts(self, dsn: str, project: str) -> None:
        """Begin to copy carts, if shoppers are to take such."""
        if not self._habits.supplied:
            return
        chance = random.Random(f"{self._seed}/originals")  # noqa: S311 - to be repeated, not to be secret
        shopper = Shopper(self.till, chance)
        wishes = [self._ordinary_wishes(chance) for _ in range(ORIGINALS)]
        originals = [Filled(await shopper.whole_cart(lines), lines) for lines in wishes]
        shopper.close()
        self._supply = Supply(dsn, project, originals)
        self._supplying = asyncio.create_task(self._supply.run())

    async def close(self) -> None:
        """Shoppers finish what they began. Raises whatever ended one of them early."""
        self._stopping = True
        if self._supplying:
            self._supplying.cancel()
        await asyncio.wait_for(asyncio.gather(*self._shoppers), STOP_SECONDS_MAX)

    def check(self) -> None:
        """Raise what ended a shopper early: a drill with fewer shoppers than asked for shows less than it says."""
        for shopper in self._shoppers:
            if shopper.done():
                shopper.result()

    async def _shop(self, number: int) -> None:
        chance = random.Random(f"{self._seed}/{number}")  # noqa: S311 - to be repeated, not to be secret
        shopper = Shopper(self.till, chance)
        try:
            while not self._stopping:
                await self._check_out(shopper, chance)
        finally:
            shopper.close()

    async def _check_out(self, shopper: Shopper, chance: random.Random) -> None:
        try:
            cart, lines = await self._filled_cart(shopper, chance)
            tabs = 2 if chance.random() < self._habits.two_tabs else 1
            keyed = chance.random() < self._habits.keyed
            entries = [entry_of(cart, lines, told) for told in await shopper.order(cart, tabs, keyed=keyed)]
            for entry in settled(entries):
                await self._note(entry)
            placed = next((entry for entry in entries if entry.outcome == PLACED), None)
            if placed and chance.random() < self._habits.look_again:
                await shopper.look_again(placed.order_id, placed.digest)
        except GaveUp:
            self.outcomes["given up before ordering"] += 1
        except (Broken, msgspec.MsgspecError) as broken:
            await self._note(Entry(VIOLATION, "", str(broken), milliseconds()))

    async def _filled_cart(self, shopper: Shopper, chance: random.Random) -> Filled:
        """A cart to order, come by in one of three ways."""
        if self._supply and chance.random() < self._habits.supplied and (filled := self._supply.take()):
            return filled
        lines = self._wishes(chance)
        if chance.random() < self._habits.by_steps:
            await shopper.browse(chance.choice(self._assortment.products))
            return Filled(await shopper.cart_by_steps(lines), lines)
        return Filled(await shopper.whole_cart(lines), lines)

    def _wishes(self, chance: random.Random) -> list[Line]:
        """A few things, of which one may be scarce."""
        lines = self._ordinary_wishes(chance)
        if chance.random() < self._habits.scarce and (scarce := self._scarce_now()):
            lines[0] = Line(scarce, lines[0].quantity)
        return lines

    def _ordinary_wishes(self, chance: random.Random) -> list[Line]:
        """A few things, each once, so that quantities can be told apart."""
        skus = chance.sample(self._assortment.plenty, chance.randint(1, LINES_MAX))
        return [Line(sku, chance.randint(1, QUANTITY_MAX)) for sku in skus]

    def _scarce_now(self) -> str | None:
        """The item everybody wants, until it has been sold out for a while."""
        wanted = (sku for sku in self._assortment.scarce if self._sold_out[sku] < DISAPPOINTMENTS)
        return next(wanted, None)

    async def _note(self, entry: Entry) -> None:
        await self._journal.keep(entry)
        self.outcomes[entry.outcome] += 1
        if entry.outcome == PLACED:
            self.pulse.order()
        elif entry.outcome == REFUSED:
            self._sold_out[entry.lines.partition("×")[0]] += 1


def entry_of(cart: Kept, lines: Sequence[Line], told: Told) -> Entry:
    """What an answer to the request to order means."""
    bought = ",".join(f"{line.sku}×{line.quantity}" for line in lines)
    answer, now = told.answer, milliseconds()
    if answer is None:
        return Entry(UNKNOWN, cart.id, bought, now, attempts=told.attempts)
    if answer.status == 201:
        order = kept_of(answer)
        receipt = answer.header(RECEIPT_HEADER)
        digest = digest_of(answer.body)
        return Entry(PLACED, cart.id, bought, now, order.id, order.version, digest, told.attempts, receipt)
    if codes_of(answer) == {"OutOfStock"}:
        # An earlier attempt may still be under way in a worker that stands still.
        return Entry(UNKNOWN if told.doubtful else REFUSED, cart.id, bought, now, attempts=told.attempts)
    text = f"the order of cart {cart.id} was answered {answer.status}: {answer.body[:300]!r}"
    return Entry(VIOLATION, cart.id, text, now, attempts=told.attempts)


def settled(entries: Sequence[Entry]) -> list[Entry]:
    """What two tabs were told about one cart, without repeating itself, and what is wrong with it."""
    violations = [entry for entry in entries if entry.outcome == VIOLATION]
    # Whoever was told something else of the same order is told apart: one of them was told what is not so.
    told = {(entry.order_id, entry.version, entry.digest): entry for entry in entries if entry.outcome == PLACED}
    placed = list(told.values())
    refused = [entry for entry in entries if entry.outcome == REFUSED]
    unknown = [entry for entry in entries if entry.outcome == UNKNOWN]
    if placed and refused:
        text = f"cart {refused[0].cart_id} was ordered in one tab and refused in the other"
        violations.append(Entry(VIOLATION, refused[0].cart_id, text, refused[0].at_ms))
    return [*violations, *(placed or unknown[:1] or refused[:1])]


def milliseconds() -> int:
    return time.time_ns() // 1_000_000
