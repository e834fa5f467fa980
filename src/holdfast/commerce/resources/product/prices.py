"""Prices embedded in variants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from msgspec import Meta
from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages.message import Message
from holdfast.commerce.messages.product import (
    ProductPriceAdded,
    ProductPriceChanged,
    ProductPriceCustomFieldAdded,
    ProductPriceCustomFieldChanged,
    ProductPriceCustomFieldRemoved,
    ProductPriceCustomFieldsRemoved,
    ProductPriceCustomFieldsSet,
    ProductPriceExternalDiscountSet,
    ProductPriceKeySet,
    ProductPriceRemoved,
    ProductPricesSet,
)
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.product.shape import (
    PRICES_MAX,
    Product,
    ProductData,
    ProductVariant,
    products,
)
from holdfast.commerce.resources.product.versions import (
    edited,
    edited_variant,
    replaced,
    variant_id_of,
    variant_with_price,
)
from holdfast.commerce.rules.custom_fields import with_custom_field, with_custom_type
from holdfast.commerce.rules.price_drafts import (
    check_prices,
    discounted_price,
    lookups_of,
    new_price,
    new_prices,
    with_price,
)
from holdfast.commerce.values.price import DiscountedPriceDraft, Price, PriceDraft
from holdfast.commerce.values.reference import ResourceIdentifier
from holdfast.commerce.values.value import Key

CUSTOM_TYPE = "product-price"


@products.action("addPrice")
def add_price(
    product: Product,
    facts: Facts,
    *,
    variant_id: int | None = None,
    sku: str | None = None,
    price: PriceDraft,
    staged: bool = True,
) -> Changed[Product]:
    """Add a price of a scope the variant has none for yet."""
    wanted = variant_id_of(product, variant_id, sku)
    (new,) = new_prices((price,), facts)
    after = edited_variant(
        product,
        lambda variant: replace(variant, prices=check_prices((*variant.prices, new))),
        variant_id=wanted,
        sku=None,
        staged=staged,
    )
    return Changed(after, (ProductPriceAdded(variant_id=wanted, price=new, staged=staged),))


@products.action("setPrices")
def set_prices(
    product: Product,
    facts: Facts,
    *,
    variant_id: int | None = None,
    sku: str | None = None,
    prices: Annotated[tuple[PriceDraft, ...], Meta(max_length=PRICES_MAX)],
    staged: bool = True,
) -> Changed[Product]:
    """Replace all prices of a variant."""
    wanted = variant_id_of(product, variant_id, sku)
    new = new_prices(prices, facts)
    after = edited_variant(
        product, lambda variant: replace(variant, prices=new), variant_id=wanted, sku=None, staged=staged
    )
    return Changed(after, (ProductPricesSet(variant_id=wanted, prices=new, staged=staged),))


@products.action("changePrice")
def change_price(
    product: Product, facts: Facts, *, price_id: str, price: PriceDraft, staged: bool = True
) -> Product | Changed[Product]:
    """Change a price in all its parts; its id stays."""
    facts.gather(lookups_of((price,)))
    new = new_price(price, price_id, facts)
    variant, old = _known_price(product, price_id, staged=staged)
    after = _with_price(product, price_id, lambda _: new, staged=staged)
    if after == product:
        return product
    shown = None if staged else variant_with_price(product.master_data.current, price_id)
    told = ProductPriceChanged(
        variant_id=variant.id,
        old_price=shown[1] if shown else old,
        new_price=new,
        staged=staged,
        old_staged_price=old if shown and shown[1] != old else None,
    )
    return Changed(after, (told,))


@products.action("removePrice")
def remove_price(product: Product, *, price_id: str, staged: bool = True) -> Changed[Product]:
    """Remove a price."""
    variant, old = _known_price(product, price_id, staged=staged)

    def removed(data: ProductData) -> ProductData | None:
        found = variant_with_price(data, price_id)
        if found is None:
            return None
        kept = tuple(one for one in found[0].prices if one.id != price_id)
        return replaced(data, replace(found[0], prices=kept))

    after = edited(product, removed, staged=staged)
    return Changed(after, (ProductPriceRemoved(variant_id=variant.id, price=old, staged=staged),))


@products.action("setPriceKey")
def set_price_key(
    product: Product, *, price_id: str, key: Key | None = None, staged: bool = True
) -> Product | Changed[Product]:
    """Set or remove the key of a price, unique within its variant."""
    variant, old = _known_price(product, price_id, staged=staged)
    after = _with_price(product, price_id, lambda price: replace(price, key=key), staged=staged)
    told = ProductPriceKeySet(variant_id=variant.id, price_id=price_id, old_key=old.key, key=key, staged=staged)
    return _told(product, after, told)


@products.action("setDiscountedPrice")
def set_discounted_price(
    product: Product,
    facts: Facts,
    *,
    price_id: str,
    discounted: DiscountedPriceDraft | None = None,
    staged: bool = True,
) -> Product | Changed[Product]:
    """Set or remove the price an external product discount leaves."""
    variant, old = _known_price(product, price_id, staged=staged)
    new = discounted_price(discounted, old.value, facts) if discounted else None
    after = _with_price(product, price_id, lambda price: replace(price, discounted=new), staged=staged)
    told = ProductPriceExternalDiscountSet(
        variant_id=variant.id,
        variant_key=variant.key,
        sku=variant.sku,
        price_id=price_id,
        discounted=new,
        staged=staged,
    )
    return _told(product, after, told)


@products.action("setProductPriceCustomType")
def set_product_price_custom_type(
    product: Product,
    facts: Facts,
    *,
    price_id: str,
    type: ResourceIdentifier | None = None,
    fields: dict[str, Any] | None = None,
    staged: bool = True,
) -> Product | Changed[Product]:
    """Set type and fields of a price's custom fields, or remove both."""
    variant, old = _known_price(product, price_id, staged=staged)
    custom = with_custom_type(old, type, fields, CUSTOM_TYPE, facts).custom
    after = _with_price(product, price_id, lambda price: replace(price, custom=custom), staged=staged)
    if custom is None:
        gone = ProductPriceCustomFieldsRemoved(price_id=price_id, variant_id=variant.id, staged=staged)
        return _told(product, after, gone)
    told = ProductPriceCustomFieldsSet(
        price_id=price_id,
        variant_id=variant.id,
        staged=staged,
        custom_field=custom,
        old_type_id=old.custom.type.id if old.custom else None,
    )
    return _told(product, after, told)


