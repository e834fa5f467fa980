"""Assets: media of a product variant or category, kept elsewhere and described here."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from holdfast.commerce.values.custom_fields import CustomFields, CustomFieldsDraft
from holdfast.commerce.values.value import Key, LocalizedString, Natural, Value, empty


class AssetDimensions(Value):
    w: Natural
    h: Natural


class AssetSource(Value):
    """One rendition of an asset."""

    uri: str
    key: str | None = None
    dimensions: AssetDimensions | None = None
    content_type: str | None = None


AssetSources = Annotated[tuple[AssetSource, ...], Meta(min_length=1)]


class Asset(Value):
    id: str
    key: str | None = None
    name: LocalizedString
    description: LocalizedString | None = None
    sources: tuple[AssetSource, ...]
    tags: tuple[str, ...] = field(default_factory=empty)
    custom: CustomFields | None = None


class AssetDraft(Value):
    key: Key | None = None
    name: LocalizedString
    description: LocalizedString | None = None
    sources: AssetSources
    tags: tuple[str, ...] = field(default_factory=empty)
    custom: CustomFieldsDraft | None = None
