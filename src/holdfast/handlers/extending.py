"""API Extensions: whoever asked for it is asked before a change is made, outside of any transaction.

A change is decided, told to the extensions it triggers, and decided again with the actions they add, as
if the client had sent them. Only then it is committed; the committer knows nothing of it, and no row is
locked while we wait. See docs/decisions/extensions.md.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from structlog.contextvars import get_contextvars

from holdfast.base.errors import (
    ApiError,
    ExtensionBadResponse,
    ExtensionNoResponse,
    ExtensionUpdateActionsFailed,
    RefusedByExtension,
)
from holdfast.base.log import log
from holdfast.base.outside import outside
from holdfast.commerce.facts import ByField, ById, Facts
from holdfast.commerce.predicates.binding import bind
from holdfast.commerce.predicates.paging import Paging
from holdfast.commerce.predicates.parser import parse
from holdfast.commerce.predicates.tree import Predicate
from holdfast.commerce.registry import REGISTRY, Changed, Resource
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
from holdfast.commerce.rules.extending import (
    Accepted,
    Refused,
    Unusable,
    Verdict,
    actions_body,
    call_body,
    is_meant,
    named,
    passed_on,
    shown,
    verdict_of,
    waves,
)
from holdfast.commerce.values.value import Stored, encode
from holdfast.handlers.decode import decode
from holdfast.handlers.expand import expand
from holdfast.handlers.work import Work
from holdfast.outbound.client import Client
from holdfast.outbound.destination import Destination, Request, Response
from holdfast.outbound.errors import AnswerTooLarge, BrokenAnswer, OutboundError
from holdfast.store.search import Search
from holdfast.store.store import Store

C = TypeVar("C", bound=Changed[Any])
# A decision about a request, with actions beyond those the client sent.
Decision = Callable[[Facts, tuple[Any, ...]], C]

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


async def decided(
    work: Work,
    kind: Resource[Any],
    before: Stored | None,
    decision: Decision[C],
    *,
    like: str = "",
    hints: Sequence[ById | ByField] = (),
) -> C:
    """What a change comes to, once the extensions it triggers have had their say. See Work.decide.

    Raises RefusedByExtension, ExtensionNoResponse, ExtensionBadResponse, ExtensionUpdateActionsFailed.
    """
    changed = await work.decide(lambda facts: decision(facts, ()), like=like, hints=hints)
    if work.extensions is None or kind.name not in TRIGGERED or changed.resource is before:
        return changed
    action = "Create" if before is None else "Update"
    known = await work.extensions.triggered(work.caller.project, kind.name, action)
    if not known:
        return changed
    asking = Asking(work, work.extensions.client, kind, before, decision)
    return await asking.extended(changed, known)


class Asking(Generic[C]):
    """One change and those who are asked about it."""

    def __init__(
        self,
        work: Work,
        client: Client,
        kind: Resource[Any],
        before: Stored | None,
        decision: Decision[C],
    ) -> None:
        self._work = work
        self._client = client
        self._kind = kind
        self._before = before
        self._action: Literal["Create", "Update"] = "Create" if before is None else "Update"
        self._decision = decision

    async def extended(self, changed: C, known: Sequence[Known]) -> C:
        """The change with what the extensions add; each sees what those it depends on have added."""
        by_id = {each.extension.id: each for each in known}
        actions: tuple[Any, ...] = ()
        for wave in waves([each.extension for each in known]):
            body = encode(changed.resource)
            meant = [by_id[each.id] for each in wave if is_meant(by_id[each.id].conditions, body)]
            bodies = [await self._body(each.extension, changed.resource) for each in meant]
            with outside():
                asked = [self._asked(each, body) for each, body in zip(meant, bodies, strict=True)]
                answers = await asyncio.gather(*asked, return_exceptions=True)
            for each, answer in zip(meant, answers, strict=True):
                if isinstance(answer, BaseException):
                    raise answer
                if answer:
                    changed, actions = await self._with(each.extension, changed, actions, answer)
        return changed

    async def _body(self, extension: Extension, resource: Stored) -> bytes:
        old = None
        wants_old = extension.additional_context is not None and extension.additional_context.include_old_resource
        if wants_old and self._before is not None:
            old = await expand(self._work, self._before, extension.expansion_paths)
        body = await expand(self._work, resource, extension.expansion_paths)
        return call_body(self._action, self._kind.name, resource.id, body, old)

    async def _asked(self, known: Known, body: bytes) -> tuple[Any, ...]:
        """The actions an extension adds; nothing where it does not answer and need not."""
        try:
            return await self._answered(known, body)
        except (ExtensionNoResponse, ExtensionBadResponse) as problem:
            if known.extension.fallback == "FailClosed":
                raise
            _passed_over(known.extension, problem)
            return ()

    async def _answered(self, known: Known, body: bytes) -> tuple[Any, ...]:
        extension = known.extension
        verdicts: list[Verdict] = []

        def judge(response: Response) -> bool:
            verdicts.append(verdict_of(response.status, response.body))
            return not isinstance(verdicts[-1], Unusable)

        correlation = get_contextvars().get("correlation_id")
        headers = known.headers + ((("X-Correlation-ID", str(correlation)),) if correlation else ())
        # Not repeatable: an extension may have charged a card. Only what never left us is said again.
        request = Request("POST", headers, body, attempts_max=2)
        try:
            response = await self._client.send(known.destination, request, judge=judge)
        except (BrokenAnswer, AnswerTooLarge) as problem:
            raise ExtensionBadResponse(str(problem), extension.id, extension.key, status=None, body=None) from None
        except OutboundError as problem:
            raise ExtensionNoResponse(str(problem), extension.id, extension.key) from None
        match verdicts[-1]:
            case Accepted(actions=actions):
                return self._understood(extension, response, actions)
            case Refused() as refused:
                raise RefusedByExtension(passed_on(extension, refused))
            case Unusable(why=why):
                raise _bad(extension, response, why)

    def _understood(self, extension: Extension, response: Response, actions: Sequence[Any]) -> tuple[Any, ...]:
        if not actions:
            return ()
        try:
            return tuple(decode(self._kind.update_decoder(), actions_body(actions)).actions)
        except ApiError as problem:
            raise _bad(extension, response, str(problem.fields.get("detailedErrorMessage", problem.message))) from None

    async def _with(
        self, extension: Extension, changed: C, actions: tuple[Any, ...], more: tuple[Any, ...]
    ) -> tuple[C, tuple[Any, ...]]:
        """The change with what one extension adds to what those before it have added."""
        wanted = (*actions, *more)
        try:
            return await self._work.decide(lambda facts: self._decision(facts, wanted)), wanted
        except ApiError as problem:
            if extension.fallback == "FailOpen":
                _passed_over(extension, problem)
                return changed, actions
            entry = {"code": problem.code, "message": problem.message, **named(extension)}
            raise ExtensionUpdateActionsFailed([entry]) from None


def _bad(extension: Extension, response: Response, why: str) -> ExtensionBadResponse:
    return ExtensionBadResponse(why, extension.id, extension.key, status=response.status, body=shown(response.body))


def _passed_over(extension: Extension, problem: ApiError) -> None:
    log.warning("extension.passed_over", extension=extension.id, code=problem.code, problem=problem.message)
