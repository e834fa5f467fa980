import msgspec
import pytest

from holdfast.base.errors import InvalidJsonInput
from holdfast.commerce.catalogue import load_resources
from holdfast.commerce.registry import REGISTRY
from holdfast.commerce.resources.cart.drafts import CartDraft
from holdfast.handlers.decode import decode

load_resources()
CARTS = REGISTRY["cart"]


def drafted(body: bytes) -> CartDraft:
    draft: CartDraft = decode(CARTS.drafts, body, absent_nulls=True)
    return draft


@pytest.mark.parametrize(
    "field", ["lineItems", "discountCodes", "taxMode", "inventoryMode", "country", "shippingAddress", "custom"]
)
def test_a_field_that_is_null_is_as_good_as_absent(field: str) -> None:
    assert drafted(b'{"currency":"EUR","%b": null}' % field.encode()) == drafted(b'{"currency":"EUR"}')


def test_nulls_are_left_out_at_every_depth() -> None:
    assert drafted(b'{"currency":"EUR","lineItems":[{"sku":"a","quantity":null,"custom":null}]}') == drafted(
        b'{"currency":"EUR","lineItems":[{"sku":"a"}]}'
    )


def test_actions_take_nulls_for_their_defaults() -> None:
    body = b'{"version":1,"actions":[{"action":"addLineItem","sku":"a","quantity":null},{"action":"recalculate"}]}'
    (added, _) = decode(CARTS.update_decoder(), body, absent_nulls=True).actions
    assert added.quantity == 1


def test_where_null_has_a_meaning_of_its_own_it_is_kept() -> None:
    decoder = msgspec.json.Decoder(dict[str, int | None])
    assert decode(decoder, b'{"a":null}') == {"a": None}


def test_the_word_null_inside_a_text_stays() -> None:
    assert drafted(b'{"currency":"EUR","customerEmail":": null","key":null}').customer_email == ": null"


def test_numbers_survive_beside_a_null() -> None:
    decoder = msgspec.json.Decoder(dict[str, float | int])
    body = b'{"a":0.30000000000000004,"b":9007199254740991,"c":1.0,"d":null}'
    assert decode(decoder, body, absent_nulls=True) == {"a": 0.30000000000000004, "b": 9007199254740991, "c": 1.0}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"currency":null}', "Object missing required field `currency`"),
        (b'{"currency":"EUR","lineItems":[null]}', "Expected `object`, got `null` - at `$.lineItems[0]`"),
        (b"null", "Expected `object`, got `null`"),
        (b'{"currency":"EUR","key":null', "Input data was truncated"),
    ],
)
def test_a_null_where_a_value_is_needed_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(InvalidJsonInput) as refused:
        drafted(body)
    assert refused.value.fields["detailedErrorMessage"] == why
