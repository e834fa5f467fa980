"""A migrated database, emptied of nothing: every test works in a project of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from holdfast.base.ids import uuid7
from holdfast.store.migrations import migrate
from holdfast.store.store import Store


@pytest_asyncio.fixture
async def store(postgres: str) -> AsyncIterator[Store]:
    """An open store on the session's PostgreSQL."""
    await migrate(postgres)
    opened = Store(postgres)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def project() -> str:
    """The key of a project no other test uses."""
    return f"project-{uuid7()}"
