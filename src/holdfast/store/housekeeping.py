"""What expires by itself: each call clears a bounded batch and says how much it was."""

from __future__ import annotations

from holdfast.store.pool import Database
from holdfast.store.queries import queries

CARTS_BATCH_MAX = 500
# Published default of a project's carts configuration.
CART_LIFETIME_DAYS = 90


async def delete_expired_carts(database: Database) -> int:
    """Delete carts nobody has touched for as long as they ask to be kept."""
    sql = queries("housekeeping")["delete_expired_carts"]
    return len(await database.fetch(sql, CART_LIFETIME_DAYS, CARTS_BATCH_MAX))
