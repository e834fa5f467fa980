"""Start-up: importing every module below `resources/` fills the register."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from holdfast.commerce import resources


@cache
def load_resources() -> None:
    """Import every resource module once; a module that cannot register itself stops the start."""
    for module in pkgutil.walk_packages(resources.__path__, f"{resources.__name__}."):
        importlib.import_module(module.name)
