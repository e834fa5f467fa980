"""Line items: adding variants, changing how many there are, and prices given from outside."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.base.errors import InvalidField, InvalidOperation, MaxResourceLimitExceeded, RequiredField
from holdfast.commerce.facts import Facts
from holdfast.commerce.resources.cart import targets
from holdfast.commerce.resources.cart.drafts import (
    QUANTITY_MAX,
    Count,
    ExternalTaxRateDraft,
    ExternalTotalDraft,
    InventoryMode,
    ItemShippingDetailsDraft,
    LineItemDraft,
    MethodExternalTaxRateDraft,
    RecurrenceInfoDraft,
)
from holdfast.commerce.resources.cart.guard import pricing_action
from holdfast.commerce.resources.cart.parts import (
    cents_in,
    channel_with,
    check_item_key,
    check_recurrence,
    external_rate,
    initial_state,
    money_in,
    wanted_line,
    with_line,
)
from holdfast.commerce.resources.cart.shape import LINE_ITEMS_MAX, Cart, LineItem, MethodTaxRate
from holdfast.commerce.resources.product.shape import Product, ProductVariant, products
from holdfast.commerce.rules.custom_fields import custom_fields
from holdfast.commerce.rules.item_prices import cart_price, on_sale, totalled
from holdfast.commerce.rules.item_taxes import require_tax_mode
from holdfast.commerce.values.custom_fields import CustomFieldsDraft
from holdfast.commerce.values.money import MoneyDraft, money
from holdfast.commerce.values.price import Price
from holdfast.commerce.values.reference import ResourceIdentifier
from holdfast.commerce.values.value import Instant, Key, Positive, Quantity

# --- finding what is to be sold ------------------------------------------------------------


def wanted_variant(draft: LineItemDraft, facts: Facts) -> tuple[Product, ProductVariant]:
    """The published variant a draft names. Raises RequiredField, InvalidField or ReferencedResourceNotFound."""
    if draft.product_id is not None:
        product = facts.get(products, draft.product_id)
        if not on_sale(product):
            raise InvalidField("productId", draft.product_id, f"The product '{draft.product_id}' is not published.")
        return product, _variant_of(product, draft)
    if draft.sku is None:
        raise RequiredField("sku", "Either 'productId' with 'variantId', or 'sku' is required.")
    found = facts.find_by(products, "sku", draft.sku)
    variant = found.master_data.current.variant_by_sku(draft.sku) if found is not None else None
    if found is None or variant is None or not on_sale(found):
        raise InvalidField("sku", draft.sku, f"No published product with an sku '{draft.sku}' found.")
    return found, variant


def _variant_of(product: Product, draft: LineItemDraft) -> ProductVariant:
    data = product.master_data.current
    if draft.variant_id is not None:
        variant = data.variant(draft.variant_id)
        if variant is None:
            raise InvalidField("variantId", draft.variant_id, f"Product '{product.id}' has no such variant.")
        return variant
    if draft.sku is not None:
        variant = data.variant_by_sku(draft.sku)
        if variant is None:
            raise InvalidField("sku", draft.sku, f"Product '{product.id}' has no variant with this sku.")
        return variant
    return data.master_variant


def product_data(item: LineItem, product: Product, variant: ProductVariant) -> LineItem:
    """The line with the product data of now; attributes of the product join those of the variant."""
    data = product.master_data.current
    if data.attributes:
        variant = replace(variant, attributes=(*data.attributes, *variant.attributes))
    return replace(
        item,
        product_key=product.key,
        name=data.name,
        product_slug=data.slug,
        product_type=product.product_type,
        variant=variant,
    )


# --- adding --------------------------------------------------------------------------------


def add_line(cart: Cart, draft: LineItemDraft, facts: Facts) -> Cart:
    """The cart with so many units more: on the line that is alike, or on a new one."""
    product, variant = wanted_variant(draft, facts)
    check_recurrence(draft.recurrence_info, facts)
    line = _new_line(cart, draft, product, variant, facts)
    twin = find_twin(cart, line) if draft.external_price is None and draft.external_total_price is None else None
    if twin is not None:
        added = with_quantity(twin, twin.quantity + draft.quantity, cart, facts)
        return with_line(cart, targets.merged(added, draft.shipping_details, cart))
    check_item_key(cart.line_items, draft.key, "lineItems.key")
    if len(cart.line_items) >= LINE_ITEMS_MAX:
        raise MaxResourceLimitExceeded(f"A cart can have at most {LINE_ITEMS_MAX} line items.")
    return replace(cart, line_items=(*cart.line_items, line))


def find_twin(cart: Cart, line: LineItem) -> LineItem | None:
    """The line that units like these belong to: same variant, custom fields, channels and mode.

    Lines priced from outside stay apart, as do lines whose key or external tax rate differs.
    """
    if line.price_mode != "Platform":
        return None
    for known in cart.line_items:
        if (
            known.product_id == line.product_id
            and known.variant.id == line.variant.id
            and known.price_mode == "Platform"
            and known.line_item_mode == line.line_item_mode
            and known.supply_channel == line.supply_channel
            and known.distribution_channel == line.distribution_channel
            and known.inventory_mode == line.inventory_mode
            and known.custom == line.custom
            and line.key in (None, known.key)
            and line.tax_rate in (None, known.tax_rate)
        ):
            return known
    return None


def _new_line(cart: Cart, draft: LineItemDraft, product: Product, variant: ProductVariant, facts: Facts) -> LineItem:
    distribution = channel_with("ProductDistribution", draft.distribution_channel, cart, facts)
    external = draft.external_price is not None or draft.external_total_price is not None
    price = None if external else cart_price(cart, product, variant, distribution, facts)
    inventory_mode = draft.inventory_mode if draft.inventory_mode != cart.inventory_mode else None
    line = LineItem(
        id=facts.new_id(),
        key=draft.key,
        product_id=product.id,
        name=product.master_data.current.name,
        product_type=product.product_type,
        variant=variant,
        price=price or Price(id="", value=money(0, cart.currency)),
        quantity=draft.quantity,
        total_price=money(0, cart.currency),
        state=initial_state(draft.quantity, facts),
        supply_channel=channel_with("InventorySupply", draft.supply_channel, cart, facts),
        distribution_channel=distribution,
        price_mode="Platform",
        line_item_mode="Standard",
        inventory_mode=inventory_mode,
        custom=custom_fields(draft.custom, "line-item", facts),
        shipping_details=targets.details_of(draft.shipping_details, draft.quantity, cart),
        added_at=draft.added_at or facts.now,
        last_modified_at=facts.now,
    )
    line = product_data(line, product, variant)
    line = _with_external_rates(line, cart, draft)
    if draft.external_total_price is not None:
        return with_external_total(line, draft.external_total_price, cart, facts)
    if draft.external_price is not None:
        return with_external_price(line, draft.external_price, cart, facts)
    return totalled(line, cart)


def _with_external_rates(line: LineItem, cart: Cart, draft: LineItemDraft) -> LineItem:
    """The line with the rates given for it; where there are several shipping methods, one for each."""
    if draft.external_tax_rate is not None:
        require_tax_mode(cart, "External", "An externalTaxRate")
        if cart.shipping_mode == "Single":
            line = replace(line, tax_rate=external_rate(draft.external_tax_rate, "externalTaxRate"))
    if draft.per_method_external_tax_rate:
        require_tax_mode(cart, "External", "A perMethodExternalTaxRate")
        line = replace(line, per_method_tax_rate=method_rates(draft.per_method_external_tax_rate))
    return line


def method_rates(drafts: tuple[MethodExternalTaxRateDraft, ...]) -> tuple[MethodTaxRate, ...]:
    path = "perMethodExternalTaxRate.taxRate"
    return tuple(
        MethodTaxRate(
            shipping_method_key=draft.shipping_method_key,
            tax_rate=external_rate(draft.tax_rate, path) if draft.tax_rate is not None else None,
        )
        for draft in drafts
    )


@pricing_action("addLineItem")
def add_line_item(
    cart: Cart,
    facts: Facts,
    *,
    key: Key | None = None,
    product_id: str | None = None,
    variant_id: Positive | None = None,
    sku: str | None = None,
    quantity: Count = 1,
    added_at: Instant | None = None,
    distribution_channel: ResourceIdentifier | None = None,
    supply_channel: ResourceIdentifier | None = None,
    external_price: MoneyDraft | None = None,
    external_total_price: ExternalTotalDraft | None = None,
    external_tax_rate: ExternalTaxRateDraft | None = None,
    per_method_external_tax_rate: tuple[MethodExternalTaxRateDraft, ...] = (),
    inventory_mode: InventoryMode | None = None,
    shipping_details: ItemShippingDetailsDraft | None = None,
    recurrence_info: RecurrenceInfoDraft | None = None,
    custom: CustomFieldsDraft | None = None,
) -> Cart:
    """Add units of a variant: by `sku`, or by `productId` and `variantId` (the master variant if left out)."""
    draft = LineItemDraft(
        key=key,
        product_id=product_id,
        variant_id=variant_id,
        sku=sku,
        quantity=quantity,
        added_at=added_at,
        distribution_channel=distribution_channel,
        supply_channel=supply_channel,
        external_price=external_price,
        external_total_price=external_total_price,
        external_tax_rate=external_tax_rate,
        per_method_external_tax_rate=per_method_external_tax_rate,
        inventory_mode=inventory_mode,
        shipping_details=shipping_details,
        recurrence_info=recurrence_info,
        custom=custom,
    )
    return add_line(cart, draft, facts)


# --- how many ------------------------------------------------------------------------------


def with_quantity(item: LineItem, quantity: int, cart: Cart, facts: Facts) -> LineItem:
    """The line with another quantity, and the total that follows from it."""
    if quantity > QUANTITY_MAX:
        raise InvalidField("quantity", quantity, f"A line item can have at most {QUANTITY_MAX} units.")
    changed = replace(
        item,
        quantity=quantity,
        state=initial_state(quantity, facts),
        discounted_price_per_quantity=(),
        last_modified_at=facts.now,
    )
    return totalled(targets.revalidated(changed), cart)


def without_line(cart: Cart, item: LineItem) -> Cart:
    """The cart without a line; a gift that is removed is refused for good."""
    cart = replace(cart, line_items=tuple(kept for kept in cart.line_items if kept.id != item.id))
    if item.line_item_mode != "GiftLineItem":
        return cart
    discounts = (
        included.discount
        for lot in item.discounted_price_per_quantity
        for included in lot.discounted_price.included_discounts
    )
    return replace(cart, refused_gifts=tuple(dict.fromkeys((*cart.refused_gifts, *discounts))))


def check_not_gift(item: LineItem) -> None:
    """Raises InvalidOperation for a gift: how many there are and what they cost is the discount's business."""
    if item.line_item_mode == "GiftLineItem":
        raise InvalidOperation(f"The line item '{item.id}' is a gift: it can only be removed.")


