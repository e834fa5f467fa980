"""The committer on a real PostgreSQL: each change its own answer, all of a change or nothing of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
from msgspec.structs import replace

from holdfast.base import clock
from holdfast.base.errors import (
    ConcurrentModification,
    DuplicateField,
    OutOfStock,
    OverCapacity,
    PendingOperation,
    ReferencedResourceNotFound,
    ReferenceExists,
    ResourceNotFound,
)
from holdfast.base.ids import uuid7
from holdfast.commerce.messages.message import Message
from holdfast.commerce.registry import Changed, Other
from holdfast.commerce.resources.category import Category, categories
from holdfast.commerce.resources.zone import Zone, zones
from holdfast.commerce.stock import StockMovement
from holdfast.commerce.values.reference import Reference
from holdfast.store.change import Change, change_of
from holdfast.store.store import Store

BUYERS = 100
UNITS = 30


class ZoneTold(Message):
    name: str


def a_zone(name: str = "Europe", key: str | None = None) -> Zone:
    moment = clock.now()
    return Zone(id=uuid7(), version=1, created_at=moment, last_modified_at=moment, name=name, key=key)


def creation(project: str, zone: Zone, **side: object) -> Change:
    return change_of(project, zones, None, Changed(zone, **side))  # type: ignore[arg-type]


def renaming(project: str, zone: Zone, name: str, messages: Sequence[Message] = ()) -> Change:
    return change_of(project, zones, zone, Changed(replace(zone, name=name, version=zone.version + 1), messages))


async def verdicts(store: Store, changes: Sequence[Change]) -> list[BaseException | None]:
    return list(await asyncio.gather(*map(store.commit, changes), return_exceptions=True))


async def stored(store: Store, project: str, zone: Zone) -> Zone | None:
    document = await store.get("zone", project, zone.id)
    return document.resource if document else None


async def test_concurrent_changes_share_transactions(store: Store, project: str) -> None:
    before = await store.database.fetchrow("SELECT pg_current_xact_id()::text::bigint AS number")
    await asyncio.gather(*(store.commit(creation(project, a_zone())) for _ in range(200)))
    after = await store.database.fetchrow("SELECT pg_current_xact_id()::text::bigint AS number")
    assert before is not None
    assert after is not None
    assert after["number"] - before["number"] < 20


async def test_a_stale_version_is_refused_and_its_neighbours_commit(store: Store, project: str) -> None:
    first, second = a_zone(), a_zone()
    await verdicts(store, [creation(project, first), creation(project, second)])
    newer = renaming(project, first, "newer")
    await store.commit(newer)
    answers = await verdicts(store, [renaming(project, first, "stale"), renaming(project, second, "fresh")])
    assert isinstance(answers[0], ConcurrentModification)
    assert answers[0].fields["currentVersion"] == 2
    assert answers[1] is None
    assert (found := await stored(store, project, first)) is not None
    assert found.name == "newer"


async def test_only_one_of_many_updates_of_a_version_wins(store: Store, project: str) -> None:
    zone = a_zone()
    await store.commit(creation(project, zone))
    answers = await verdicts(store, [renaming(project, zone, f"writer {n}") for n in range(50)])
    assert answers.count(None) == 1
    assert sum(isinstance(answer, ConcurrentModification) for answer in answers) == 49


async def test_a_key_belongs_to_the_first_who_asks(store: Store, project: str) -> None:
    answers = await verdicts(store, [creation(project, a_zone(key="europe")) for _ in range(20)])
    assert answers.count(None) == 1
    refused = [answer for answer in answers if isinstance(answer, DuplicateField)]
    assert len(refused) == 19
    assert refused[0].fields["field"] == "key"
    assert refused[0].fields["duplicateValue"] == "europe"
    assert refused[0].fields["conflictingResource"]["typeId"] == "zone"


async def test_a_key_given_up_is_free_again(store: Store, project: str) -> None:
    zone = a_zone(key="europe")
    await store.commit(creation(project, zone))
    await store.commit(change_of(project, zones, zone, Changed(replace(zone, key="asia", version=2))))
    await store.commit(creation(project, a_zone(key="europe")))
    document = await store.find("zone", project, "key", "asia")
    assert document is not None
    assert document.resource.id == zone.id


@pytest.mark.parametrize("gone", [True, False], ids=["with its owner", "by its owner"])
async def test_a_key_asked_for_just_before_it_is_given_up_has_one_owner(store: Store, project: str, gone: bool) -> None:
    owner, heir = a_zone(key="europe"), a_zone(key="europe")
    await store.commit(creation(project, owner))
    given_up = (
        change_of(project, zones, owner, Changed(owner), delete=True)
        if gone
        else change_of(project, zones, owner, Changed(replace(owner, key=None, version=2)))
    )
    assert await verdicts(store, [creation(project, heir), given_up]) == [None, None]
    found = await store.find("zone", project, "key", "europe")
    assert found is not None
    assert found.resource.id == heir.id
    (refused,) = await verdicts(store, [creation(project, a_zone(key="europe"))])
    assert isinstance(refused, DuplicateField)


async def test_the_same_key_in_two_projects_is_two_keys(store: Store, project: str) -> None:
    answers = await verdicts(store, [creation(project, a_zone(key="k1")), creation(f"{project}-2", a_zone(key="k1"))])
    assert answers == [None, None]


async def stocked(store: Store, project: str, units: int) -> str:
    """An inventory entry's counters, without the entry: the committer does not mind."""
    entry_id = uuid7()
    await store.database.execute(
        "INSERT INTO stock (project, entry_id, on_stock) VALUES ($1, $2, $3)", project, entry_id, units
    )
    return entry_id


