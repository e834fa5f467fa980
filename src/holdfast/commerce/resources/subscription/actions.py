"""How subscriptions come, change and go."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.base.errors import InvalidField, InvalidInput, MaxResourceLimitExceeded
from holdfast.commerce.facts import Facts
from holdfast.commerce.registry import Changed, Other, born, touched
from holdfast.commerce.resources.subscription.destinations import AnyDestination, masked
from holdfast.commerce.resources.subscription.shape import (
    ChangeList,
    EventList,
    MessageList,
    Subscription,
    SubscriptionDraft,
    SubscriptionSecret,
    secrets,
    subscriptions,
)
from holdfast.commerce.rules.common_actions import set_key

# Published for a project; each has a queue of its own.
SUBSCRIPTIONS_MAX = 50

subscriptions.action("setKey")(set_key)


@subscriptions.create
def create_subscription(draft: SubscriptionDraft, facts: Facts) -> Changed[Subscription]:
    if len(facts.matching(subscriptions, "", limit=SUBSCRIPTIONS_MAX)) >= SUBSCRIPTIONS_MAX:
        raise MaxResourceLimitExceeded(f"A project has at most {SUBSCRIPTIONS_MAX} subscriptions.")
    asked = Subscription(
        key=draft.key,
        destination=masked(draft.destination),
        messages=draft.messages or (),
        changes=draft.changes or (),
        events=draft.events or (),
        format=draft.format,
    )
    made = born(asked, facts)
    secret = born(SubscriptionSecret(id=made.id, destination=draft.destination), facts)
    return Changed(made, others=(Other(secrets, None, secret),))


@subscriptions.settle
def ask_for_something(before: Subscription | None, after: Subscription, facts: Facts) -> Subscription:
    """A subscription to nothing is a mistake, and one to what nobody tells of would wait for ever."""
    for name in ("changes", "events"):
        if asked := getattr(after, name):
            raise InvalidField(name, asked, f"'{name}' are not told of yet; subscribe to 'messages'.")
    if not after.messages:
        raise InvalidInput("A subscription needs at least one of 'messages', 'changes' and 'events'.")
    return after


@subscriptions.delete
def delete_subscription(subscription: Subscription, facts: Facts) -> Changed[Subscription]:
    """What waits to be delivered goes with it."""
    return Changed(subscription, others=(Other(secrets, facts.get(secrets, subscription.id), None),))


@subscriptions.action("changeDestination")
def change_destination(
    subscription: Subscription, facts: Facts, *, destination: AnyDestination
) -> Changed[Subscription]:
    """Send to another place from now on; what waits goes there too."""
    before = facts.get(secrets, subscription.id)
    after = touched(replace(before, destination=destination), before.version + 1, facts)
    return Changed(replace(subscription, destination=masked(destination)), others=(Other(secrets, before, after),))


@subscriptions.action("setMessages")
def set_messages(subscription: Subscription, *, messages: MessageList | None = None) -> Subscription:
    return replace(subscription, messages=messages or ())


@subscriptions.action("setChanges")
def set_changes(subscription: Subscription, *, changes: ChangeList | None = None) -> Subscription:
    return replace(subscription, changes=changes or ())


@subscriptions.action("setEvents")
def set_events(subscription: Subscription, *, events: EventList | None = None) -> Subscription:
    return replace(subscription, events=events or ())
