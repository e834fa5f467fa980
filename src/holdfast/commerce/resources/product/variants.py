"""Variants, their names and their attributes."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta
from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation, ReferencedResourceNotFound
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages.product import ProductVariantAdded, ProductVariantDeleted
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.product.creation import new_variant
from holdfast.commerce.resources.product.shape import (
    PRICES_MAX,
    Attribute,
    Image,
    Product,
    ProductData,
    ProductVariant,
    ProductVariantDraft,
    Sku,
    products,
)
from holdfast.commerce.resources.product.versions import edited, edited_variant, find_variant, variant_id_of
from holdfast.commerce.resources.product_type import ProductType, product_types
from holdfast.commerce.rules.attributes import checked_value, with_attribute
from holdfast.commerce.values.asset import AssetDraft
from holdfast.commerce.values.price import PriceDraft
from holdfast.commerce.values.reference import ResourceIdentifier
from holdfast.commerce.values.value import Key


@products.action("addVariant")
def add_variant(
    product: Product,
    facts: Facts,
    *,
    sku: Sku | None = None,
    key: Key | None = None,
    prices: Annotated[tuple[PriceDraft, ...], Meta(max_length=PRICES_MAX)] = (),
    images: tuple[Image, ...] = (),
    attributes: tuple[Attribute, ...] = (),
    assets: tuple[AssetDraft, ...] = (),
    staged: bool = True,
) -> Changed[Product]:
    """Add a variant, with the next id that was never used."""
    draft = ProductVariantDraft(sku=sku, key=key, prices=prices, images=images, attributes=attributes, assets=assets)
    variant = new_variant(draft, product.last_variant_id + 1, _type_of(product, facts), facts)
    after = edited(product, lambda data: replace(data, variants=(*data.variants, variant)), staged=staged)
    told = ProductVariantAdded(variant=variant, staged=staged)
    return Changed(replace(after, last_variant_id=variant.id), (told,))


@products.action("removeVariant")
def remove_variant(
    product: Product, *, id: int | None = None, sku: str | None = None, staged: bool = True
) -> Changed[Product]:
    """Remove a variant; the master variant has to be replaced first."""
    variant_id = variant_id_of(product, id, sku)
    gone = find_variant(product, variant_id, staged=staged)

    def removed(data: ProductData) -> ProductData | None:
        if data.master_variant.id == variant_id:
            raise InvalidOperation("The master variant cannot be removed; make another variant the master first.")
        kept = tuple(one for one in data.variants if one.id != variant_id)
        return replace(data, variants=kept) if len(kept) < len(data.variants) else None

    after = edited(product, removed, staged=staged, what=f"The variant {variant_id}")
    assert gone is not None
    urls = tuple(image.url for image in gone.images)
    return Changed(after, (ProductVariantDeleted(variant=gone, removed_image_urls=urls, staged=staged),))


@products.action("changeMasterVariant")
def change_master_variant(
    product: Product, *, variant_id: int | None = None, sku: str | None = None, staged: bool = True
) -> Product:
    """Make another variant the master; the old one joins the others."""
    wanted = variant_id_of(product, variant_id, sku)

    def promoted(data: ProductData) -> ProductData | None:
        master = data.variant(wanted)
        if master is None or master is data.master_variant:
            return data if master else None
        others = tuple(one for one in data.variants if one.id != wanted)
        return replace(data, master_variant=master, variants=(data.master_variant, *others))

    return edited(product, promoted, staged=staged, what=f"The variant {wanted}")


@products.action("setDefaultVariant")
def set_default_variant(product: Product, *, variant: ResourceIdentifier | None = None, staged: bool = True) -> Product:
    """Variants with a life of their own do not exist in this catalogue model, so none can be named."""
    if variant is not None:
        raise ReferencedResourceNotFound("variant", id=variant.id, key=variant.key)
    return product


@products.action("setSku")
def set_sku(product: Product, *, variant_id: int, sku: Sku | None = None, staged: bool = True) -> Product:
    """Set or remove the SKU of a variant."""
    return _named(product, variant_id, staged, sku=sku)


@products.action("legacySetSku")
def legacy_set_sku(product: Product, *, variant_id: int, sku: Sku | None = None) -> Product:
    """Set or remove the SKU of a variant in both versions, the older form."""
    return _named(product, variant_id, False, sku=sku)


@products.action("setProductVariantKey")
def set_product_variant_key(
    product: Product,
    *,
    variant_id: int | None = None,
    sku: str | None = None,
    key: Key | None = None,
    staged: bool = True,
) -> Product:
    """Set or remove the key of a variant."""
    return _named(product, variant_id_of(product, variant_id, sku), staged, key=key)


# --- attributes ----------------------------------------------------------------------------


@products.action("setAttribute")
def set_attribute(
    product: Product,
    facts: Facts,
    *,
    variant_id: int | None = None,
    sku: str | None = None,
    name: str,
    value: Any = None,
    staged: bool = True,
) -> Product:
    """Set or remove an attribute of one variant."""
    stored = checked_value(_type_of(product, facts), name, value, "Variant", facts)
    return edited_variant(
        product, lambda variant: _attributed(variant, name, stored), variant_id=variant_id, sku=sku, staged=staged
    )


@products.action("setAttributeInAllVariants")
def set_attribute_in_all_variants(
    product: Product, facts: Facts, *, name: str, value: Any = None, staged: bool = True
) -> Product:
    """Set or remove an attribute of every variant."""
    stored = checked_value(_type_of(product, facts), name, value, "Variant", facts)

    def everywhere(data: ProductData) -> ProductData:
        return replace(
            data,
            master_variant=_attributed(data.master_variant, name, stored),
            variants=tuple(_attributed(variant, name, stored) for variant in data.variants),
        )

    return edited(product, everywhere, staged=staged)


@products.action("setProductAttribute")
def set_product_attribute(
    product: Product, facts: Facts, *, name: str, value: Any = None, staged: bool = True
) -> Product:
    """Set or remove an attribute of the product itself."""
    stored = checked_value(_type_of(product, facts), name, value, "Product", facts)
    return edited(
        product, lambda data: replace(data, attributes=with_attribute(data.attributes, name, stored)), staged=staged
    )


def _type_of(product: Product, facts: Facts) -> ProductType:
    return facts.get(product_types, product.product_type)


def _named(product: Product, wanted: int, staged: bool, **names: str | None) -> Product:
    return edited_variant(
        product, lambda variant: replace(variant, **names), variant_id=wanted, sku=None, staged=staged
    )


def _attributed(variant: ProductVariant, name: str, value: Any) -> ProductVariant:
    return replace(variant, attributes=with_attribute(variant.attributes, name, value))
