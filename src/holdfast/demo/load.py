"""Loads the demo shop through the HTTP API, as any client would.

Every draft has a key and names others by key, so nothing has to be read back, stages can be sent in parallel and a
broken run can simply be run again: what is there already answers `DuplicateField` and is left as it is. The stores
open last; where the last of them is, everything before it has been loaded, and a later start asks only for that one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from holdfast.demo import catalog, settings
from holdfast.demo.catalog import Draft
from holdfast.demo.client import Client, Refused, Shop

SENDERS = 8


@dataclass(frozen=True)
class Stage:
    """Drafts of one collection that do not need each other."""

    path: str
    drafts: list[Draft]


def stages(pictures_url: str) -> Iterator[Stage]:
    """List the whole shop in an order in which everything named exists already."""
    yield Stage("types", settings.types())
    yield Stage("tax-categories", settings.tax_categories())
    yield Stage("zones", settings.zones())
    yield Stage("customer-groups", settings.customer_groups())
    yield Stage("channels", settings.channels())
    for drafts in settings.order_states():
        yield Stage("states", drafts)
    yield Stage("product-types", catalog.product_types())
    for drafts in catalog.category_levels():
        yield Stage("categories", drafts)
    yield Stage("products", catalog.products(pictures_url))
    yield Stage("inventory", catalog.inventory())
    yield Stage("shipping-methods", settings.shipping_methods())
    yield Stage("customers", settings.customers())
    yield Stage("stores", settings.stores())


def load(shop: Shop, pictures_url: str, report: Callable[[str], None] = lambda _: None) -> bool:
    """Load what is missing; false when the whole shop was there."""
    client = Client(shop)
    if is_loaded(client):
        return False
    configure(client)
    clients = threading.local()

    def send(path: str, draft: Draft) -> None:
        if not hasattr(clients, "mine"):
            clients.mine = Client(shop, token=client.token)
        create(clients.mine, path, draft)

    with ThreadPoolExecutor(SENDERS, thread_name_prefix="demo") as senders:
        for stage in stages(pictures_url):
            started = time.monotonic()
            list(senders.map(send, [stage.path] * len(stage.drafts), stage.drafts))
            report(f"{stage.path}: {len(stage.drafts)} in {time.monotonic() - started:.1f} s")
    return True


def is_loaded(client: Client) -> bool:
    last = settings.stores()[-1]["key"]
    return client.exists(f"/stores/key={last}")


def configure(client: Client) -> None:
    """Set what the catalogue needs on the project itself."""
    project = client.get("")
    client.post(
        "",
        {
            "version": project["version"],
            "actions": [
                {"action": "changeCurrencies", "currencies": list(settings.CURRENCIES)},
                {"action": "changeCountries", "countries": list(settings.COUNTRIES)},
                {"action": "changeLanguages", "languages": list(settings.LANGUAGES)},
                {"action": "setShippingRateInputType", "shippingRateInputType": {"type": "CartValue"}},
            ],
        },
    )


def create(client: Client, path: str, draft: Draft) -> None:
    try:
        client.post(f"/{path}", draft)
    except Refused as refused:
        if "DuplicateField" not in refused.codes:
            raise
