"""The statements of a batch, row by row: what is locked, what is written, what a clash is put down to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from tests.unit.store.recorded import NOW, Recorded, a_zone, creation

from holdfast.base.errors import ApiError, ConcurrentModification, DuplicateField, IdempotencyKeyTaken, InvalidOperation
from holdfast.commerce.stock import StockLevel, StockMovement
from holdfast.commerce.tally import Tally
from holdfast.store import writes
from holdfast.store.batch import Ground, Standing, judge
from holdfast.store.change import Change, Drop, Note, Put, Reply
from holdfast.store.constraints import Pointer
from holdfast.store.queries import document_queries, queries
from holdfast.store.session import Session
from holdfast.store.writes import Missed

SPENT = InvalidOperation("It is used up.")
ENTRY = "inventory-entry"


def put(kind: str, id: str, expected: int = 0, notes: int = 0, **more: Any) -> Put:
    resource = a_zone(id, expected + 1)
    told = tuple(Note(f"note {n} of {id}", "Told", b"told") for n in range(notes))
    made = Put(kind, id, expected, resource, b"body", f"stored {id}".encode(), b"query", (), (), (), (), told)
    return made._replace(**more)


def drop(kind: str, id: str, expected: int = 1, **more: Any) -> Drop:
    return Drop(kind, id, expected, NOW, (), (), ())._replace(**more)


def change(*items: Put | Drop, project: str = "shop", **more: Any) -> Change:
    puts = [item for item in items if isinstance(item, Put)]
    drops = [item for item in items if isinstance(item, Drop)]
    return Change(project, puts, drops, ())._replace(**more)


def row(id: str, first: int = 0, second: int = 0, project: str = "shop") -> dict[str, Any]:
    return {"project": project, "id": id, "first": first, "second": second}


def as_session(recorded: Recorded) -> Session:
    return cast("Session", recorded)


def given(recorded: Recorded) -> dict[str, list[tuple[Any, ...]]]:
    """What each part was given, as rows."""
    return {part.name: list(zip(*part.arguments, strict=True)) for part in recorded.parts if part.name != "decide_fate"}


# --- survey --------------------------------------------------------------------------------


async def surveyed(recorded: Recorded, *changes: Change) -> Ground:
    return await writes.survey(as_session(recorded), changes)


async def test_rows_are_locked_kind_by_kind_and_in_the_order_of_their_ids() -> None:
    recorded = Recorded()
    to = (Pointer("category", "t2"), Pointer("category", "t1"))
    await surveyed(
        recorded,
        change(put("zone", "b", 1), put("zone", "new", points=to), put("zone", "gone", 1)),
        change(put("zone", "a", 2), drop("zone", "gone", 2), drop("channel", "c"), project="another"),
        change(drop("zone", "gone", 2)),
    )
    assert list(given(recorded).items()) == [
        ("category.hold", [("shop", "t1"), ("shop", "t2")]),
        ("channel.lock_to_delete", [("another", "c")]),
        ("zone.lock_to_delete", [("another", "gone"), ("shop", "gone")]),
        ("zone.lock_to_update", [("another", "a"), ("shop", "b")]),
        ("find_referrers", [("another", "zone", "gone"), ("shop", "zone", "gone"), ("another", "channel", "c")]),
    ]


async def test_each_lock_is_a_statement_of_its_own_kind() -> None:
    recorded = Recorded()
    counted = change(put("zone", "b", 1), stock=[StockMovement("track", "e", 1)], tallies=[Tally("code", 1, 1, SPENT)])
    await surveyed(recorded, counted)
    texts = {part.name: part.sql for part in recorded.parts}
    sql = queries("constraints")
    assert texts == {
        "open_tallies": sql["open_tallies"],
        "zone.lock_to_update": document_queries("zone")["lock_to_update"],
        "lock_stock": sql["lock_stock"],
        "lock_tallies": sql["lock_tallies"],
    }


async def test_counters_are_locked_last_and_tallies_opened_first() -> None:
    recorded = Recorded()
    moves = [StockMovement("reserve", "e2", 1), StockMovement("reserve", "e1", 1), StockMovement("track", "e1", 1)]
    uses = [Tally("b", 1, 1, SPENT), Tally("a", 1, 1, SPENT)]
    await surveyed(recorded, change(put("zone", "z", 1), stock=moves, tallies=uses), change(drop(ENTRY, "gone")))
    assert recorded.steps == ["write", "read", "read"]
    found = given(recorded)
    names = [name for name in found if name != "find_referrers"]
    assert names == [
        "open_tallies",
        f"{ENTRY}.lock_to_delete",
        "zone.lock_to_update",
        "lock_stock",
        "lock_tallies",
    ]
    assert found["open_tallies"] == found["lock_tallies"] == [("shop", "a"), ("shop", "b")]
    assert found["lock_stock"] == [("shop", "e1"), ("shop", "e2"), ("shop", "gone")]


async def test_a_batch_that_touches_nothing_that_is_there_asks_nothing() -> None:
    recorded = Recorded()
    ground = await surveyed(recorded, creation("a"), creation("b"))
    assert (recorded.steps, ground) == ([], Ground({}, {}, set(), {}))


async def test_what_was_found_is_learned() -> None:
    recorded = Recorded()
    recorded.rows = {
        "zone.lock_to_update": [row("a", 3, 7)],
        "zone.lock_to_delete": [row("b", 4, 8)],
        "category.hold": [row("t")],
        "lock_stock": [row("e", 5, 2), row("e", 1, 1, "another")],
        "lock_tallies": [row("code", 6)],
        "find_referrers": [{"target_kind": "zone", "project": "shop", "target_id": "b", "source_kind": "cart"}],
    }
    points = (Pointer("category", "t"),)
    ground = await surveyed(
        recorded,
        change(
            put("zone", "a", 3, points=points),
            drop("zone", "b", 4),
            stock=[StockMovement("track", "e", 1)],
            tallies=[Tally("code", 1, 1, SPENT)],
        ),
    )
    assert ground == Ground(
        standings={("zone", "shop", "a"): Standing(3, 7), ("zone", "shop", "b"): Standing(4, 8)},
        found_levels={("shop", "e"): StockLevel(5, 2), ("another", "e"): StockLevel(1, 1)},
        held={("category", "shop", "t")},
        referrers={("zone", "shop", "b"): "cart"},
        found_tallies={("shop", "code"): 6},
    )


# --- write ---------------------------------------------------------------------------------


def ground(**more: Any) -> Ground:
    return Ground(**{"standings": {}, "found_levels": {}, "held": set(), "referrers": {}} | more)


async def written(recorded: Recorded, place: Ground, *changes: Change) -> Missed:
    """Write a batch all of which is allowed."""
    assert judge(changes, place) == [None] * len(changes)
    return await writes.write(as_session(recorded), changes, place, "fate")


async def test_a_batch_is_two_steps_of_rows_in_order() -> None:
    recorded = Recorded()
    place = ground(standings={("zone", "shop", "b"): Standing(1, 4)}, held={("category", "shop", "t")})
    missed = await written(
        recorded,
        place,
        change(put("zone", "y"), put("zone", "x", notes=2), put("channel", "c")),
        change(put("zone", "b", 1, notes=1, points=(Pointer("category", "t"),), claims=(("key", "k"),))),
    )
    assert not missed
    assert recorded.steps == ["write"]
    assert [part.name for part in recorded.parts] == [
        "own_values",
        "zone.update",
        "channel.insert",
        "zone.insert",
        "add_references",
        "add_messages",
        "decide_fate",
    ]
    assert given(recorded) == {
        "own_values": [("shop", "zone", "key", "k", "b")],
        "zone.update": [("shop", "b", 2, 5, NOW, b"stored b", "query")],
        "channel.insert": [("shop", "c", 1, 0, NOW, b"stored c", "query")],
        "zone.insert": [
            ("shop", "x", 1, 2, NOW, b"stored x", "query"),
            ("shop", "y", 1, 0, NOW, b"stored y", "query"),
        ],
        "add_references": [("shop", "category", "t", "zone", "b")],
        "add_messages": [
            ("shop", "zone", "x", 1, "note 0 of x", 1, "Told", NOW, b"told"),
            ("shop", "zone", "x", 2, "note 1 of x", 1, "Told", NOW, b"told"),
            ("shop", "zone", "b", 5, "note 0 of b", 2, "Told", NOW, b"told"),
        ],
    }
    sql = queries("constraints")
    assert {part.name: part.sql for part in recorded.parts} == {
        "zone.update": document_queries("zone")["update"],
        "channel.insert": document_queries("channel")["insert"],
        "zone.insert": document_queries("zone")["insert"],
    } | {name: sql[name] for name in ("own_values", "add_references", "add_messages", "decide_fate")}
    assert recorded.named("decide_fate") == [("fate", True)]


async def test_of_several_versions_in_one_batch_the_last_is_written() -> None:
    recorded = Recorded()
    place = ground(standings={("zone", "shop", "b"): Standing(1, 0)})
    await written(recorded, place, change(put("zone", "b", 1)), change(put("zone", "b", 2, stored=b"newest")))
    assert given(recorded) == {"zone.update": [("shop", "b", 3, 0, NOW, b"newest", "query")]}


async def test_what_goes_goes_before_anything_is_written() -> None:
    recorded = Recorded()
    place = ground(
        standings={("zone", "shop", name): Standing(1, 0) for name in ("a", "b", "c")}
        | {(ENTRY, "shop", "e"): Standing(1, 0)},
        found_levels={("shop", "e"): StockLevel(7, 3)},
    )
    ends: dict[str, Any] = {"disclaims": (("key", "k"),), "unpoints": (Pointer("category", "t"),)}
    await written(
        recorded,
        place,
        change(drop("zone", "b", **ends), drop("zone", "a")),
        change(put("zone", "c", 1, **ends), drop(ENTRY, "e", 1)),
    )
    assert recorded.steps == ["write", "write"]
    assert given(recorded) == {
        "disown_values": [("shop", "zone", "key", "k", "c"), ("shop", "zone", "key", "k", "b")][::-1],
        "drop_references": [("shop", "category", "t", "zone", "b"), ("shop", "category", "t", "zone", "c")],
        f"{ENTRY}.delete": [("shop", "e")],
        "zone.delete": [("shop", "a"), ("shop", "b")],
        "close_stock": [("shop", "e")],
        "zone.update": [("shop", "c", 2, 0, NOW, b"stored c", "query")],
        "add_ledger": [("shop", "e", NOW, "close", -7, -3, ENTRY, "e", 1)],
    }
    names = [part.name for part in recorded.parts]
    assert names[:5] == ["disown_values", "drop_references", f"{ENTRY}.delete", "zone.delete", "close_stock"]


async def test_counters_move_by_what_all_changes_came_to_and_the_ledger_tells_each() -> None:
    recorded = Recorded()
    place = ground(found_levels={("shop", "e"): StockLevel(5, 1), ("shop", "f"): StockLevel(9, 0)})
    await written(
        recorded,
        place,
        change(put("zone", "a"), stock=[StockMovement("reserve", "e", 2), StockMovement("receive", "f", 1)]),
        change(put("zone", "b"), stock=[StockMovement("release", "e", 1), StockMovement("reserve", "f", 4)]),
    )
    found = given(recorded)
    assert found["move_stock"] == [("shop", "e", 0, 1, False), ("shop", "f", 1, 4, True)]
    assert found["add_ledger"] == [
        ("shop", "e", NOW, "reserve", 0, 2, "zone", "a", 1),
        ("shop", "f", NOW, "receive", 1, 0, "zone", "a", 1),
        ("shop", "e", NOW, "release", 0, -1, "zone", "b", 1),
        ("shop", "f", NOW, "reserve", 0, 4, "zone", "b", 1),
    ]
    assert "open_stock" not in found


async def test_a_new_entry_opens_its_counters_with_what_it_was_given() -> None:
    recorded = Recorded()
    count = StockMovement("count", "new", 6)
    await written(recorded, ground(), change(put(ENTRY, "new"), stock=[count]), change(put(ENTRY, "bare")))
    found = given(recorded)
    assert found["open_stock"] == [("shop", "bare", 0, 0), ("shop", "new", 6, 0)]
    assert found["add_ledger"] == [("shop", "new", NOW, "count", 6, 0, ENTRY, "new", 1)]
    assert "move_stock" not in found


async def test_an_entry_that_changes_opens_no_counters_and_one_that_is_gone_has_none_to_move() -> None:
    recorded = Recorded()
    place = ground(standings={(ENTRY, "shop", "e"): Standing(1, 0)})
    await written(recorded, place, change(put(ENTRY, "e", 1), stock=[StockMovement("release", "gone", 1)]))
    assert list(given(recorded)) == [f"{ENTRY}.update"]


async def test_tallies_are_written_as_they_stand_in_the_end() -> None:
    recorded = Recorded()
    uses = [Tally("b", 2, None, SPENT), Tally("a", 1, 9, SPENT)]
    place = ground(found_tallies={("shop", "b"): 5})
    await written(recorded, place, change(put("zone", "a"), tallies=uses), change(put("zone", "b"), tallies=uses[:1]))
    assert given(recorded)["move_tallies"] == [("shop", "a", 1), ("shop", "b", 9)]


async def test_an_answer_is_kept_with_what_it_is_about() -> None:
    recorded = Recorded()
    reply = Reply("client", "k2", b"f", 201)
    place = ground(standings={("zone", "shop", "gone"): Standing(4, 0)})
    await written(
        recorded,
        place,
        change(put("zone", "a"), reply=reply),
        change(drop("zone", "gone", 4), reply=Reply("client", "k1", b"g", 200, b"last body")),
        change(put("zone", "b")),
    )
    assert given(recorded)["add_replies"] == [
        ("shop", "client", "k1", b"g", 200, "zone", "gone", 4, b"last body"),
        ("shop", "client", "k2", b"f", 201, "zone", "a", 1, b"stored a"),
    ]


CLAIMING = change(
    put("zone", "a", claims=(("key", "k"), ("slug", "s"))), put("channel", "c"), reply=Reply("client", "k", b"f", 201)
)


@pytest.mark.parametrize(
    ("part", "missed"),
    [
        ("own_values", Missed(values=True)),
        ("add_replies", Missed(replies=True)),
        ("zone.insert", Missed(kinds=frozenset({"zone"}))),
        ("channel.insert", Missed(kinds=frozenset({"channel"}))),
        (None, Missed()),
    ],
)
async def test_a_part_that_wrote_less_than_it_was_given_is_named(part: str | None, missed: Missed) -> None:
    recorded = Recorded()
    if part is not None:
        recorded.misses[part] = [1]
    found = await written(recorded, ground(), CLAIMING)
    assert found == missed
    assert bool(found) == (part is not None)


# --- explain -------------------------------------------------------------------------------


async def explained(recorded: Recorded, missed: Missed, *changes: Change) -> dict[int, ApiError]:
    return await writes.explain(as_session(recorded), changes, missed)


def told(errors: Sequence[ApiError]) -> list[tuple[type, dict[str, Any]]]:
    return [(type(error), dict(error.fields)) for error in errors]


async def test_the_owner_of_a_value_is_named_to_who_wanted_it() -> None:
    recorded = Recorded()
    claims = (("key", "mine"), ("key", "taken"))
    recorded.rows["find_ids"] = [{"n": 2, "id": "owner"}, {"n": 1, "id": "a"}]
    changes = (change(put("zone", "a", claims=claims)), change(put("zone", "b", claims=(("key", "free"),))))
    refused = await explained(recorded, Missed(values=True), *changes)
    # asked in their order: free, mine, taken
    assert given(recorded) == {
        "find_ids": [("shop", "zone", "key", "free"), ("shop", "zone", "key", "mine"), ("shop", "zone", "key", "taken")]
    }
    assert list(refused) == [0, 1]
    assert told([refused[0]]) == [
        (
            DuplicateField,
            {"field": "key", "duplicateValue": "mine", "conflictingResource": {"typeId": "zone", "id": "owner"}},
        )
    ]
    assert refused[1].fields["conflictingResource"] == {"typeId": "zone", "id": "a"}


async def test_who_owns_a_value_himself_is_not_refused_for_it() -> None:
    recorded = Recorded()
    recorded.rows["find_ids"] = [{"n": 1, "id": "a"}]
    wanted = change(put("zone", "a", claims=(("key", "k"),)))
    assert await explained(recorded, Missed(values=True), wanted) == {}


async def test_an_id_that_is_there_already_is_a_conflict_for_who_would_make_it() -> None:
    recorded = Recorded()
    recorded.rows["zone.find_present"] = [row("a"), row("updated")]
    changes = (change(put("zone", "a")), change(put("zone", "b")), change(put("zone", "updated", 1)))
    elsewhere = change(put("zone", "a"), project="another")
    refused = await explained(recorded, Missed(kinds=frozenset({"zone"})), *changes, elsewhere)
    assert given(recorded) == {"zone.find_present": [("another", "a"), ("shop", "a"), ("shop", "b")]}
    expected = ConcurrentModification("a", 0, 1)
    assert list(refused) == [0]
    assert (refused[0].message, refused[0].fields) == (expected.message, expected.fields)


async def test_kinds_are_asked_for_in_their_order_and_only_those_that_missed() -> None:
    recorded = Recorded()
    batch = change(put("zone", "z"), put("channel", "c"), put("store", "s"))
    assert await explained(recorded, Missed(kinds=frozenset({"zone", "channel"})), batch) == {}
    assert given(recorded) == {"channel.find_present": [("shop", "c")], "zone.find_present": [("shop", "z")]}
    assert [part.name for part in recorded.parts] == ["channel.find_present", "zone.find_present"]


async def test_a_key_that_is_taken_is_named_to_its_client_alone() -> None:
    recorded = Recorded()
    recorded.rows["find_replies"] = [{"project": "shop", "client_id": "client", "key": "k"}]
    keys = [("client", "k"), ("client", "free"), ("another", "k")]
    changes = [change(put("zone", n), reply=Reply(*key, b"f", 201)) for n, key in zip("abc", keys, strict=True)]
    refused = await explained(recorded, Missed(replies=True), *changes, change(put("zone", "d")))
    assert given(recorded) == {
        "find_replies": [("shop", "another", "k"), ("shop", "client", "free"), ("shop", "client", "k")]
    }
    assert list(refused) == [0]
    assert (type(refused[0]), str(refused[0])) == (IdempotencyKeyTaken, str(IdempotencyKeyTaken("k")))


async def test_where_nothing_was_missed_nothing_is_asked() -> None:
    recorded = Recorded()
    assert await explained(recorded, Missed(), CLAIMING) == {}
    assert recorded.parts == []