async def available(store: Store, project: str, entry_id: str) -> int:
    row = await store.database.fetchrow(
        "SELECT available FROM stock WHERE project = $1 AND entry_id = $2", project, entry_id
    )
    assert row is not None
    found: int = row["available"]
    return found


async def test_no_unit_is_sold_twice(store: Store, project: str) -> None:
    entry_id = await stocked(store, project, UNITS)
    reserve = StockMovement("reserve", entry_id, 1, "SKU", "line")
    answers = await verdicts(store, [creation(project, a_zone(), stock=(reserve,)) for _ in range(BUYERS)])
    assert answers.count(None) == UNITS
    assert sum(isinstance(answer, OutOfStock) for answer in answers) == BUYERS - UNITS
    assert await available(store, project, entry_id) == 0


async def test_whoever_clashes_keeps_neither_stock_nor_a_version_from_those_behind(store: Store, project: str) -> None:
    """On paper the first would commit; that its key is taken shows when it is written."""
    entry_id, zone = await stocked(store, project, 1), a_zone()
    reserve = StockMovement("reserve", entry_id, 1, "SKU", "line")
    await verdicts(store, [creation(project, a_zone(key="taken")), creation(project, zone)])
    first, buyer, renamed, late = await verdicts(
        store,
        [
            change_of(project, zones, zone, Changed(replace(zone, key="taken", version=2), stock=(reserve,))),
            creation(project, a_zone(), stock=(reserve,)),
            renaming(project, zone, "newer"),
            creation(project, a_zone(), stock=(reserve,)),
        ],
    )
    assert isinstance(first, DuplicateField)
    assert (buyer, renamed) == (None, None)
    assert isinstance(late, OutOfStock)


async def test_an_order_of_several_units_is_refused_whole(store: Store, project: str) -> None:
    plenty, scarce = await stocked(store, project, 10), await stocked(store, project, 1)
    wanted = (StockMovement("reserve", plenty, 5, "A", "a"), StockMovement("reserve", scarce, 2, "B", "b"))
    zone = a_zone()
    (answer,) = await verdicts(store, [creation(project, zone, stock=wanted)])
    assert isinstance(answer, OutOfStock)
    assert answer.fields == {"lineItems": ["b"], "skus": ["B"]}
    assert await available(store, project, plenty) == 10
    assert await stored(store, project, zone) is None