def _requantified(
    cart: Cart,
    item: LineItem,
    quantity: int,
    facts: Facts,
    *,
    external_price: MoneyDraft | None,
    external_total: ExternalTotalDraft | None,
) -> LineItem:
    """The line at its new quantity; a total from outside is void unless a new one comes along."""
    changed = with_quantity(item, quantity, cart, facts)
    if external_total is not None:
        return with_external_total(changed, external_total, cart, facts)
    if external_price is not None:
        return with_external_price(changed, external_price, cart, facts)
    return with_platform_price(changed, cart, facts) if item.price_mode == "ExternalTotal" else changed


@pricing_action("changeLineItemQuantity")
def change_line_item_quantity(
    cart: Cart,
    facts: Facts,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    quantity: Quantity,
    external_price: MoneyDraft | None = None,
    external_total_price: ExternalTotalDraft | None = None,
) -> Cart:
    """Set how many units a line has; zero removes it."""
    item = wanted_line(cart, line_item_id, line_item_key)
    if quantity == 0:
        return without_line(cart, item)
    check_not_gift(item)
    if quantity == item.quantity and external_price is None and external_total_price is None:
        return cart
    return with_line(
        cart,
        _requantified(cart, item, quantity, facts, external_price=external_price, external_total=external_total_price),
    )


