"""Products whole, for those who keep the catalogue: both versions, with the price and the stock shoppers see."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from holdfast.commerce.resources.product.projection import priced
from holdfast.commerce.resources.product.shape import Product, products
from holdfast.commerce.rules.availability import availability_by_sku
from holdfast.handlers import crud
from holdfast.handlers.crud import Target, page, search_of, shown
from holdfast.handlers.endpoints import Answer, Request, endpoint
from holdfast.handlers.product_projections import PRICE_PARAMETERS, entries_of, price_selector
from holdfast.handlers.work import Work

SCOPE = "view_products"
PARAMETERS = (*PRICE_PARAMETERS, "expand")
QUERY_PARAMETERS = (*PARAMETERS, "where", "sort", "limit", "offset", "withTotal")


@endpoint("GET", "products", "*", scope=SCOPE, answer=products, parameters=PARAMETERS, kept_kind="product")
async def read_by_id(work: Work, request: Request) -> Answer:
    """One product by its id."""
    return await _read(work, request, Target(request.path_values[0]))


@endpoint("GET", "products", "key=*", scope=SCOPE, answer=products, parameters=PARAMETERS, kept_kind="product")
async def read_by_key(work: Work, request: Request) -> Answer:
    """One product by its key."""
    return await _read(work, request, Target(request.path_values[0], "key"))


@endpoint("GET", "products", scope=SCOPE, answer=products, parameters=QUERY_PARAMETERS, kept_kind="product", paged=True)
async def query(work: Work, request: Request) -> Answer:
    """Products by a predicate."""
    wanted = search_of(work, products, request)
    found = await work.store.search(wanted)
    bodies = await _shown(work, request, [document.resource for document in found.documents])
    return Answer(page(bodies, wanted.paging, found.total))


@endpoint("HEAD", "products", scope=SCOPE, parameters=("where",))
async def any_match(work: Work, request: Request) -> Answer:
    """Whether any product matches."""
    return await crud.any_match(work, products, request)


async def _read(work: Work, request: Request, target: Target) -> Answer:
    document = await crud.find(work, products, request, target)
    (body,) = await _shown(work, request, [document.resource])
    return Answer(body)


async def _shown(work: Work, request: Request, found: Sequence[Product]) -> list[bytes]:
    selector = price_selector(work, request)
    versions = [data for one in found for data in (one.master_data.current, one.master_data.staged)]
    stock = availability_by_sku(await entries_of(work, [each for data in versions for each in data.all_variants()]))
    return list(await asyncio.gather(*(shown(work, request, priced(one, selector, stock)) for one in found)))