async def test_the_table_refuses_an_unguarded_oversale(store: Store, project: str) -> None:
    entry_id = await stocked(store, project, 1)
    with pytest.raises(asyncpg.CheckViolationError):
        await store.database.execute(
            "UPDATE stock SET reserved = 2 WHERE project = $1 AND entry_id = $2", project, entry_id
        )


async def test_tracked_stock_may_fall_below_zero_and_recovers(store: Store, project: str) -> None:
    entry_id = await stocked(store, project, 1)
    await store.commit(creation(project, a_zone(), stock=(StockMovement("track", entry_id, 3),)))
    assert await available(store, project, entry_id) == -2
    (answer,) = await verdicts(
        store, [creation(project, a_zone(), stock=(StockMovement("reserve", entry_id, 1, "S", "l"),))]
    )
    assert isinstance(answer, OutOfStock)
    await store.commit(creation(project, a_zone(), stock=(StockMovement("count", entry_id, 5),)))
    assert await available(store, project, entry_id) == 5


async def test_messages_number_a_resource_without_gaps(store: Store, project: str) -> None:
    zone = a_zone()
    await store.commit(change_of(project, zones, None, Changed(zone, (ZoneTold(name="a"), ZoneTold(name="b")))))
    await store.commit(renaming(project, zone, "c", (ZoneTold(name="c"),)))
    await verdicts(store, [renaming(project, zone, "lost", (ZoneTold(name="never"),))])
    rows = await store.database.fetch(
        "SELECT sequence_number, resource_version, type FROM outbox WHERE project = $1 ORDER BY position", project
    )
    assert [tuple(row) for row in rows] == [(1, 1, "ZoneTold"), (2, 1, "ZoneTold"), (3, 2, "ZoneTold")]


def a_category(parent: Category | None = None) -> Category:
    moment = clock.now()
    return Category(
        id=uuid7(),
        version=1,
        created_at=moment,
        last_modified_at=moment,
        name={"en": "x"},
        slug={"en": uuid7()},
        order_hint="0.5",
        parent=Reference(type_id="category", id=parent.id) if parent else None,
    )


async def test_what_is_pointed_at_cannot_be_deleted(store: Store, project: str) -> None:
    parent = a_category()
    child = a_category(parent)
    await store.commit(change_of(project, categories, None, Changed(parent)))
    await store.commit(change_of(project, categories, None, Changed(child)))
    gone = change_of(project, categories, parent, Changed(parent), delete=True)
    (answer,) = await verdicts(store, [gone])
    assert isinstance(answer, ReferenceExists)
    await store.commit(change_of(project, categories, child, Changed(child), delete=True))
    await store.commit(gone)
    assert await store.get("category", project, parent.id) is None


async def test_nothing_ever_points_at_nothing(store: Store, postgres: str, project: str) -> None:
    """Two processes race: one deletes the parent, the other adds a child. One of them must lose."""
    other = Store(postgres)
    await other.open()
    try:
        for _ in range(25):
            parent = a_category()
            await store.commit(change_of(project, categories, None, Changed(parent)))
            child = change_of(project, categories, None, Changed(a_category(parent)))
            gone = change_of(project, categories, parent, Changed(parent), delete=True)
            added, deleted = await asyncio.gather(store.commit(child), other.commit(gone), return_exceptions=True)
            assert (added is None) != (deleted is None), (added, deleted)
            loser = added if deleted is None else deleted
            assert isinstance(loser, ReferenceExists | ReferencedResourceNotFound)
    finally:
        await other.close()


async def test_deleting_what_is_gone_is_not_found(store: Store, project: str) -> None:
    zone = a_zone()
    gone = change_of(project, zones, zone, Changed(zone), delete=True)
    (answer,) = await verdicts(store, [gone])
    assert isinstance(answer, ResourceNotFound)


async def test_a_change_the_database_cannot_store_harms_nobody(store: Store, project: str) -> None:
    healthy = [a_zone() for _ in range(10)]
    sick = creation(project, a_zone(name="x"))
    sick = sick._replace(puts=[sick.puts[0]._replace(query=b'{"name": not json}')])
    answers = await verdicts(store, [*(creation(project, zone) for zone in healthy), sick])
    assert answers[:10] == [None] * 10
    assert answers[10] is not None
    for zone in healthy:
        assert await stored(store, project, zone) is not None


