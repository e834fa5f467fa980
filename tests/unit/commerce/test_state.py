from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.commerce.builders.state import a_state
from tests.unit.commerce.facts import PROJECT, create, facts_with, update

from holdfast.base.errors import InvalidOperation, ReferencedResourceNotFound
from holdfast.commerce.resources.state import (
    State,
    built_in_states,
    check_transition,
    initial_line_item_state,
    states,
)
from holdfast.commerce.values.reference import Reference
from holdfast.commerce.values.value import encode

PAID = a_state("paid")
SHIPPED = a_state("shipped", initial=False)
RETURNED = a_state("returned", type="LineItemState", roles=("Return",))
TO_SHIPPED = Reference(type_id="state", id="shipped")


def test_a_draft_becomes_an_initial_state_unless_it_says_otherwise() -> None:
    assert create(states, {"key": "paid", "type": "OrderState"}).resource.initial
    assert not create(states, {"key": "paid", "type": "OrderState", "initial": False}).resource.initial


def test_absent_transitions_stay_absent_and_empty_ones_stay_empty() -> None:
    free = create(states, {"key": "free", "type": "OrderState"}).resource
    final = create(states, {"key": "final", "type": "OrderState", "transitions": []}).resource
    assert "transitions" not in msgspec.json.decode(encode(free))
    assert msgspec.json.decode(encode(final))["transitions"] == []


def test_transitions_are_stored_as_references() -> None:
    draft = {"key": "new", "type": "OrderState", "transitions": [{"typeId": "state", "key": "shipped"}]}
    assert create(states, draft, facts_with((states, SHIPPED))).resource.transitions == (TO_SHIPPED,)


def test_a_transition_to_an_unknown_state_is_refused() -> None:
    with pytest.raises(ReferencedResourceNotFound):
        create(states, {"key": "new", "type": "OrderState", "transitions": [{"key": "nowhere"}]})


def test_a_transition_to_a_state_of_another_type_is_refused() -> None:
    draft = {"key": "new", "type": "PaymentState", "transitions": [{"id": "shipped"}]}
    with pytest.raises(InvalidOperation):
        create(states, draft, facts_with((states, SHIPPED)))


def test_a_role_of_another_type_is_refused() -> None:
    with pytest.raises(InvalidOperation):
        create(states, {"key": "new", "type": "OrderState", "roles": ["Return"]})


@pytest.mark.parametrize(
    ("before", "action", "changed"),
    [
        (PAID, {"action": "changeKey", "key": "settled"}, {"key": "settled"}),
        (PAID, {"action": "changeType", "type": "PaymentState"}, {"type": "PaymentState"}),
        (PAID, {"action": "changeInitial", "initial": False}, {"initial": False}),
        (PAID, {"action": "setName", "name": {"en": "Paid"}}, {"name": {"en": "Paid"}}),
        (a_state(name={"en": "Paid"}), {"action": "setName", "name": {}}, {"name": None}),
        (PAID, {"action": "setDescription", "description": {"en": "x"}}, {"description": {"en": "x"}}),
        (RETURNED, {"action": "removeRoles", "roles": ["Return"]}, {"roles": ()}),
        (RETURNED, {"action": "setRoles", "roles": []}, {"roles": ()}),
        (a_state(type="LineItemState"), {"action": "addRoles", "roles": ["Return"]}, {"roles": ("Return",)}),
        (PAID, {"action": "setTransitions", "transitions": [{"id": "shipped"}]}, {"transitions": (TO_SHIPPED,)}),
        (a_state(transitions=()), {"action": "setTransitions"}, {"transitions": None}),
        (PAID, {"action": "setTransitions", "transitions": []}, {"transitions": ()}),
    ],
)
def test_an_action_changes_what_it_names_and_raises_the_version(
    before: State, action: dict[str, Any], changed: dict[str, Any]
) -> None:
    after = update(states, before, action, facts=facts_with((states, SHIPPED))).resource
    assert {name: getattr(after, name) for name in changed} == changed
    assert after.version == before.version + 1


@pytest.mark.parametrize(
    ("before", "action"),
    [
        (PAID, {"action": "changeType", "type": "OrderState"}),
        (PAID, {"action": "changeInitial", "initial": True}),
        (RETURNED, {"action": "changeType", "type": "OrderState"}),
        (RETURNED, {"action": "addRoles", "roles": ["Return"]}),
        (RETURNED, {"action": "addRoles", "roles": ["ReviewIncludedInStatistics"]}),
        (PAID, {"action": "removeRoles", "roles": ["Return"]}),
        (a_state(built_in=True), {"action": "changeKey", "key": "other"}),
        (a_state(built_in=True), {"action": "changeType", "type": "PaymentState"}),
    ],
)
def test_an_action_that_contradicts_the_state_is_refused(before: State, action: dict[str, Any]) -> None:
    with pytest.raises(InvalidOperation):
        update(states, before, action)


def test_every_published_action_is_registered() -> None:
    assert len(states.actions) == 9


def test_a_built_in_state_cannot_be_deleted() -> None:
    with pytest.raises(InvalidOperation):
        states.deleted(a_state(built_in=True), facts_with())
    assert states.deleted(PAID, facts_with()).resource == PAID


def test_a_project_is_born_with_the_state_its_line_items_start_in() -> None:
    (initial,) = built_in_states(facts_with())
    assert initial_line_item_state(PROJECT).id == initial.id
    assert initial_line_item_state("another").id != initial.id
    assert (initial.key, initial.type, initial.built_in, initial.initial) == ("Initial", "LineItemState", True, True)


@pytest.mark.parametrize(
    ("current", "following"),
    [(None, PAID), (PAID, SHIPPED), (a_state(transitions=(TO_SHIPPED,)), SHIPPED)],
)
def test_an_allowed_transition_passes(current: State | None, following: State) -> None:
    check_transition(current, following, "OrderState", force=False)


@pytest.mark.parametrize(
    ("current", "following"),
    [(None, SHIPPED), (a_state(transitions=()), SHIPPED), (a_state(transitions=(TO_SHIPPED,)), PAID)],
)
def test_a_forbidden_transition_is_refused_unless_forced(current: State | None, following: State) -> None:
    with pytest.raises(InvalidOperation):
        check_transition(current, following, "OrderState", force=False)
    check_transition(current, following, "OrderState", force=True)


def test_not_even_force_makes_a_state_of_another_type_fit() -> None:
    with pytest.raises(InvalidOperation):
        check_transition(None, RETURNED, "OrderState", force=True)
