"""Hashing passwords: argon2id, slow on purpose, so it happens on a few threads beside the event loop.

The parameters are OWASP's first choice for argon2id: 19 MiB, two passes, one lane. A stored hash
names its own, so they can be raised later without locking anybody out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from holdfast.base.errors import OverCapacity

T = TypeVar("T")

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
THREADS = 2
# About a second of waiting; whoever comes later is better told at once.
WAITING_MAX = 64

_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


class Room:
    """The threads, and how many wait for them."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="password")
        self._inside = 0

    async def run(self, function: Callable[..., T], *arguments: str) -> T:
        if self._inside >= WAITING_MAX:
            raise OverCapacity
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
        finally:
            self._inside -= 1


@cache
def _room() -> Room:
    return Room()


async def hash_password(password: str) -> str:
    """What to keep of a new password. Raises OverCapacity when too many wait."""
    return await _room().run(_hasher.hash, password)


async def password_matches(password: str, password_hash: str | None) -> bool:
    """Whether the password belongs to the hash; without one the answer is no, after the same time."""
    return await _room().run(_matches, password, password_hash or _nobodys_hash()) and password_hash is not None


def _matches(password: str, password_hash: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("nobody")
