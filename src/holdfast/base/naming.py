"""Names as they travel: snake_case in Python, camelCase on the wire."""

from __future__ import annotations

from functools import cache


@cache
def wire_name(name: str) -> str:
    """`tax_category` → `taxCategory`; a trailing underscore (`from_`) only dodges a Python keyword."""
    head, *rest = name.rstrip("_").split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)
