"""States: the steps of a workflow that orders, line items, products, payments and reviews go through.

`transitions` absent means any step may follow, an empty list means none may. Every project is born
with the line item state "Initial"; its id is derived from the project, so that line items can carry
it without a look-up.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field
from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.base.ids import built_in_state_id
from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Changed, Resource
from holdfast.commerce.values.reference import Reference, ResourceIdentifier
from holdfast.commerce.values.value import Key, LocalizedString, Stored, Value, distinct, no

INITIAL_KEY = "Initial"

StateType = Literal[
    "LineItemState",
    "OrderState",
    "PaymentState",
    "ProductState",
    "QuoteRequestState",
    "QuoteState",
    "RecurringOrderState",
    "ReviewState",
    "StagedQuoteState",
]
StateRole = Literal["Return", "ReviewIncludedInStatistics"]
_ROLE_TYPES: dict[StateRole, StateType] = {
    "Return": "LineItemState",
    "ReviewIncludedInStatistics": "ReviewState",
}


class StateDraft(Value):
    key: Key
    type: StateType
    name: LocalizedString | None = None
    description: LocalizedString | None = None
    initial: bool = True
    roles: tuple[StateRole, ...] = ()
    transitions: tuple[ResourceIdentifier, ...] | None = None


class State(Stored):
    key: str
    type: StateType
    name: LocalizedString | None = None
    description: LocalizedString | None = None
    initial: bool = field(default_factory=no)
    built_in: bool = field(default_factory=no)
    roles: tuple[StateRole, ...] = ()
    transitions: tuple[Reference, ...] | None = None


states = Resource("state", path="states", shape=State, draft=StateDraft, scope="states", holds=("state",))


@states.create
def create_state(draft: StateDraft, facts: Facts) -> State:
    _check_roles(draft.type, draft.roles)
    return State(
        key=draft.key,
        type=draft.type,
        name=draft.name,
        description=draft.description,
        initial=draft.initial,
        roles=distinct(draft.roles),
        transitions=_targets(draft.type, draft.transitions, facts),
    )


@states.delete
def delete_state(state: State, facts: Facts) -> Changed[State]:
    """Built-in states stay: line items refer to them from birth."""
    _check_own(state)
    return Changed(state)


def initial_line_item_state(project: str) -> Reference:
    """The state a line item starts in."""
    return Reference(type_id="state", id=built_in_state_id(project, INITIAL_KEY))


def built_in_states(facts: Facts) -> tuple[State, ...]:
    """The states to commit together with a new project."""
    return (
        State(
            id=built_in_state_id(facts.project_key, INITIAL_KEY),
            created_at=facts.now,
            last_modified_at=facts.now,
            key=INITIAL_KEY,
            type="LineItemState",
            name={"en": "Initial"},
            initial=True,
            built_in=True,
        ),
    )


def check_transition(current: State | None, following: State, expected: StateType, *, force: bool) -> None:
    """Whether a workflow may take this step: raises InvalidOperation unless `force`d or allowed.

    The published rule: the first state must be an initial one, each later one a transition of its
    predecessor if that one names any. A state of another type is never right.
    """
    if following.type != expected:
        raise InvalidOperation(f"State '{following.key}' is of type '{following.type}', not '{expected}'.")
    if force:
        return
    if current is None:
        if not following.initial:
            raise InvalidOperation(f"State '{following.key}' is not an initial state.")
    elif current.transitions is not None and all(target.id != following.id for target in current.transitions):
        raise InvalidOperation(f"There is no transition from state '{current.key}' to '{following.key}'.")


@states.action("changeKey")
def change_state_key(state: State, *, key: Key) -> State:
    """Change the key; that of a built-in state stays."""
    _check_own(state)
    return replace(state, key=key)


@states.action("changeType")
def change_type(state: State, *, type: StateType) -> State:
    """Assign the state to another kind of resource; the roles must suit it."""
    _check_own(state)
    if type == state.type:
        raise InvalidOperation(f"State '{state.key}' already has type '{type}'.")
    _check_roles(type, state.roles)
    return replace(state, type=type)


@states.action("changeInitial")
def change_initial(state: State, *, initial: bool) -> State:
    if initial == state.initial:
        raise InvalidOperation(f"State '{state.key}' already has initial '{str(initial).lower()}'.")
    return replace(state, initial=initial)


@states.action("setName")
def set_name(state: State, *, name: LocalizedString | None = None) -> State:
    """Set the name; an empty object removes it."""
    return replace(state, name=name or None)


@states.action("setDescription")
def set_description(state: State, *, description: LocalizedString | None = None) -> State:
    """Set the description; an empty object removes it."""
    return replace(state, description=description or None)


@states.action("setRoles")
def set_roles(state: State, *, roles: tuple[StateRole, ...]) -> State:
    _check_roles(state.type, roles)
    return replace(state, roles=distinct(roles))


@states.action("addRoles")
def add_roles(state: State, *, roles: tuple[StateRole, ...]) -> State:
    _check_roles(state.type, roles)
    if roles and set(roles) <= set(state.roles):
        raise InvalidOperation(f"State '{state.key}' already has these roles.")
    return replace(state, roles=distinct((*state.roles, *roles)))


@states.action("removeRoles")
def remove_roles(state: State, *, roles: tuple[StateRole, ...]) -> State:
    if not set(roles) & set(state.roles):
        raise InvalidOperation(f"State '{state.key}' has none of these roles.")
    return replace(state, roles=tuple(role for role in state.roles if role not in roles))


@states.action("setTransitions")
def set_transitions(
    state: State,
    facts: Facts,
    *,
    transitions: tuple[ResourceIdentifier, ...] | None = None,
) -> State:
    """Name what may follow: absent lifts all restrictions, an empty list makes the state final."""
    return replace(state, transitions=_targets(state.type, transitions, facts))


def _targets(
    expected: StateType, identifiers: tuple[ResourceIdentifier, ...] | None, facts: Facts
) -> tuple[Reference, ...] | None:
    if identifiers is None:
        return None
    references = []
    for identifier in identifiers:
        target = facts.get(states, identifier)
        if target.type != expected:
            raise InvalidOperation(f"State '{target.key}' is of type '{target.type}', not '{expected}'.")
        references.append(Reference(type_id="state", id=target.id))
    return distinct(references)


def _check_roles(type_: StateType, roles: tuple[StateRole, ...]) -> None:
    for role in roles:
        if _ROLE_TYPES[role] != type_:
            raise InvalidOperation(f"Role '{role}' does not apply to states of type '{type_}'.")


def _check_own(state: State) -> None:
    if state.built_in:
        raise InvalidOperation(f"State '{state.key}' is built in: it can neither be deleted nor renamed.")
