"""Every resource of every type against what is kept beside it: versions, values, references, messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
import zstandard

from holdfast.commerce.registry import REGISTRY
from holdfast.commerce.values.value import encode
from holdfast.store.audit.check import NO_REPAIR, Check, Finding, Place, Walk
from holdfast.store.audit.reading import FIRST_ID, Reading
from holdfast.store.bodies import unpacked
from holdfast.store.constraints import claims_of, pointers_of

DAMAGED = Check(
    "body-damaged",
    "I1",
    "A resource cannot be read: its bytes do not unpack, or are no document of its type.",
    NO_REPAIR + "restore this resource from a backup; look after the disk (`holdfast doctor`).",
)
VERSION = Check(
    "version",
    "I6",
    "A resource says another id or version than the row it lies in.",
    NO_REPAIR + "find out who wrote past the API; the row's version is what clients are checked against.",
)
SEARCHABLE = Check(
    "searchable",
    "I6",
    "Queries see something else than what is served.",
    NO_REPAIR + "any update of the resource through the API makes both anew.",
)
VALUE_MISSING = Check(
    "unique-value-missing",
    "I2",
    "A resource has a unique value (key, SKU, order number …) that is not its own in the register.",
    "claim the value for the resource",
    mends=True,
)
VALUE_STALE = Check(
    "unique-value-stale",
    "I2",
    "The register says a resource owns a value it does not have; nobody else can take it.",
    NO_REPAIR + "set the value on the resource and remove it again, through the API.",
)
REFERENCE_MISSING = Check(
    "reference-missing",
    "I2",
    "A resource points at another that is not kept from being deleted.",
    NO_REPAIR + "set the reference anew through the API.",
)
SEQUENCE = Check(
    "message-numbers",
    "I5",
    "The messages of a resource are not numbered 1, 2, 3 … up to the number it stands at.",
    NO_REPAIR + "consumers must read the resource anew; its messages are not whole.",
)
CHECKS = (DAMAGED, VERSION, SEARCHABLE, VALUE_MISSING, VALUE_STALE, REFERENCE_MISSING, SEQUENCE)


class Document(NamedTuple):
    """A stored resource as found, and the value its body is."""

    kind: str
    id: str
    version: int
    sequence_number: int
    query: str
    body: bytes
    resource: Any

    @property
    def place(self) -> Place:
        return (self.id,)


# What a type's documents are asked beyond what all are asked.
Further = Callable[[Reading, Sequence[Document]], Awaitable[Sequence[Finding]]]


def walk(kind: str, further: Mapping[str, tuple[Sequence[Check], Further]]) -> Walk:
    """The walk through the documents of a type."""
    checks, more = further.get(kind, ((), None))
    return Walk(f"{kind} documents", (*CHECKS, *checks), (FIRST_ID,), partial(_page, kind), partial(_look, kind, more))


async def _page(kind: str, reading: Reading, after: Place, limit: int) -> list[Place]:
    return [(row["id"],) for row in await reading.rows("page_of_documents", after[0], limit, kind=kind)]


async def _look(kind: str, further: Further | None, reading: Reading, places: Sequence[Place]) -> list[Finding]:
    documents, findings = await read(reading, kind, [place[0] for place in places])
    findings += [finding for document in documents for finding in _alone(reading.project, document)]
    findings += await _values(reading, kind, documents)
    findings += await _references(reading, kind, documents)
    findings += await _messages(reading, kind, documents)
    if further is not None:
        findings += await further(reading, documents)
    return findings


async def read(reading: Reading, kind: str, ids: Sequence[str]) -> tuple[list[Document], list[Finding]]:
    """The documents that can be read, and a finding for each that cannot."""
    documents: list[Document] = []
    damaged: list[Finding] = []
    for row in await reading.rows("documents", list(ids), kind=kind):
        try:
            body = unpacked(row["body"])
            resource = REGISTRY[kind].decode(body)
        except (zstandard.ZstdError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            damaged.append(DAMAGED.found(reading.project, kind, row["id"], (row["id"],), str(error)[:200]))
            continue
        version, sequence_number = row["version"], row["sequence_number"]
        documents.append(Document(kind, row["id"], version, sequence_number, row["query"], body, resource))
    return documents, damaged


def _alone(project: str, document: Document) -> Iterator[Finding]:
    """What a document's row says of itself."""
    kind, resource = REGISTRY[document.kind], document.resource
    if (resource.id, resource.version) != (document.id, document.version):
        detail = f"row says {document.id} version {document.version}, body {resource.id} version {resource.version}"
        yield VERSION.found(project, document.kind, document.id, document.place, detail)
    expected = encode(kind.searchable(resource)) if kind.searchable else document.body
    seen, wanted = msgspec.json.decode(document.query), msgspec.json.decode(expected)
    if seen != wanted:
        detail = f"differs in {', '.join(_differing(seen, wanted))}"
        yield SEARCHABLE.found(project, document.kind, document.id, document.place, detail)


