"""Slugs: the part of a URL that names a product or category, one per locale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from msgspec import Meta

from holdfast.commerce.values.value import Locale

Slug = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{2,256}\Z")]
Slugs = dict[Locale, Slug]


def unique_slugs(slugs: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """The unique values slugs claim, one field per locale (`slug.en`)."""
    return ((f"slug.{locale}", slug) for locale, slug in slugs.items())
