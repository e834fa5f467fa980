"""A migrated database, emptied of nothing: every test works in a project of its own."""

from __future__ import annotations

import pytest

from holdfast.base.ids import uuid7


@pytest.fixture
def project() -> str:
    """The key of a project no other test uses."""
    return f"project-{uuid7()}"
