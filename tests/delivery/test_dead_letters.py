"""What nobody took is kept whole, and goes out again when somebody says so; and so does any span of time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.delivery.sink import Sink, subscribe, tell, until

from holdfast.base.ids import uuid7
from holdfast.cli.main import main
from holdfast.delivery.destinations.port import Outcome, Refused
from holdfast.store.dead_letters import Choice, discard, letter, letters, replay
from holdfast.store.events import Span, events, replay_span
from holdfast.store.store import Store

Begin = Callable[..., None]


async def buried(store: Store, project: str, count: int) -> None:
    async def there() -> bool:
        return len(await letters(store.database, Choice(project))) == count

    await until(there)


async def test_a_replayed_letter_arrives_under_its_first_id_and_is_none_any_more(
    store: Store, project: str, relay: Begin
) -> None:
    mood: list[Outcome | None] = [Refused("not now, not ever")]
    sink = Sink(lambda _: mood[0])
    subscription = await subscribe(store, project, key="penitent")
    (resource,) = await tell(store, project, 1, each=3)
    relay(penitent=sink)
    await buried(store, project, 3)
    # Those buried together lie in any order.
    found = sorted(await letters(store.database, Choice(project, "penitent")), key=lambda each: each.sequence_number)
    assert [each.sequence_number for each in found] == [1, 2, 3]
    whole = await letter(store.database, found[0].id)
    assert whole is not None
    assert (whole.subscription_id, whole.body) == (subscription, b'{"type":"CategoryCreated","n":1}')
    mood[0] = None
    assert await replay(store.database, Choice(project, "penitent")) == 3
    await sink.has(3)
    assert sink.by_resource() == {resource: [1, 2, 3]}
    assert [each["id"] for each in sink.messages] == [each.message_id for each in found]

    async def none() -> bool:
        row = await store.database.fetchrow("SELECT count(*) FROM dead_letter WHERE project = $1", project)
        return row is not None and row[0] == 0

    await until(none)


async def test_a_letter_replayed_in_vain_is_one_again(store: Store, project: str, relay: Begin) -> None:
    sink = Sink(lambda _: Refused("never"))
    await subscribe(store, project, key="stubborn")
    await tell(store, project, 1)
    relay(stubborn=sink)
    await buried(store, project, 1)
    (before,) = await letters(store.database, Choice(project))
    assert await replay(store.database, Choice(ids=[before.id])) == 1
    await buried(store, project, 1)
    (after,) = await letters(store.database, Choice(project))
    assert (after.id, after.attempts) == (before.id, 2)


async def test_a_letter_survives_the_message_it_was(store: Store, project: str, relay: Begin) -> None:
    mood: list[Outcome | None] = [Refused("later")]
    sink = Sink(lambda _: mood[0])
    await subscribe(store, project, key="survivor")
    await tell(store, project, 1)
    relay(survivor=sink)
    await buried(store, project, 1)
    await store.database.execute("DELETE FROM outbox WHERE project = $1", project)
    mood[0] = None
    await replay(store.database, Choice(project))
    await sink.has(1)
    assert sink.messages[0]["n"] == 1


async def test_discarded_letters_are_gone_and_others_stay(store: Store, project: str, relay: Begin) -> None:
    sink = Sink(lambda _: Refused("no"))
    await subscribe(store, project, key="full")
    await tell(store, project, 3)
    relay(full=sink)
    await buried(store, project, 3)
    first, *others = await letters(store.database, Choice(project))
    assert await discard(store.database, Choice(ids=[first.id])) == 1
    assert await letters(store.database, Choice(project)) == others


async def test_a_span_of_time_is_told_again_to_one_subscription(store: Store, project: str, relay: Begin) -> None:
    one, other = Sink(), Sink()
    chosen = await subscribe(store, project, key="one")
    await subscribe(store, project, key="other")
    (resource,) = await tell(store, project, 1, each=5)
    relay(one=one, other=other)
    await one.has(5)
    await other.has(5)
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    assert (await replay_span(store.database, chosen, Span(project, now - 2 * hour, now - hour))).owed == 0
    assert (await replay_span(store.database, chosen, Span(project, now - hour, now + hour))).owed == 5
    await one.has(10)
    assert one.by_resource() == {resource: [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]}
    assert len({each["id"] for each in one.messages}) == 5
    assert len(other.messages) == 5


async def test_events_are_read_from_the_end_or_from_a_place(store: Store, project: str) -> None:
    await tell(store, project, 1, each=5)
    latest = await events(store.database, project, None, None, 2)
    assert [each.sequence_number for each in latest] == [4, 5]
    assert await events(store.database, project, None, latest[0].position) == latest[1:]
    assert not await events(store.database, project, ["OrderCreated"], None)


# --- the commands ----------------------------------------------------------------------------


@pytest.fixture
def command(postgres: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command as an operator would, against the tests' database: exit code and the JSON lines it printed."""
    monkeypatch.setenv("HOLDFAST_DATABASE_URL", postgres)

    async def run(*words: str) -> tuple[int, list[Any]]:
        capsys.readouterr()
        code = await asyncio.to_thread(main, [*words, "--json"])
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


async def test_an_operator_lists_shows_replays_and_discards(
    store: Store, project: str, relay: Begin, command: Any
) -> None:
    sink = Sink(lambda _: Refused("broken"))
    await subscribe(store, project, key="operated")
    await tell(store, project, 2)
    relay(operated=sink)
    await buried(store, project, 2)
    code, listed = await command("deadletter", "list", "--project", project)
    assert (code, [each["reason"] for each in listed]) == (0, ["broken", "broken"])
    assert listed[0]["subscription"]["key"] == "operated"
    _, (shown,) = await command("deadletter", "show", listed[0]["id"])
    assert shown["message"] == {"type": "CategoryCreated", "n": 1}
    assert await command("deadletter", "discard", "--project", project, "--dry-run") == (
        0,
        [{"discarded": 0, "found": 2}],
    )
    assert await command("deadletter", "discard", listed[0]["id"]) == (0, [{"discarded": 1, "found": 1}])
    sink.behave = None
    assert (await command("deadletter", "replay", "--project", project))[1] == [{"replayed": 1, "found": 1}]
    await sink.has(1)


async def test_a_command_wants_to_know_which(command: Any) -> None:
    assert (await command("deadletter", "replay"))[0] == 2
    assert (await command("deadletter", "show", uuid7()))[0] == 1
    span = ("--from", "2026-01-01", "--to", "2026-01-02")
    assert (await command("events", "replay", "--project", "none", "--subscription", "none", *span))[0] == 1


async def test_an_operator_watches_events_and_has_them_told_again(
    store: Store, project: str, relay: Begin, command: Any
) -> None:
    sink = Sink()
    await subscribe(store, project, key="again")
    await tell(store, project, 1, each=3)
    relay(again=sink)
    await sink.has(3)
    _, tail = await command("events", "tail", "--project", project, "--type", "CategoryCreated", "--lines", "2")
    assert [(each["sequenceNumber"], each["message"]["n"]) for each in tail] == [(2, 2), (3, 3)]
    words = ("--project", project, "--subscription", "again", "--from", "2020-01-01", "--to", "2999-01-01")
    assert await command("events", "replay", *words) == (0, [{"replayed": 3}])
    await sink.has(6)
