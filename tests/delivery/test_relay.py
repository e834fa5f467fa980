"""The relay on a real PostgreSQL: everything arrives, in order for each resource, whatever receivers do."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.delivery.sink import Sink, subscribe, tell, until

from holdfast.base.ids import uuid7
from holdfast.commerce.resources.subscription.shape import CloudEventsFormat, MessageSubscription
from holdfast.delivery.destinations.port import Delivery, Misconfigured, Outcome, Refused, Retry
from holdfast.store import relay as relay_module
from holdfast.store.relay import Claimed, Desk, Held, Record
from holdfast.store.standing import backlog, standings
from holdfast.store.store import Store

Begin = Callable[..., None]


async def one(store: Store, sql: str, *arguments: Any) -> Any:
    row = await store.database.fetchrow(sql, *arguments)
    assert row is not None
    return row[0]


async def test_everything_arrives_in_order_for_each_resource(store: Store, project: str, relay: Begin) -> None:
    sink = Sink()
    await subscribe(store, project, key="plain")
    ids = await tell(store, project, 40, each=25)
    relay(plain=sink)
    await sink.has(1000)
    assert sink.by_resource() == {each: list(range(1, 26)) for each in ids}


async def test_what_fails_at_random_still_arrives_in_order(store: Store, project: str, relay: Begin) -> None:
    chance = random.Random(7)

    def behave(delivery: Delivery) -> Outcome | None:
        return Retry("not in the mood") if chance.random() < 0.3 else None

    sink = Sink(behave)
    await subscribe(store, project, key="moody")
    ids = await tell(store, project, 50, each=4)
    relay(moody=sink)
    await sink.has(200)
    assert sink.by_resource() == {each: [1, 2, 3, 4] for each in ids}


async def test_two_relays_share_the_work_and_keep_the_order(store: Store, project: str, relay: Begin) -> None:
    sinks = {f"shared{n}": Sink() for n in range(3)}
    for key in sinks:
        await subscribe(store, project, key=key)
    relay(**sinks)
    relay(**sinks)
    ids = await tell(store, project, 20, each=10)
    for sink in sinks.values():
        await sink.has(200)
        assert sink.by_resource() == {each: list(range(1, 11)) for each in ids}


async def test_one_that_hangs_and_one_that_is_down_are_nobody_elses_trouble(
    store: Store, project: str, relay: Begin
) -> None:
    never = asyncio.Event()
    hanging = Sink(lambda _: never.wait())
    down = Sink(lambda _: Retry("down"), batch=10)
    sound = Sink()
    for key in ("hanging", "down", "sound"):
        await subscribe(store, project, key=key)
    relay(hanging=hanging, down=down, sound=sound)

    async def both_were_tried() -> bool:
        return hanging.attempts > 0 < down.attempts

    await until(both_were_tried)
    await tell(store, project, 500)
    await sound.has(500)
    # Far fewer than there are: a receiver that is down is tried now and then, not with everything.
    assert down.attempts < 250


async def test_only_what_was_asked_for_is_sent(store: Store, project: str, relay: Begin) -> None:
    wanted: Any = MessageSubscription(resource_type_id="category", types=("CategoryCreated",))
    other: Any = MessageSubscription(resource_type_id="category", types=("CategorySlugChanged",))
    sinks = {"wanted": Sink(), "others": Sink()}
    ids = {
        await subscribe(store, project, key="wanted", messages=(wanted, wanted)),
        await subscribe(store, project, key="others", messages=(other,)),
        await subscribe(store, f"{project}-x", key="others"),
    }
    await tell(store, project, 1)
    relay(**sinks)

    async def all_is_dealt_out_and_delivered() -> bool:
        mine = [each for each in await standings(store.database) if each.id in ids]
        undealt = (await backlog(store.database)).undealt
        return undealt == 0 and all(each.delivered > 0 and each.owed == 0 for each in mine)

    await until(all_is_dealt_out_and_delivered)
    assert (len(sinks["wanted"].messages), len(sinks["others"].messages)) == (1, 0)


async def test_a_new_subscription_is_tried_with_the_news_of_itself(store: Store, project: str, relay: Begin) -> None:
    sink = Sink()
    created = await subscribe(store, project, key="trial")
    relay(trial=sink)

    async def tried() -> bool:
        return bool(sink.taken)

    await until(tried)
    (delivery,) = sink.taken
    assert delivery.id == created
    assert delivery.attributes["type"] == "ResourceCreated"
    assert f'"resource":{{"typeId":"subscription","id":"{created}"}}'.encode() in delivery.body


async def test_cloud_events_wrap_the_payload(store: Store, project: str, relay: Begin) -> None:
    sink = Sink()
    await subscribe(store, project, key="clouds", format=CloudEventsFormat(cloud_events_version="1.0"))
    (resource,) = await tell(store, project, 1)
    relay(clouds=sink)

    async def both() -> bool:
        return len(sink.taken) == 2

    await until(both)
    event = next(json.loads(each.body) for each in sink.taken if each.subject == "CategoryCreated")
    assert event["specversion"] == "1.0"
    assert event["type"] == "com.commercetools.category.message.CategoryCreated"
    assert (event["source"], event["subject"]) == (f"/{project}/categories/{resource}", resource)
    assert (event["sequence"], event["data"]["notificationType"]) == ("1", "Message")


async def test_what_commits_after_its_successors_were_dealt_out_is_not_forgotten(
    store: Store, project: str, relay: Begin
) -> None:
    sink = Sink()
    await subscribe(store, project, key="late")
    slow = await store.database.connect()
    try:
        transaction = slow.transaction()
        await transaction.start()
        late = uuid7()
        await slow.execute(
            "INSERT INTO outbox"
            " (project, kind, resource_id, sequence_number, id, resource_version, type, created_at, body)"
            " VALUES ($1, 'category', $2, 1, gen_random_uuid(), 1, 'CategoryCreated', now(), $3)",
            project,
            late,
            b'{"type":"CategoryCreated"}',
        )
        await tell(store, project, 5)
        relay(late=sink)
        await sink.has(5)
        await transaction.commit()
    finally:
        await slow.close()
    await sink.has(6)
    assert late in sink.by_resource()


async def test_a_number_nobody_used_is_waited_for_and_then_let_go(store: Store, project: str, postgres: str) -> None:
    await subscribe(store, project, key="unused")
    await store.database.execute("SELECT nextval('outbox_position_seq')")
    await tell(store, project, 1)
    desk = Desk(postgres)
    while (await desk.deal()).fresh:
        pass
    assert await one(store, "SELECT count(*) FROM relay_gap") >= 1
    await store.database.execute("UPDATE relay_gap SET seen_at = now() - interval '1 minute'")
    await desk.deal()
    desk.hang_up()
    assert await one(store, "SELECT count(*) FROM relay_gap") == 0


async def test_what_can_never_succeed_becomes_a_dead_letter_and_the_next_goes_out(
    store: Store, project: str, relay: Begin
) -> None:
    def behave(delivery: Delivery) -> Outcome | None:
        return Refused("gone") if b'"sequenceNumber":1,' in delivery.body else None

    sink = Sink(behave)
    subscription = await subscribe(store, project, key="picky")
    (resource,) = await tell(store, project, 1, each=3)
    relay(picky=sink)
    await sink.has(2)
    assert sink.by_resource() == {resource: [2, 3]}

    async def buried() -> Any:
        return await store.database.fetchrow("SELECT * FROM dead_letter WHERE project = $1", project)

    await until(buried)
    row = await buried()
    assert (row["reason"], row["attempts"], row["sequence_number"]) == ("gone", 1, 1)
    assert (str(row["subscription_id"]), str(row["resource_id"])) == (subscription, resource)
    assert row["body"] == b'{"type":"CategoryCreated","n":1}'


async def test_patience_ends_once_for_all_that_wait_behind_the_same_failure(
    store: Store, project: str, relay: Begin
) -> None:
    sink = Sink(lambda _: Retry("never"))
    await subscribe(store, project, key="hopeless")
    await tell(store, project, 1, each=5)
    relay(patience_seconds=0.2, hopeless=sink)

    async def all_dead() -> bool:
        return bool(await one(store, "SELECT count(*) = 5 FROM dead_letter WHERE project = $1", project))

    await until(all_dead)
    first = await one(
        store, "SELECT max(first_failed_at) - min(first_failed_at) FROM dead_letter WHERE project = $1", project
    )
    assert first.total_seconds() == 0


async def test_how_a_subscription_fares_is_known(store: Store, project: str, relay: Begin) -> None:
    mood: list[Outcome | None] = [Misconfigured("no such queue")]
    sink = Sink(lambda _: mood[0])
    subscription = await subscribe(store, project, key="watched")
    await tell(store, project, 4)
    relay(watched=sink)

    async def standing() -> Any:
        return next(each for each in await standings(store.database) if each.id == subscription)

    async def has_status(status: int) -> bool:
        return bool((await standing()).status == status)

    await until(lambda: has_status(2))
    bad = await standing()
    assert (bad.owed, bad.delivered, bad.key, bad.destination) == (5, 0, "watched", "Webhook")
    assert (bad.failed > 0, bad.last_reason, bad.lag_seconds > 0) == (True, "no such queue", True)
    mood[0] = None
    await sink.has(4)
    await until(lambda: has_status(0))
    good = await standing()
    assert (good.owed, good.held, good.delivered, good.lag_seconds) == (0, 0, 5, None)
    assert (await backlog(store.database)).undealt == 0


async def test_what_was_owed_to_a_subscription_goes_with_it(store: Store, project: str, relay: Begin) -> None:
    sink = Sink(lambda _: Retry("down"))
    subscription = await subscribe(store, project, key="leaving")
    await tell(store, project, 20)
    relay(leaving=sink)

    async def tried() -> bool:
        return sink.attempts > 0

    await until(tried)
    for table in ("subscription", "subscription_secret"):
        await store.database.execute(f'DELETE FROM "{table}" WHERE project = $1', project)

    async def forgotten() -> bool:
        rows = [
            await one(store, f"SELECT count(*) FROM {table} WHERE project = $1", project)
            for table in ("delivery", "held_lane", "subscriber")
        ]
        return not any(rows)

    await until(forgotten)
    name = f"subscription-status/{subscription}"
    assert await one(store, "SELECT count(*) FROM tally WHERE project = $1 AND name = $2", project, name) == 0


async def test_a_claim_looks_at_so_many_places_however_many_lanes_are_held(
    store: Store, project: str, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "PLACES_MAX", 10)
    await subscribe(store, project, key="slow")
    held = await tell(store, project, 15, each=3)
    ids = await tell(store, project, 4)
    desk = Desk(postgres)
    while (await desk.deal()).fresh:
        pass
    (work,) = [work for work in await desk.find_work() if work.project == project]
    hold = await desk.try_hold(work)
    assert hold is not None
    later = datetime.now(UTC) + timedelta(hours=1)
    lanes = [Held(("category", each), 1, later, later, "down") for each in held]
    await desk.record(hold, Record(held=lanes))

    claimed, found = Claimed([], 0, more=True), []
    while claimed.more:
        before = claimed.after
        claimed = await desk.claim(hold, before, 2, [])
        found += [owed.resource_id for owed in claimed.owed if not owed.is_trial]
        looked_at = await one(
            store,
            "SELECT count(*) FROM delivery WHERE project = $1 AND place > $2 AND place <= $3",
            project,
            before,
            claimed.after,
        )
        assert looked_at <= 10
    assert found == ids
    desk.hang_up()
