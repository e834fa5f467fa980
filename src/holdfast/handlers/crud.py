"""Create, read, update, delete and query: once, for every registered resource type."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from holdfast.base.errors import ConcurrentModification, InvalidInput, ResourceNotFound
from holdfast.commerce.facts import ByField, ById
from holdfast.commerce.predicates.binding import bind
from holdfast.commerce.predicates.paging import Paging, paging, sort_keys
from holdfast.commerce.predicates.parser import parse, parse_all
from holdfast.commerce.predicates.tree import And, Predicate
from holdfast.commerce.registry import Changed, Resource
from holdfast.commerce.values.value import Stored
from holdfast.commerce.visibility import View
from holdfast.handlers.endpoints import Answer, Request
from holdfast.handlers.expand import expand
from holdfast.handlers.extending import Decision, decided
from holdfast.handlers.references import referenced
from holdfast.handlers.work import Work
from holdfast.store.reader import Document
from holdfast.store.search import Search

# Decisions of one request, while records it does not name keep changing.
ATTEMPTS_MAX = 16
_VERSION = re.compile(r"[0-9]{1,15}")


class Target(NamedTuple):
    """The resource a URL names: by id (no field) or by a unique field such as `key`."""

    value: str
    field: str | None = None

    def missing(self) -> ResourceNotFound:
        if self.field is None:
            return ResourceNotFound.by_id(self.value)
        if self.field == "key":
            return ResourceNotFound.by_key(self.value)
        return ResourceNotFound(f"The Resource with {self.field} '{self.value}' was not found.")


async def create(work: Work, kind: Resource[Any], request: Request) -> Answer:
    """POST to a collection: a draft becomes a resource."""
    draft = work.decode(kind.my_drafts if request.me else kind.drafts, request.body)
    hints = referenced(request.body)
    return await _carried_out(
        work, request, kind, None, lambda facts, more: kind.created(draft, facts, more), hints=hints, created=True
    )


async def read(work: Work, kind: Resource[Any], request: Request, target: Target) -> Answer:
    """GET one resource."""
    document = await find(work, kind, request, target)
    if request.parameters.get("expand") or kind.counted is not None:
        (resource,) = await with_counts(work, kind, [document.resource])
        return Answer(await shown(work, request, resource))
    return Answer(document.body)


async def update(work: Work, kind: Resource[Any], request: Request, target: Target) -> Answer:
    """POST to one resource: apply update actions, all of them or none."""
    wanted = work.decode(kind.update_decoder(my=request.me), request.body)
    before = (await find(work, kind, request, target, ahead=True)).resource
    check_version(before, wanted.version)
    hints = referenced(request.body)
    return await _carried_out(
        work, request, kind, before, lambda facts, more: kind.updated(before, wanted.actions + more, facts), hints=hints
    )


async def delete(work: Work, kind: Resource[Any], request: Request, target: Target) -> Answer:
    """DELETE one resource; its last body is the answer."""
    version = version_parameter(request)
    before = (await find(work, kind, request, target)).resource
    check_version(before, version)
    return await _carried_out(work, request, kind, before, lambda facts, _: kind.deleted(before, facts), delete=True)


async def _carried_out(
    work: Work,
    request: Request,
    kind: Resource[Any],
    before: Stored | None,
    decision: Decision[Changed[Any]],
    *,
    hints: Sequence[ById | ByField] = (),
    delete: bool = False,
    created: bool = False,
) -> Answer:
    """Decide, commit and answer; again where a record changed meanwhile that the request did not name.

    The client named a version of one resource. That another one moved which is changed along with it
    is not his to mend. Raises what Committer.submit raises.
    """
    like = "" if before is None or delete else before.id

    async def attempt(work: Work) -> Answer:
        if delete:
            changed = await work.decide(lambda facts: decision(facts, ()), like=like, hints=hints)
        else:
            changed = await decided(work, kind, before, decision, like=like, hints=hints)
        show = partial(_shown_of, work, request, kind)
        return await work.answer(kind, before, changed, show, delete=delete, created=created)

    for _ in range(ATTEMPTS_MAX - 1):
        try:
            return await attempt(work)
        except ConcurrentModification as conflict:
            if before is not None and conflict.resource_id == before.id:
                raise
        work = work.afresh()
    return await attempt(work)


async def query(work: Work, kind: Resource[Any], request: Request) -> Answer:
    """GET a collection: predicate, order, page."""
    wanted = search_of(work, kind, request)
    found = await work.store.search(wanted)
    documents = await with_counts(work, kind, found.documents)
    bodies = [await shown(work, request, document) for document in documents]
    return Answer(page(bodies, wanted.paging, found.total))


async def any_match(work: Work, kind: Resource[Any], request: Request) -> Answer:
    """HEAD of a collection. Raises ResourceNotFound when no resource matches."""
    return await any_of(work, search_of(work, kind, request))


async def any_of(work: Work, wanted: Search) -> Answer:
    """HEAD of what a search would find. Raises ResourceNotFound when that is nothing."""
    if not await work.store.exists(wanted):
        raise ResourceNotFound("No resource matches.")
    return Answer(b"")


async def find(work: Work, kind: Resource[Any], request: Request, target: Target, *, ahead: bool = False) -> Document:
    """The document a URL names, if this request may see it; ahead: see Work.document. Raises ResourceNotFound."""
    if target.field is None:
        document = await work.document(kind, target.value, ahead=ahead)
    else:
        document = await work.document_by(kind, target.field, target.value)
    if document is None:
        raise target.missing()
    fenced = request.me or request.store_key is not None
    if fenced and not View(work.caller, request.me, request.store_key).shows(kind.name, document.resource):
        raise target.missing()
    return document


def check_version(resource: Stored, version: int) -> None:
    """Optimistic concurrency (I6): the client must have seen the current version."""
    if resource.version != version:
        raise ConcurrentModification(resource.id, version, resource.version)


def version_parameter(request: Request) -> int:
    """The `version` query parameter a deletion needs. Raises InvalidInput."""
    text = request.first("version")
    if text is None or not _VERSION.fullmatch(text):
        raise InvalidInput("Malformed parameter: version: a whole number is required.")
    return int(text)


def search_of(work: Work, kind: Resource[Any], request: Request) -> Search:
    """The search a query request asks for, narrowed to what it may see. Raises InvalidInput."""
    parameters = request.parameters
    return Search(
        kind.name,
        work.caller.project,
        _predicate(work, kind, request),
        sort_keys(parameters.get("sort", ()), kind.query_shape, kind.query_fields),
        paging(request.first("limit"), request.first("offset"), request.first("withTotal")),
    )


def _predicate(work: Work, kind: Resource[Any], request: Request) -> Predicate | None:
    parts = []
    asked = parse_all(request.parameters.get("where", ()))
    if asked is not None:
        variables = {name[4:]: values for name, values in request.parameters.items() if name.startswith("var.")}
        parts.append(bind(asked, kind.query_shape, variables, extra=kind.query_fields))
    view = View(work.caller, request.me, request.store_key).predicate(kind.name)
    if view is not None:
        parts.append(bind(parse(view), kind.query_shape))
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def page(results: list[bytes], asked: Paging, total: int | None) -> bytes:
    """A page body around results that are JSON already."""
    head = f'{{"limit":{asked.limit},"offset":{asked.offset},"count":{len(results)},'
    if total is not None:
        head += f'"total":{total},'
    return head.encode() + b'"results":[' + b",".join(results) + b"]}"


async def with_counts(
    work: Work, kind: Resource[Any], resources: Sequence[Stored | Document]
) -> Sequence[Stored | Document]:
    """Resources with what is counted beside them, as far as the counting has come."""
    if kind.counted is None:
        return resources
    values = [each.resource if isinstance(each, Document) else each for each in resources]
    names = [kind.counted.tally(value) for value in values]
    counts = await asyncio.gather(*(work.store.used(work.caller.project, name) for name in names))
    return [kind.counted.shown(value, used) for value, used in zip(values, counts, strict=True)]


async def _shown_of(work: Work, request: Request, kind: Resource[Any], resource: Stored) -> bytes:
    (counted,) = await with_counts(work, kind, [resource])
    return await shown(work, request, counted)


async def shown(work: Work, request: Request, resource: Stored | Document) -> bytes:
    """A resource as JSON, with its references expanded where the request asks for it."""
    return await expand(work, resource, request.parameters.get("expand", ()))
