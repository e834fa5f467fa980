"""How products come into being and go, and what holds for every product after every change."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from msgspec.structs import replace

from holdfast.base.errors import DuplicateField, DuplicateVariantValues, InvalidOperation
from holdfast.commerce.facts import Facts, Lookup, lookup_of
from holdfast.commerce.messages.product import ProductCreated, ProductDeleted
from holdfast.commerce.registry import Changed, born
from holdfast.commerce.resources.category import categories
from holdfast.commerce.resources.product.projection import Look, projection
from holdfast.commerce.resources.product.shape import (
    VARIANTS_MAX,
    Product,
    ProductCatalogData,
    ProductData,
    ProductDraft,
    ProductVariant,
    ProductVariantDraft,
    products,
)
from holdfast.commerce.resources.product.versions import image_urls
from holdfast.commerce.resources.product_type import ProductType, product_types
from holdfast.commerce.resources.state import check_transition, states
from holdfast.commerce.resources.tax_category import tax_categories
from holdfast.commerce.rules.assets import new_assets
from holdfast.commerce.rules.attributes import check_constraints, checked_attributes, content
from holdfast.commerce.rules.field_values import references_in
from holdfast.commerce.rules.price_drafts import lookups_of, new_prices
from holdfast.commerce.values.reference import Reference, ResourceIdentifier
from holdfast.commerce.values.value import adopt, builtins


@products.create
def create_product(draft: ProductDraft, facts: Facts) -> Changed[Product]:
    """A product whose two versions are the same; with `publish` shoppers see it at once."""
    facts.gather(_lookups(draft))
    product_type = facts.get(product_types, draft.product_type)
    data = _data(draft, product_type, facts)
    product = Product(
        key=draft.key,
        product_type=Reference(type_id="product-type", id=product_type.id),
        master_data=ProductCatalogData(published=draft.publish, current=data, staged=data),
        tax_category=facts.resolve(tax_categories, draft.tax_category) if draft.tax_category else None,
        state=_first_state(draft.state, facts),
        price_mode=draft.price_mode,
        last_variant_id=len(data.all_variants()),
    )
    product = born(product, facts)
    return Changed(product, (ProductCreated(product_projection=projection(product, Look(staged=True))),))


@products.delete
def delete_product(product: Product, facts: Facts) -> Changed[Product]:
    """A product goes with everything it has."""
    data = product.master_data
    urls = image_urls(data.current) | image_urls(data.staged)
    seen = projection(product, Look()) if data.published else None
    return Changed(product, (ProductDeleted(removed_image_urls=tuple(urls), current_projection=seen),))


@products.settle
def settle_product(before: Product | None, after: Product, facts: Facts) -> Product:
    """Check what changed, and tell whether the versions differ."""
    data = after.master_data
    known = (before.master_data.current, before.master_data.staged) if before else ()
    for version in (data.staged, data.current) if data.staged is not data.current else (data.staged,):
        if version not in known:
            _check(version, known, after, facts)
    differ = data.staged is not data.current and data.staged != data.current
    return replace(after, master_data=replace(data, has_staged_changes=differ))


def new_variant(draft: ProductVariantDraft, variant_id: int, product_type: ProductType, facts: Facts) -> ProductVariant:
    """The variant a draft describes."""
    return ProductVariant(
        id=variant_id,
        sku=draft.sku,
        key=draft.key,
        prices=new_prices(draft.prices, facts),
        attributes=checked_attributes(draft.attributes, product_type, "Variant", facts),
        images=draft.images,
        assets=new_assets(draft.assets, facts),
    )


def _data(draft: ProductDraft, product_type: ProductType, facts: Facts) -> ProductData:
    drafts = (draft.master_variant or ProductVariantDraft(), *draft.variants)
    variants = tuple(new_variant(one, number, product_type, facts) for number, one in enumerate(drafts, start=1))
    in_categories = dict.fromkeys(facts.resolve(categories, category).id for category in draft.categories)
    return adopt(
        ProductData,
        draft,
        categories=tuple(Reference(type_id="category", id=category_id) for category_id in in_categories),
        master_variant=variants[0],
        variants=variants[1:],
        attributes=checked_attributes(draft.attributes, product_type, "Product", facts),
    )


def _lookups(draft: ProductDraft) -> Iterator[Lookup]:
    """What the draft points at, to be gathered at once."""
    yield lookup_of(product_types.name, draft.product_type)
    if draft.tax_category:
        yield lookup_of(tax_categories.name, draft.tax_category)
    if draft.state:
        yield lookup_of(states.name, draft.state)
    for category in draft.categories:
        yield lookup_of(categories.name, category)
    for variant in (draft.master_variant, *draft.variants):
        if variant is not None:
            yield from lookups_of(variant.prices)
            yield from references_in([attribute.value for attribute in variant.attributes])


def _first_state(target: ResourceIdentifier | None, facts: Facts) -> Reference | None:
    if target is None:
        return None
    state = facts.get(states, target)
    check_transition(None, state, "ProductState", force=False)
    return Reference(type_id="state", id=state.id)


def _check(version: ProductData, known: tuple[ProductData, ...], product: Product, facts: Facts) -> None:
    variants = version.all_variants()
    if len(variants) > VARIANTS_MAX:
        raise InvalidOperation(f"A product has at most {VARIANTS_MAX} variants.")
    _check_names(variants)
    attributes = _attributes(version)
    if all(attributes != _attributes(earlier) for earlier in known):
        check_constraints(version, facts.get(product_types, product.product_type))


def _attributes(version: ProductData) -> object:
    return version.attributes, [variant.attributes for variant in version.all_variants()]


def _check_names(variants: tuple[ProductVariant, ...]) -> None:
    """SKUs and keys are distinct, and variants without either differ at least in content."""
    for field, published in (("sku", "sku"), ("key", "variants.key")):
        names = [name for name in (getattr(variant, field) for variant in variants) if name is not None]
        if len(set(names)) < len(names):
            raise DuplicateField(published, next(name for name in names if names.count(name) > 1))
    nameless = [(variant, content(variant)) for variant in variants if variant.sku is None and variant.key is None]
    for (_, one), (other, same) in combinations(nameless, 2):
        if one == same:
            raise DuplicateVariantValues(
                "A duplicate combination of the variant values (sku, key, images, prices, attributes) exists.",
                variant_values={"prices": builtins(other.prices), "attributes": builtins(other.attributes)},
            )