@pricing_action("removeLineItem")
def remove_line_item(
    cart: Cart,
    facts: Facts,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    quantity: Count | None = None,
    external_price: MoneyDraft | None = None,
    external_total_price: ExternalTotalDraft | None = None,
    shipping_details_to_remove: ItemShippingDetailsDraft | None = None,
) -> Cart:
    """Take units off a line, or the whole line."""
    item = wanted_line(cart, line_item_id, line_item_key)
    left = item.quantity - quantity if quantity is not None else 0
    if left <= 0:
        return without_line(cart, item)
    changed = _requantified(cart, item, left, facts, external_price=external_price, external_total=external_total_price)
    return with_line(cart, targets.without(changed, shipping_details_to_remove, cart))


@pricing_action("changeLineItemsOrder")
def change_line_items_order(cart: Cart, *, line_item_order: tuple[str, ...]) -> Cart:
    """Put the lines in another order: all of them, each once."""
    by_id = {item.id: item for item in cart.line_items}
    if len(line_item_order) != len(by_id) or set(line_item_order) != by_id.keys():
        raise InvalidOperation("'lineItemOrder' must name every line item of the cart exactly once.")
    return replace(cart, line_items=tuple(by_id[item_id] for item_id in line_item_order))


# --- prices from outside -------------------------------------------------------------------