def _differing(seen: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in {*seen, *wanted} if seen.get(name) != wanted.get(name))


async def _values(reading: Reading, kind: str, documents: Sequence[Document]) -> list[Finding]:
    """Unique values, in the documents and in the register."""
    ids = [document.id for document in documents]
    registered: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in await reading.rows("claims_of_documents", kind, ids):
        registered[row["id"]].add((row["field"], row["value"]))
    findings: list[Finding] = []
    missing: list[tuple[Document, tuple[str, str]]] = []
    for document in documents:
        wanted = set(claims_of(REGISTRY[kind], document.resource))
        missing += [(document, claim) for claim in sorted(wanted - registered[document.id])]
        for field, value in sorted(registered[document.id] - wanted):
            detail = f"{field} = {value}"
            findings.append(VALUE_STALE.found(reading.project, kind, document.id, document.place, detail))
    return findings + await _missing_values(reading, kind, missing)


async def _missing_values(
    reading: Reading, kind: str, missing: Sequence[tuple[Document, tuple[str, str]]]
) -> list[Finding]:
    if not missing:
        return []
    fields, values = zip(*(claim for _, claim in missing), strict=True)
    rows = await reading.rows("owners_of_values", kind, list(fields), list(values))
    owners = {(row["field"], row["value"]): row["id"] for row in rows}
    findings = []
    for document, claim in missing:
        owner = owners.get(claim)
        remedy = f"{NO_REPAIR}change it on one of the two, {owner} or {document.id}." if owner else ""
        detail = f"{claim[0]} = {claim[1]} " + (f"belongs to {owner} as well" if owner else "belongs to nobody")
        findings.append(VALUE_MISSING.found(reading.project, kind, document.id, document.place, detail, remedy=remedy))
    return findings


async def _references(reading: Reading, kind: str, documents: Sequence[Document]) -> list[Finding]:
    if not REGISTRY[kind].holds:
        return []
    rows = await reading.rows("pointers_of_documents", kind, [document.id for document in documents])
    known: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in rows:
        known[row["id"]].add((row["target_kind"], row["target_id"]))
    return [
        REFERENCE_MISSING.found(reading.project, kind, document.id, document.place, f"{to.kind} {to.id}")
        for document in documents
        for to in sorted(pointers_of(REGISTRY[kind], document.body))
        if tuple(to) not in known[document.id]
    ]


async def _messages(reading: Reading, kind: str, documents: Sequence[Document]) -> list[Finding]:
    rows = await reading.rows("messages_of_documents", kind, [document.id for document in documents])
    told = {row["id"]: (row["told"], row["first"], row["last"]) for row in rows}
    findings = []
    for document in documents:
        last = document.sequence_number
        count, first, final = told.get(document.id, (0, 1, 0))
        if (count, first, final) != (last, 1, last):
            detail = f"stands at {last}, has {count} numbered {first} to {final}"
            findings.append(SEQUENCE.found(reading.project, kind, document.id, document.place, detail))
    return findings
