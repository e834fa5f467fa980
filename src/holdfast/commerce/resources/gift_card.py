"""Gift cards: money that waits behind a code. Not published by the reference; Holdfast's own.

The card says what it was granted; what was spent is a tally, `gift-card/{id}`, that payments count
(`rules/gift_cards`). So shoppers who spend from one card never meet in its version.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field
from msgspec.structs import replace

from holdfast.base.errors import InvalidField, InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Changed, Counted, Resource
from holdfast.commerce.rules.amounts import amount as sum_of
from holdfast.commerce.rules.common_actions import set_key
from holdfast.commerce.rules.validity import check_validity, instant, validity_actions
from holdfast.commerce.tally import Tally
from holdfast.commerce.values.money import Money, MoneyDraft, cent_money, money
from holdfast.commerce.values.value import Instant, Key, Stored, Value, adopt, yes

# Long enough that guessing one is hopeless; how it is made is the shop's choice.
Code = Annotated[str, Meta(min_length=8, max_length=256)]


class GiftCardDraft(Value):
    key: Key | None = None
    code: Code
    amount: MoneyDraft
    is_active: bool = True
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class GiftCard(Stored):
    """A gift card. `granted` is all that was ever put on it, `balance` what of that is left."""

    key: str | None = None
    code: str
    granted: Money
    balance: Money | None = None
    is_active: bool = field(default_factory=yes)
    valid_from: str | None = None
    valid_until: str | None = None


def tally_of(card: GiftCard) -> str:
    """The name of the tally that counts what was spent, in minor units."""
    return f"gift-card/{card.id}"


def _with_balance(card: GiftCard, spent: int) -> GiftCard:
    return replace(card, balance=money(card.granted.cent_amount - spent, card.granted.currency_code))


gift_cards = Resource(
    "gift-card",
    path="gift-cards",
    shape=GiftCard,
    draft=GiftCardDraft,
    scope="payments",
    unique=lambda card: [("code", card.code)],
    counted=Counted(tally_of, _with_balance),
)
gift_cards.action("setKey")(set_key)
validity_actions(gift_cards)


@gift_cards.create
def create_gift_card(draft: GiftCardDraft, _facts: Facts) -> GiftCard:
    return adopt(
        GiftCard,
        draft,
        granted=_some(draft.amount, None),
        valid_from=instant(draft.valid_from),
        valid_until=instant(draft.valid_until),
    )


@gift_cards.settle
def settle_gift_card(_before: GiftCard | None, after: GiftCard, _facts: Facts) -> GiftCard:
    check_validity(after)
    return after


@gift_cards.delete
def delete_gift_card(card: GiftCard, _facts: Facts) -> Changed[GiftCard]:
    """A card that was never spent from may go: the deletion takes all of it, or is refused.

    Otherwise a refund would have nowhere to go, and a charge decided meanwhile nothing to stop it.
    """
    refusal = InvalidOperation(f"The gift card '{card.id}' was used: deactivate it instead.")
    whole = card.granted.cent_amount
    return Changed(card, tallies=(Tally(tally_of(card), whole, whole, refusal),))


@gift_cards.action("topUp")
def top_up(card: GiftCard, *, amount: MoneyDraft) -> GiftCard:
    """Put more money on the card."""
    more = _some(amount, card.granted.currency_code)
    return replace(card, granted=sum_of(card.granted.cent_amount + more.cent_amount, more.currency_code))


@gift_cards.action("changeIsActive")
def change_is_active(card: GiftCard, *, is_active: bool) -> GiftCard:
    """Switch spending on or off; refunds still reach a card that is off."""
    return replace(card, is_active=is_active)


def _some(draft: MoneyDraft, currency: str | None) -> Money:
    """An amount above nothing, in the currency of the card. Raises InvalidField."""
    given = cent_money(draft, "amount")
    if given.cent_amount <= 0:
        raise InvalidField("amount.centAmount", given.cent_amount, "A gift card needs an amount above zero.")
    if currency not in (None, given.currency_code):
        raise InvalidField("amount.currencyCode", given.currency_code, allowed_values=[currency])
    return given
