"""Images of variants: kept elsewhere, described here by their URL."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from holdfast.commerce.messages.product import ProductImageAdded
from holdfast.commerce.registry import Changed
from holdfast.commerce.resources.product.shape import Image, Product, ProductVariant, products
from holdfast.commerce.resources.product.versions import edited_variant, variant_id_of
from holdfast.commerce.values.value import Natural

Images = tuple[Image, ...]


@products.action("addExternalImage")
def add_external_image(
    product: Product, *, variant_id: int | None = None, sku: str | None = None, image: Image, staged: bool = True
) -> Changed[Product]:
    """Add an image behind the others of its variant."""
    wanted = variant_id_of(product, variant_id, sku)
    after = edited_variant(
        product,
        lambda variant: replace(variant, images=(*variant.images, image)),
        variant_id=wanted,
        sku=None,
        staged=staged,
    )
    return Changed(after, (ProductImageAdded(variant_id=wanted, image=image, staged=staged),))


@products.action("removeImage")
def remove_image(
    product: Product, *, variant_id: int | None = None, sku: str | None = None, image_url: str, staged: bool = True
) -> Product:
    """Remove an image."""
    return _with_images(
        product,
        variant_id,
        sku,
        image_url,
        lambda images: tuple(one for one in images if one.url != image_url),
        staged=staged,
    )


@products.action("moveImageToPosition")
def move_image_to_position(
    product: Product,
    *,
    variant_id: int | None = None,
    sku: str | None = None,
    image_url: str,
    position: Natural,
    staged: bool = True,
) -> Product:
    """Move an image to another place among those of its variant."""

    def moved(images: Images) -> Images:
        image = next(one for one in images if one.url == image_url)
        others = tuple(one for one in images if one is not image)
        return (*others[:position], image, *others[position:])

    return _with_images(product, variant_id, sku, image_url, moved, staged=staged)


@products.action("setImageLabel")
def set_image_label(
    product: Product,
    *,
    variant_id: int | None = None,
    sku: str | None = None,
    image_url: str,
    label: str | None = None,
    staged: bool = True,
) -> Product:
    """Set or remove the label of an image."""

    def labelled(images: Images) -> Images:
        return tuple(replace(one, label=label) if one.url == image_url else one for one in images)

    return _with_images(product, variant_id, sku, image_url, labelled, staged=staged)


def _with_images(
    product: Product,
    variant_id: int | None,
    sku: str | None,
    url: str,
    change: Callable[[Images], Images],
    *,
    staged: bool,
) -> Product:
    """The product with the images of one variant changed; the variant must have the one in question."""

    def changed(variant: ProductVariant) -> ProductVariant | None:
        if all(image.url != url for image in variant.images):
            return None
        return replace(variant, images=change(variant.images))

    return edited_variant(product, changed, variant_id=variant_id, sku=sku, staged=staged, what=f"The image '{url}'")