def with_external_price(item: LineItem, draft: MoneyDraft, cart: Cart, facts: Facts) -> LineItem:
    """The line at a unit price of the client's."""
    price = Price(id=facts.new_id(), value=money_in(draft, cart, "externalPrice"))
    return totalled(replace(item, price=price, price_mode="ExternalPrice", last_modified_at=facts.now), cart)


def with_external_total(item: LineItem, draft: ExternalTotalDraft, cart: Cart, facts: Facts) -> LineItem:
    """The line at a unit price and a total of the client's."""
    changed = replace(
        item,
        price=Price(id=facts.new_id(), value=money_in(draft.price, cart, "externalTotalPrice.price")),
        total_price=cents_in(draft.total_price, cart, "externalTotalPrice.totalPrice"),
        price_mode="ExternalTotal",
        discounted_price_per_quantity=(),
        last_modified_at=facts.now,
    )
    if cart.tax_mode == "ExternalAmount":
        changed = replace(changed, taxed_price=None, tax_rate=None, taxed_price_portions=(), per_method_tax_rate=())
    return changed


def with_platform_price(item: LineItem, cart: Cart, facts: Facts) -> LineItem:
    """The line back at the price the cart selects."""
    product = facts.get(products, item.product_id)
    variant = product.master_data.current.variant(item.variant.id)
    price = cart_price(cart, product, variant or item.variant, item.distribution_channel, facts)
    return totalled(replace(item, price=price, price_mode="Platform", last_modified_at=facts.now), cart)


@pricing_action("setLineItemPrice")
def set_line_item_price(
    cart: Cart,
    facts: Facts,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    external_price: MoneyDraft | None = None,
) -> Cart:
    """Set the unit price from outside; without one, the line returns to the price the cart selects."""
    item = wanted_line(cart, line_item_id, line_item_key)
    check_not_gift(item)
    if external_price is not None:
        return with_line(cart, with_external_price(item, external_price, cart, facts))
    return with_line(cart, with_platform_price(item, cart, facts)) if item.price_mode == "ExternalPrice" else cart


@pricing_action("setLineItemTotalPrice")
def set_line_item_total_price(
    cart: Cart,
    facts: Facts,
    *,
    line_item_id: str | None = None,
    line_item_key: str | None = None,
    external_total_price: ExternalTotalDraft | None = None,
) -> Cart:
    """Set unit price and total from outside; without them, the line returns to the price the cart selects."""
    item = wanted_line(cart, line_item_id, line_item_key)
    check_not_gift(item)
    if external_total_price is not None:
        return with_line(cart, with_external_total(item, external_total_price, cart, facts))
    return with_line(cart, with_platform_price(item, cart, facts)) if item.price_mode == "ExternalTotal" else cart
