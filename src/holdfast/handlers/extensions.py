"""The extensions of each project, kept ready to be called until one of them changes."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from holdfast.commerce.predicates.binding import bind
from holdfast.commerce.predicates.paging import Paging
from holdfast.commerce.predicates.parser import parse
from holdfast.commerce.predicates.tree import Predicate
from holdfast.commerce.registry import REGISTRY
from holdfast.commerce.resources.extension.actions import TRIGGERED
from holdfast.commerce.resources.extension.shape import (
    EXTENSIONS_MAX,
    TIMEOUT_MILLISECONDS,
    AuthorizationHeader,
    AzureFunctions,
    Extension,
    HttpDestination,
    extensions,
    secrets,
)
from holdfast.outbound.client import Client
from holdfast.outbound.destination import Destination
from holdfast.store.search import Search
from holdfast.store.store import Store

# Other hosts learn of a change within this time; processes of this one at once.
KEPT_SECONDS = 30.0
PROJECTS_MAX = 10_000
# Times they are read for one request, while they keep changing.
READS_MAX = 4
CONNECT_SECONDS_MAX = 1.0
ANSWER_BYTES_MAX = 1024 * 1024
# Calls to one extension at once in a process, and those that wait for one of them to end.
IN_FLIGHT_MAX = 32
QUEUE_MAX = 64


class Known(NamedTuple):
    """An extension ready to be called: under one of these conditions, there, with these headers."""

    extension: Extension
    conditions: tuple[Predicate | None, ...]
    destination: Destination
    headers: tuple[tuple[str, str], ...]


Triggered = Mapping[tuple[str, str], tuple[Known, ...]]


class Kept(NamedTuple):
    """What a project's extensions were at an epoch."""

    slot: int
    epoch: int
    until: float
    triggered: Triggered


class Extensions:
    """The extensions of all projects, as far as they were asked for, and the client that calls them."""

    def __init__(self, store: Store, client: Client) -> None:
        self._store = store
        self.client = client
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._reading: dict[str, asyncio.Future[Kept]] = {}

    async def triggered(self, project: str, kind: str, action: str) -> Sequence[Known]:
        """The extensions of a project that a change of this kind triggers."""
        kept = self._kept.get(project)
        if kept is None or not self._is_current(kept):
            kept = await self._current(project)
        return kept.triggered.get((kind, action), ())

    def _is_current(self, kept: Kept) -> bool:
        return self._store.epochs.read(kept.slot) == kept.epoch and time.monotonic() < kept.until

    async def _current(self, project: str) -> Kept:
        """Read them, one for all who ask at the same time; again for who came after the next change."""
        for _ in range(READS_MAX - 1):
            kept = await self._read_once(project)
            if self._is_current(kept):
                return kept
        return await self._read_once(project)

    async def _read_once(self, project: str) -> Kept:
        reading = self._reading.get(project)
        if reading is None:
            reading = self._reading[project] = asyncio.ensure_future(self._read(project))
            reading.add_done_callback(lambda _: self._reading.pop(project, None))
        return await asyncio.shield(reading)

    async def _read(self, project: str) -> Kept:
        slot = self._store.epochs.slot(project, extensions.name)
        epoch = self._store.epochs.read(slot)
        page = Paging(limit=EXTENSIONS_MAX, with_total=False)
        found = await self._store.search(Search(extensions.name, project, None, (), page))
        listed = sorted(
            (document.resource for document in found.documents), key=lambda each: (each.created_at, each.id)
        )
        known = [found_one for each in listed if (found_one := await self._known(project, each)) is not None]
        triggered = {
            (kind, action): ready
            for kind in TRIGGERED
            for action in ("Create", "Update")
            if (ready := tuple(_ready(known, kind, action)))
        }
        kept = self._kept[project] = Kept(slot, epoch, time.monotonic() + KEPT_SECONDS, triggered)
        self._kept.move_to_end(project)
        if len(self._kept) > PROJECTS_MAX:
            self._kept.popitem(last=False)
        return kept

    async def _known(self, project: str, extension: Extension) -> Known | None:
        secret = await self._store.get(secrets.name, project, extension.id)
        if secret is None:
            return None  # deleted while we read
        destination = secret.resource.destination
        assert isinstance(destination, HttpDestination), "no other kind is let in"
        seconds = (extension.timeout_in_ms or TIMEOUT_MILLISECONDS) / 1_000
        called = Destination(
            f"{project} extension {extension.key or extension.id}",
            destination.url,
            connect_seconds=min(CONNECT_SECONDS_MAX, seconds),
            total_seconds=seconds,
            in_flight_max=IN_FLIGHT_MAX,
            queue_max=QUEUE_MAX,
            answer_bytes_max=ANSWER_BYTES_MAX,
        )
        return Known(extension, (), called, _headers(destination))


def _headers(destination: HttpDestination) -> tuple[tuple[str, str], ...]:
    usual = (("Content-Type", "application/json; charset=utf-8"), ("Accept", "application/json"))
    match destination.authentication:
        case AuthorizationHeader(header_value=value):
            return (*usual, ("Authorization", value))
        case AzureFunctions(key=key):
            return (*usual, ("x-functions-key", key))
        case None:
            return usual


def _ready(known: Sequence[Known], kind: str, action: str) -> list[Known]:
    shape = REGISTRY[kind]
    ready = []
    for each in known:
        triggers = [
            trigger
            for trigger in each.extension.triggers
            if trigger.resource_type_id == kind and action in trigger.actions
        ]
        if triggers:
            texts = [trigger.condition for trigger in triggers]
            bound = tuple(
                bind(parse(text), shape.query_shape, extra=shape.query_fields) if text else None for text in texts
            )
            ready.append(each._replace(conditions=bound))
    return ready
