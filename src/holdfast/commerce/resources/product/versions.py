"""Changes to one or both versions of a product.

An action changes the staged version, and with `staged: false` the current one too. What it is
about (a variant, a price, an image) must be in at least one of those, and is changed where it is.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from holdfast.base.errors import InvalidInput, InvalidOperation
from holdfast.commerce.resources.product.shape import Product, ProductData, ProductVariant
from holdfast.commerce.values.price import Price

# Gives the new version, or None when what it is about is not there.
DataChange = Callable[[ProductData], ProductData | None]
VariantChange = Callable[[ProductVariant], ProductVariant | None]


def edited(product: Product, change: DataChange, *, staged: bool, what: str = "It") -> Product:
    """The product with its version(s) changed. Raises InvalidOperation when nothing was found to change."""
    data = product.master_data
    new_staged = change(data.staged)
    new_current = None if staged else change(data.current)
    if new_staged is None and new_current is None:
        raise InvalidOperation(f"{what} was not found in the product.")
    return replace(
        product, master_data=replace(data, staged=new_staged or data.staged, current=new_current or data.current)
    )


def edited_variant(
    product: Product,
    change: VariantChange,
    *,
    variant_id: int | None,
    sku: str | None,
    staged: bool,
    what: str = "The variant",
) -> Product:
    """The product with one variant changed, named by exactly one of id and SKU."""
    wanted = variant_id_of(product, variant_id, sku)
    return edited(product, lambda data: with_variant(data, wanted, change), staged=staged, what=what)


def variant_id_of(product: Product, variant_id: int | None, sku: str | None) -> int:
    """The id of the variant an action names. Raises InvalidInput unless by exactly one of id and SKU."""
    if (variant_id is None) == (sku is None):
        raise InvalidInput("A variant must be named by either 'variantId' or 'sku'.")
    if variant_id is not None:
        return variant_id
    data = product.master_data
    found = data.staged.variant_by_sku(sku or "") or data.current.variant_by_sku(sku or "")
    if found is None:
        raise InvalidOperation(f"The product has no variant with sku '{sku}'.")
    return found.id


def find_variant(product: Product, variant_id: int, *, staged: bool) -> ProductVariant | None:
    """A variant as an action meets it: the staged one, or else (with `staged` false) the current one."""
    data = product.master_data
    return data.staged.variant(variant_id) or (None if staged else data.current.variant(variant_id))


def with_variant(data: ProductData, variant_id: int, change: VariantChange) -> ProductData | None:
    """The version with one variant changed, None when it has no such variant."""
    variant = data.variant(variant_id)
    changed = change(variant) if variant else None
    return replaced(data, changed) if changed else None


def replaced(data: ProductData, variant: ProductVariant) -> ProductData:
    """The version with a variant in the place of the one of the same id."""
    if data.master_variant.id == variant.id:
        return replace(data, master_variant=variant)
    return replace(data, variants=tuple(variant if one.id == variant.id else one for one in data.variants))


def variant_with_price(data: ProductData, price_id: str) -> tuple[ProductVariant, Price] | None:
    """The variant a price belongs to, and the price."""
    for variant in data.all_variants():
        for price in variant.prices:
            if price.id == price_id:
                return variant, price
    return None


def image_urls(data: ProductData) -> dict[str, None]:
    """The URLs of all images, in order."""
    return {image.url: None for variant in data.all_variants() for image in variant.images}
