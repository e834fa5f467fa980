"""API Extensions: whoever asked for it is asked before a change is made, outside of any transaction.

A change is decided, told to the extensions it triggers, and decided again with the actions they add, as
if the client had sent them. Only then it is committed; the committer knows nothing of it, and no row is
locked while we wait. See docs/decisions/extensions.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, TypeVar

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
from holdfast.commerce.registry import Changed, Resource
from holdfast.commerce.resources.extension.actions import TRIGGERED
from holdfast.commerce.resources.extension.shape import Extension
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
from holdfast.handlers.extensions import Known
from holdfast.handlers.work import Work
from holdfast.outbound.client import Client
from holdfast.outbound.destination import Request, Response
from holdfast.outbound.errors import AnswerTooLarge, BrokenAnswer, OutboundError

C = TypeVar("C", bound=Changed[Any])
# A decision about a request, with actions beyond those the client sent.
Decision = Callable[[Facts, tuple[Any, ...]], C]


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
            return tuple(decode(self._kind.update_decoder(), actions_body(actions), absent_nulls=True).actions)
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