async def test_others_commit_with_the_resource_or_not_at_all(store: Store, project: str) -> None:
    first, second = a_zone(), a_zone(key="taken")
    await store.commit(creation(project, second))
    third = a_zone(key="taken")
    (answer,) = await verdicts(store, [creation(project, first, others=(Other(zones, None, third),))])
    assert isinstance(answer, DuplicateField)
    assert await stored(store, project, first) is None


# --- a connection that breaks at COMMIT ---------------------------------------------------


class CutAtCommit:
    """A proxy in front of PostgreSQL's socket that forwards COMMIT and then hangs up, or hangs up instead."""

    def __init__(self, upstream: Path, folder: Path, *, forward: bool) -> None:
        self._upstream = upstream
        self._folder = folder
        self._forward = forward
        self.cuts_left = 1
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, self._folder / self._upstream.name)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(str(self._upstream))
        back = asyncio.create_task(self._pump(up_reader, writer))
        while chunk := await reader.read(65536):
            if re.search(rb"Q....COMMIT\0", chunk, re.DOTALL) and self.cuts_left:
                self.cuts_left -= 1
                if self._forward:
                    back.cancel()
                    up_writer.write(chunk)
                    await up_writer.drain()
                    await up_reader.readuntil(b"COMMIT\0")
                break
            up_writer.write(chunk)
            await up_writer.drain()
        back.cancel()
        up_writer.close()
        writer.close()

    @staticmethod
    async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        writer.close()


def socket_of(dsn: str) -> Path:
    """The Unix socket behind a connection address."""
    folder = Path(parse_qs(urlsplit(dsn).query)["host"][0])
    return next(path for path in folder.iterdir() if re.fullmatch(r"\.s\.PGSQL\.\d+", path.name))


@pytest.mark.parametrize("forward", [True, False], ids=["answer lost", "question lost"])
async def test_a_commit_whose_answer_was_lost_is_settled(
    store: Store, postgres: str, project: str, tmp_path: Path, *, forward: bool
) -> None:
    socket = socket_of(postgres)
    async with CutAtCommit(socket, tmp_path, forward=forward) as proxy:
        behind = Store(postgres.replace(str(socket.parent), str(tmp_path)))
        await behind.open()
        zone = a_zone()
        await behind.commit(creation(project, zone))
        assert proxy.cuts_left == 0
        await behind.close()
    assert await stored(store, project, zone) == zone


async def test_a_commit_nobody_can_ask_about_is_unknown_not_refused(
    store: Store, postgres: str, project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_fate: str) -> bool:
        raise asyncpg.DiskFullError

    socket = socket_of(postgres)
    async with CutAtCommit(socket, tmp_path, forward=True):
        behind = Store(postgres.replace(str(socket.parent), str(tmp_path)))
        await behind.open()
        monkeypatch.setattr(behind._committer, "_settle_fate", full)
        zone = a_zone()
        with pytest.raises(PendingOperation):
            await behind.commit(creation(project, zone))
        await behind.close()
    assert await stored(store, project, zone) == zone


async def test_what_was_not_begun_in_time_never_happens(
    store: Store, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = a_zone()
    monkeypatch.setattr("holdfast.store.committer.BATCH_SECONDS_MAX", -1.0)
    (answer,) = await verdicts(store, [creation(project, zone)])
    assert isinstance(answer, OverCapacity)
    assert await stored(store, project, zone) is None


async def test_who_was_overtaken_is_not_answered_from_what_was_kept(store: Store, project: str) -> None:
    zone = a_zone()
    await store.commit(creation(project, zone))
    slot = store.epochs.slot(project, "zone")
    before = store.epochs.read(slot)
    (answer,) = await verdicts(store, [renaming(project, replace(zone, version=7), "stale")])
    assert isinstance(answer, ConcurrentModification)
    assert store.epochs.read(slot) != before
