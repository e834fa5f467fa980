"""From staged to current and back, and the product's workflow."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from holdfast.base.errors import InvalidOperation
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages.product import (
    ProductPublished,
    ProductRevertedStagedChanges,
    ProductStateTransition,
    ProductUnpublished,
)
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.product.projection import Look, projection
from holdfast.commerce.resources.product.shape import Product, ProductData, ProductVariant, products
from holdfast.commerce.resources.product.versions import image_urls, replaced
from holdfast.commerce.resources.state import check_transition, states
from holdfast.commerce.values.reference import Reference, ResourceIdentifier


@products.action("publish")
def publish(product: Product, *, scope: Literal["All", "Prices"] = "All") -> Product | Changed[Product]:
    """Show shoppers the staged version, or only its prices."""
    data = product.master_data
    current = data.staged if scope == "All" else _with_prices(data.current, data.staged)
    if data.published and current == data.current:
        return product
    after = replace(
        product,
        master_data=replace(data, published=True, current=current, has_staged_changes=data.staged != current),
    )
    gone = tuple(url for url in image_urls(data.current) if url not in image_urls(current))
    told = ProductPublished(removed_image_urls=gone, product_projection=projection(after, Look()), scope=scope)
    return Changed(after, (told,))


@products.action("unpublish")
def unpublish(product: Product) -> Product | Changed[Product]:
    """Hide the product from shoppers."""
    if not product.master_data.published:
        return product
    hidden = replace(product, master_data=replace(product.master_data, published=False))
    return Changed(hidden, (ProductUnpublished(),))


@products.action("revertStagedChanges")
def revert_staged_changes(product: Product) -> Product | Changed[Product]:
    """Give up everything staged."""
    data = product.master_data
    if data.staged == data.current:
        return product
    gone = tuple(url for url in image_urls(data.staged) if url not in image_urls(data.current))
    reverted = replace(product, master_data=replace(data, staged=data.current))
    return Changed(reverted, (ProductRevertedStagedChanges(removed_image_urls=gone),))


@products.action("revertStagedVariantChanges")
def revert_staged_variant_changes(product: Product, *, variant_id: int) -> Product:
    """Give up what is staged for one variant."""
    data = product.master_data
    shown = data.current.variant(variant_id)
    if shown is None or data.staged.variant(variant_id) is None:
        raise InvalidOperation(f"The variant {variant_id} is not in both versions of the product.")
    return replace(product, master_data=replace(data, staged=replaced(data.staged, shown)))


@products.action("transitionState")
def transition_state(
    product: Product, facts: Facts, *, state: ResourceIdentifier | None = None, force: bool = False
) -> Product | Changed[Product]:
    """Take a step in the product's workflow, or leave it."""
    if state is None:
        return replace(product, state=None)
    following = facts.get(states, state)
    if product.state is not None and product.state.id == following.id:
        return product
    check_transition(
        facts.get(states, product.state) if product.state else None, following, "ProductState", force=force
    )
    reference = Reference(type_id="state", id=following.id)
    return Changed(replace(product, state=reference), (ProductStateTransition(state=reference, force=force),))


def _with_prices(current: ProductData, staged: ProductData) -> ProductData:
    """The current version with the staged prices of the variants that are in both."""

    def priced(variant: ProductVariant) -> ProductVariant:
        prepared = staged.variant(variant.id)
        return replace(variant, prices=prepared.prices) if prepared else variant

    return replace(
        current, master_variant=priced(current.master_variant), variants=tuple(map(priced, current.variants))
    )
