"""Reference expansion: load what the paths point at, level by level."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from holdfast.commerce.expansion import expanded, parse_paths, pending
from holdfast.commerce.registry import REGISTRY
from holdfast.commerce.values.value import Stored
from holdfast.handlers.work import Work
from holdfast.store.reader import Document

# Levels of references behind references; the published paths are at most a handful long.
LEVELS_MAX = 20


async def expand(work: Work, resource: Stored | Document, texts: Sequence[str]) -> bytes:
    """A resource as JSON bytes with the references on the `expand` paths carrying their `obj`."""
    body = resource.body if isinstance(resource, Document) else work.body_of(resource)
    if not texts:
        return body
    paths = parse_paths(texts)
    document: dict[str, Any] = msgspec.json.decode(body)
    loaded: dict[tuple[str, str], Any] = {}
    for _ in range(LEVELS_MAX):
        wanted = [reference for reference in pending(document, paths) if reference not in loaded]
        if not wanted:
            break
        found = await asyncio.gather(*(_load(work, *reference) for reference in wanted))
        loaded.update(zip(wanted, found, strict=True))
        document = expanded(document, paths, {key: value for key, value in loaded.items() if value is not None})
    return msgspec.json.encode(document)


async def _load(work: Work, kind: str, resource_id: str) -> dict[str, Any] | None:
    resource = REGISTRY.get(kind)
    if resource is None or resource.path is None:
        return None
    body = await work.body_at(resource, resource_id)
    return msgspec.json.decode(body) if body else None
