from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.commerce.facts import facts_with

from holdfast.commerce.catalogue import load_resources
from holdfast.commerce.messages.payment import PaymentCreated
from holdfast.commerce.predicates.binding import bind
from holdfast.commerce.predicates.parser import parse
from holdfast.commerce.resources.customer_group import CustomerGroup, customer_groups
from holdfast.commerce.resources.extension.shape import Extension, HttpDestination, Trigger
from holdfast.commerce.resources.payment.shape import payments
from holdfast.commerce.rules.extending import (
    ACTIONS_MAX,
    Accepted,
    Refused,
    Unusable,
    actions_body,
    call_body,
    is_meant,
    shown,
    verdict_of,
    waves,
)
from holdfast.commerce.values.reference import Reference

load_resources()


def an_extension(name: str, *after: str) -> Extension:
    return Extension(
        id=name,
        destination=HttpDestination(url="https://ext.example/"),
        triggers=(Trigger(resource_type_id="cart", actions=("Create",)),),
        dependencies=tuple(Reference(type_id="extension", id=other) for other in after),
    )


# --- answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("body", [b"", b" \n", b"{}", b'{"actions":[]}', b'{"responseType":"x"}'])
def test_nothing_to_add_is_a_yes(status: int, body: bytes) -> None:
    assert verdict_of(status, body) == Accepted(())


def test_actions_are_taken_over_as_they_came() -> None:
    verdict = verdict_of(200, b'{"actions":[{"action":"a","n":1.50},{"action":"b"}]}')
    assert isinstance(verdict, Accepted)
    assert actions_body(verdict.actions) == b'{"version":0,"actions":[{"action":"a","n":1.50},{"action":"b"}]}'


def test_more_actions_than_are_published_are_no_answer() -> None:
    body = b'{"actions":[' + b",".join([b"{}"] * (ACTIONS_MAX + 1)) + b"]}"
    assert isinstance(verdict_of(200, body), Unusable)


def test_a_refusal_needs_a_reason() -> None:
    assert verdict_of(400, b'{"errors":[{"code":"A","message":"b"}]}') == Refused([{"code": "A", "message": "b"}])
    for body in (b"", b"{}", b'{"errors":[]}', b'{"errors":[{"code":"A"}]}', b"[]"):
        assert isinstance(verdict_of(400, body), Unusable)


@given(
    st.integers(min_value=100, max_value=599),
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["actions", "errors", "code", "x"]), inner),
        ).map(msgspec.json.encode),
        st.integers(min_value=1, max_value=100_000).map(lambda depth: b'{"actions":' + b"[" * depth),
    ),
)
def test_whatever_is_answered_means_something(status: int, body: bytes) -> None:
    verdict = verdict_of(status, body)
    if status not in (200, 201, 400):
        assert isinstance(verdict, Unusable)
    if isinstance(verdict, Refused):
        assert status == 400
    assert "\0" not in shown(body)


# --- what is told ----------------------------------------------------------------------------


def test_the_call_carries_the_resource_and_what_it_was() -> None:
    told = msgspec.json.decode(call_body("Update", "cart", "c", b'{"id":"c","version":2}', b'{"id":"c","version":1}'))
    assert told == {
        "action": "Update",
        "resource": {"typeId": "cart", "id": "c", "obj": {"id": "c", "version": 2}},
        "oldResource": {"typeId": "cart", "id": "c", "obj": {"id": "c", "version": 1}},
    }


def test_one_condition_that_holds_is_enough_and_none_always_holds() -> None:
    gold, silver = (bind(parse(f'name = "{name}"'), CustomerGroup) for name in ("gold", "silver"))
    assert is_meant([gold, silver], b'{"name":"silver"}')
    assert not is_meant([gold, silver], b'{"name":"bronze"}')
    assert is_meant([gold, None], b"not even looked at")


def test_each_is_called_after_those_it_waits_for() -> None:
    listed = [an_extension("c", "b", "a"), an_extension("a"), an_extension("b", "a"), an_extension("d")]
    assert [[each.id for each in wave] for wave in waves(listed)] == [["a", "d"], ["b"], ["c"]]


def test_who_waits_for_one_that_is_not_triggered_does_not_wait() -> None:
    assert [[each.id for each in wave] for wave in waves([an_extension("a", "elsewhere")])] == [["a"]]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12))
def test_all_are_called_once_even_in_a_circle(edges: list[tuple[int, int]]) -> None:
    listed = [an_extension(str(n), *(str(to) for of, to in edges if of == n)) for n in range(7)]
    called = [each.id for wave in waves(listed) for each in wave]
    assert sorted(called) == [str(n) for n in range(7)]


# --- what it comes to ------------------------------------------------------------------------


def test_a_new_resource_with_actions_is_still_one_change() -> None:
    wanted = customer_groups.update_decoder().decode(b'{"version":0,"actions":[{"action":"setKey","key":"gold-1"}]}')
    draft = customer_groups.drafts.decode(b'{"groupName":"gold"}')
    made = customer_groups.created(draft, facts_with(), wanted.actions).resource
    assert (made.version, made.name, made.key) == (1, "gold", "gold-1")


def test_a_message_that_carries_the_whole_resource_carries_it_as_it_became() -> None:
    wanted = payments.update_decoder().decode(b'{"version":0,"actions":[{"action":"setKey","key":"paid-1"}]}')
    draft = payments.drafts.decode(b'{"amountPlanned":{"currencyCode":"EUR","centAmount":100}}')
    made = payments.created(draft, facts_with(), wanted.actions)
    (told,) = made.messages
    assert isinstance(told, PaymentCreated)
    assert told.payment is made.resource
    assert (made.resource.key, made.resource.version) == ("paid-1", 1)
