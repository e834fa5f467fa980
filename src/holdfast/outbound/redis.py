"""The client of a Redis or Valkey that the hosts of a shop share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.base.config import BadSetting

if TYPE_CHECKING:
    from redis.asyncio import Redis


def client_of(url: str, *, connections_max: int, seconds_max: float) -> Redis:
    """A client that neither repeats nor waits. Raises BadSetting for what is no address, or without the library."""
    try:
        from redis.asyncio import Redis  # noqa: PLC0415 - only shops that are given an address have it
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415
    except ImportError as error:
        raise BadSetting("HOLDFAST_REDIS_URL: pip install 'holdfast[valkey]' brings the client it needs.") from error
    try:
        return Redis.from_url(
            url,
            client_name="holdfast",
            max_connections=connections_max,
            socket_connect_timeout=seconds_max,
            socket_timeout=seconds_max,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        raise BadSetting(f"HOLDFAST_REDIS_URL: {error}") from error
