"""Reading products as shoppers see them: one version, flattened, with the price that applies."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from holdfast.base.errors import InsufficientScope, InvalidInput, ReferencedResourceNotFound
from holdfast.commerce.predicates.binding import bind, relocated
from holdfast.commerce.predicates.paging import Paging, paging, relocated_keys, sort_keys
from holdfast.commerce.predicates.parser import parse, parse_all
from holdfast.commerce.predicates.tree import And, Comparison, Descend, Predicate, Term
from holdfast.commerce.resources.inventory_entry import InventoryEntry
from holdfast.commerce.resources.product.projection import Look, ProductProjection, projection
from holdfast.commerce.resources.product.shape import Product, ProductVariant, products
from holdfast.commerce.resources.store import Store, stores
from holdfast.commerce.rules.availability import availability_by_sku
from holdfast.commerce.rules.pricing import PriceSelector
from holdfast.commerce.scopes import allows
from holdfast.commerce.values.reference import KeyReference
from holdfast.handlers.crud import Target, any_of, page, shown
from holdfast.handlers.endpoints import Answer, Request, endpoint
from holdfast.handlers.work import Work
from holdfast.store.search import Search

COLLECTION = "product-projections"
SCOPE = "view_published_products"
STAGED_SCOPE = "view_products"

_PRICE = ("priceCurrency", "priceCountry", "priceCustomerGroup", "priceChannel")
_GROUPS = "priceCustomerGroupAssignments"
PRICE_PARAMETERS = (*_PRICE, _GROUPS)
PARAMETERS = ("staged", *PRICE_PARAMETERS, "localeProjection", "storeProjection", "expand")
QUERY_PARAMETERS = (*PARAMETERS, "where", "sort", "limit", "offset", "withTotal")
_CURRENCY = re.compile(r"[A-Z]{3}")
# Where a projection's fields live in the product; all others are part of the version looked at.
_PLACES: Mapping[str, tuple[str, ...]] = {
    **{
        name: (name,)
        for name in (
            "id",
            "key",
            "version",
            "createdAt",
            "createdBy",
            "lastModifiedAt",
            "lastModifiedBy",
            "productType",
            "taxCategory",
            "state",
            "priceMode",
        )
    },
    "published": ("masterData", "published"),
    "hasStagedChanges": ("masterData", "hasStagedChanges"),
}
_PUBLISHED = bind(parse("masterData(published = true)"), products.shape)


class _View(NamedTuple):
    """How this request looks at products, and which supply channels it may see."""

    look: Look
    supply_channels: frozenset[str] | None


# --- endpoints -----------------------------------------------------------------------------


@endpoint(
    "GET",
    COLLECTION,
    "*",
    scope=SCOPE,
    in_store=True,
    answer=ProductProjection,
    parameters=PARAMETERS,
    kept_kind="product",
)
async def read_by_id(work: Work, request: Request) -> Answer:
    """One product by its id."""
    return await _read(work, request, Target(request.path_values[0]))


@endpoint(
    "GET",
    COLLECTION,
    "key=*",
    scope=SCOPE,
    in_store=True,
    answer=ProductProjection,
    parameters=PARAMETERS,
    kept_kind="product",
)
async def read_by_key(work: Work, request: Request) -> Answer:
    """One product by its key."""
    return await _read(work, request, Target(request.path_values[0], "key"))


@endpoint(
    "GET",
    COLLECTION,
    scope=SCOPE,
    in_store=True,
    answer=ProductProjection,
    parameters=QUERY_PARAMETERS,
    kept_kind="product",
    paged=True,
)
async def query(work: Work, request: Request) -> Answer:
    """Products by a predicate on their projections."""
    view = await _view(work, request)
    asked = _paging(request)
    tree = _asked(request)
    place = _slug(tree)
    if place and asked.limit and not asked.offset:
        found = await _by_slug(work, view.look, *place)
        total = len(found) if asked.with_total else None
    else:
        result = await work.store.search(_search(work, request, view.look, tree))
        found, total = [document.resource for document in result.documents], result.total
    projections = await _projections(work, found, view)
    bodies = await asyncio.gather(*(shown(work, request, one) for one in projections))
    return Answer(page(list(bodies), asked, total), keep=not view.look.staged)


@endpoint("HEAD", COLLECTION, scope=SCOPE, in_store=True, parameters=QUERY_PARAMETERS)
async def any_match(work: Work, request: Request) -> Answer:
    """Whether any product matches."""
    view = await _view(work, request)
    return await any_of(work, _search(work, request, view.look, _asked(request)))


async def _read(work: Work, request: Request, target: Target) -> Answer:
    view = await _view(work, request)
    if target.field is None:
        document = await work.document(products, target.value)
    else:
        document = await work.document_by(products, target.field, target.value)
    if document is None or not _is_seen(document.resource, view.look):
        raise target.missing()
    (seen,) = await _projections(work, (document.resource,), view)
    return Answer(await shown(work, request, seen), keep=not view.look.staged)


# --- how the request looks at products -----------------------------------------------------


async def _view(work: Work, request: Request) -> _View:
    """Raises InvalidInput for parameters that make no sense, InsufficientScope for staged data without the right."""
    staged = _flag(request, "staged")
    if staged and not allows(work.caller.scopes, STAGED_SCOPE, request.store_key):
        raise InsufficientScope(f"The scope '{STAGED_SCOPE}' is needed to see staged products.")
    locales = tuple(request.parameters.get("localeProjection", ()))
    look = Look(staged=staged, selector=price_selector(work, request), locales=locales or None)
    store = await _store(work, request)
    return _through(store, look) if store else _View(look, None)


def price_selector(work: Work, request: Request) -> PriceSelector | None:
    """Which price the request wants singled out. Raises InvalidInput."""
    currency, country, group, channel = (request.first(name) for name in _PRICE)
    groups = frozenset((*request.parameters.get(_GROUPS, ()), *((group,) if group else ())))
    if currency is None:
        if country or groups or channel:
            raise InvalidInput("Malformed parameter: priceCurrency: price selection needs a currency.")
        return None
    if not _CURRENCY.fullmatch(currency):
        raise InvalidInput("Malformed parameter: priceCurrency: three capital letters are expected.")
    return PriceSelector(currency, country, groups, channel, work.now)


async def _store(work: Work, request: Request) -> Store | None:
    """The store of the path, or else the one the request names. Raises ResourceNotFound or InvalidInput."""
    if request.store_key is not None:
        return await work.get(stores, KeyReference(type_id="store", key=request.store_key))
    key = request.first("storeProjection")
    if key is None:
        return None
    store = await work.find_by(stores, "key", key)
    if store is None:
        raise ReferencedResourceNotFound("store", key=key)
    return store


def _through(store: Store, look: Look) -> _View:
    """A store narrows languages, prices and stock to its own, as far as it has any."""
    if look.locales is None and store.languages:
        look = look._replace(locales=store.languages)
    if store.countries:
        look = look._replace(countries=frozenset(country.code for country in store.countries))
    if store.distribution_channels:
        look = look._replace(channels=frozenset(channel.id for channel in store.distribution_channels))
    supply = frozenset(channel.id for channel in store.supply_channels)
    return _View(look, supply or None)


def _flag(request: Request, name: str) -> bool:
    text = request.first(name)
    if text is not None and text.lower() not in ("true", "false"):
        raise InvalidInput(f"Malformed parameter: {name}: 'true' or 'false' is expected.")
    return text is not None and text.lower() == "true"


def _is_seen(product: Product, look: Look) -> bool:
    return look.staged or product.master_data.published


# --- queries -------------------------------------------------------------------------------


def _asked(request: Request) -> Predicate | None:
    tree = parse_all(request.parameters.get("where", ()))
    if tree is None:
        return None
    variables = {name[4:]: values for name, values in request.parameters.items() if name.startswith("var.")}
    return bind(tree, ProductProjection, variables)


def _paging(request: Request) -> Paging:
    return paging(request.first("limit"), request.first("offset"), request.first("withTotal"))


def _search(work: Work, request: Request, look: Look, tree: Predicate | None) -> Search:
    """The query on products that answers a query on projections."""
    version = ("masterData", "staged" if look.staged else "current")
    parts = [] if look.staged else [_PUBLISHED]
    if tree is not None:
        parts.append(relocated(tree, _PLACES, version))
    predicate = And(tuple(parts)) if len(parts) > 1 else next(iter(parts), None)
    keys = sort_keys(request.parameters.get("sort", ()), ProductProjection)
    return Search(
        products.name,
        work.caller.project,
        predicate,
        relocated_keys(keys, _PLACES, version),
        _paging(request),
    )


def _slug(tree: Predicate | None) -> tuple[str, str] | None:
    """Locale and slug of a predicate that asks for nothing else: how shops find a product page."""
    match tree:
        case Descend("slug", Term(locale, Comparison("=", str() as slug))):
            return locale, slug
        case _:
            return None


async def _by_slug(work: Work, look: Look, locale: str, slug: str) -> list[Product]:
    """The product that owns a slug, if it is that of the version looked at."""
    product = await work.find_by(products, f"slug.{locale}", slug)
    if product is None or not _is_seen(product, look):
        return []
    data = product.master_data.staged if look.staged else product.master_data.current
    return [product] if data.slug.get(locale) == slug else []


# --- projections with their stock ----------------------------------------------------------


async def _projections(work: Work, found: Sequence[Product], view: _View) -> list[ProductProjection]:
    variants = [variant for product in found for variant in _variants(product, view.look)]
    stock = availability_by_sku(await entries_of(work, variants), view.supply_channels)
    return [projection(product, view.look, stock) for product in found]


def _variants(product: Product, look: Look) -> Sequence[ProductVariant]:
    return (product.master_data.staged if look.staged else product.master_data.current).all_variants()


async def entries_of(work: Work, variants: Iterable[ProductVariant]) -> list[InventoryEntry]:
    """All inventory entries of these variants, however many channels supply them."""
    skus = dict.fromkeys(variant.sku for variant in variants if variant.sku is not None)
    promised = [work.store.entries(work.caller.project, sku) for sku in skus]
    return [document.resource for future in promised for document in await future]
