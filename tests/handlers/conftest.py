"""Use cases on a real store, called as the API calls them, without HTTP in between."""

from __future__ import annotations

from tests.store.conftest import project

__all__ = ["project"]
