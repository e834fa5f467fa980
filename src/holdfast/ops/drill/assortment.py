"""What the drilled shop sells: plenty of some things, few of others, so that both lasting and selling out are tried."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from holdfast.ops.bench.load import drive
from holdfast.ops.bench.shop import SETUP_CONNECTIONS, STOCK_OF_EACH, Shop, add_item, stock_up

SCARCE_UNITS = 150


class Assortment(NamedTuple):
    """The units of each SKU at the opening."""

    plenty: tuple[str, ...]
    scarce: tuple[str, ...]
    units: dict[str, int]
    products: tuple[str, ...]


async def fill(shop: Shop, distinct: int, scarce: int) -> Assortment:
    """Stock an empty project over its API."""
    products = await stock_up(shop, distinct)
    plenty = tuple(f"SKU-{number}" for number in range(distinct))
    few = tuple(f"SCARCE-{number}" for number in range(scarce))
    await asyncio.gather(*(add_item(shop, sku, SCARCE_UNITS) for sku in few))
    # Each once, so that the sale begins in a shop that is open.
    await drive(shop.url, [shop.get(f"product-projections/{one}") for one in products], connections=SETUP_CONNECTIONS)
    units = dict.fromkeys(plenty, STOCK_OF_EACH) | dict.fromkeys(few, SCARCE_UNITS)
    return Assortment(plenty, few, units, tuple(products))