@products.action("setProductPriceCustomField")
def set_product_price_custom_field(
    product: Product, facts: Facts, *, price_id: str, name: str, value: Any = None, staged: bool = True
) -> Product | Changed[Product]:
    """Set or remove one custom field of a price."""
    variant, old = _known_price(product, price_id, staged=staged)
    new = with_custom_field(old, name, value, facts)
    after = _with_price(product, price_id, lambda price: with_custom_field(price, name, value, facts), staged=staged)
    kept = new.custom.fields.get(name) if new.custom else None
    if kept is None:
        gone = ProductPriceCustomFieldRemoved(price_id=price_id, variant_id=variant.id, staged=staged, name=name)
        return _told(product, after, gone)
    was_there = old.custom is not None and name in old.custom.fields
    kind = ProductPriceCustomFieldChanged if was_there else ProductPriceCustomFieldAdded
    return _told(product, after, kind(price_id=price_id, variant_id=variant.id, staged=staged, name=name, value=kept))


def _known_price(product: Product, price_id: str, *, staged: bool) -> tuple[ProductVariant, Price]:
    """A price as the action meets it, with its variant: staged, or else (with `staged` false) current."""
    data = product.master_data
    found = variant_with_price(data.staged, price_id)
    if found is None and not staged:
        found = variant_with_price(data.current, price_id)
    if found is None:
        raise InvalidOperation(f"The price '{price_id}' was not found in the product.")
    return found


def _with_price(product: Product, price_id: str, change: Callable[[Price], Price], *, staged: bool) -> Product:
    def changed(data: ProductData) -> ProductData | None:
        found = variant_with_price(data, price_id)
        if found is None:
            return None
        variant, price = found
        return replaced(data, replace(variant, prices=with_price(variant.prices, change(price))))

    return edited(product, changed, staged=staged, what=f"The price '{price_id}'")


def _told(before: Product, after: Product, message: Message) -> Product | Changed[Product]:
    return before if after == before else Changed(after, (message,))
