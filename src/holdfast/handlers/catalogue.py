"""Start-up: importing every module of this room fills the register of endpoints."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from holdfast import handlers


@cache
def load_handlers() -> None:
    """Import every handler module once; one that cannot register itself stops the start."""
    for module in pkgutil.iter_modules(handlers.__path__, f"{handlers.__name__}."):
        importlib.import_module(module.name)
