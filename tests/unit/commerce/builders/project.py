"""Projects for tests."""

from __future__ import annotations

from typing import Any

from holdfast.commerce.resources.project import Project


def a_project(**fields: Any) -> Project:
    given: dict[str, Any] = {
        "id": "project",
        "key": "shop",
        "name": "Shop",
        "currencies": ("EUR",),
        "countries": ("DE",),
        "languages": ("en",),
    }
    return Project(**(given | fields))
