"""The same purchases with PyPI's `commercetools`, whose typed models read every answer strictly.

This SDK knows client credentials only, so its visitor is a cart with an anonymous id which signing up takes over.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from commercetools import CommercetoolsError
from commercetools.platform import models
from commercetools.platform.client import Client
from tests.clients.scenarios import Plan

KINDS: dict[str, tuple[str, Any]] = {
    "types": ("types", models.TypeDraft),
    "tax-categories": ("tax_categories", models.TaxCategoryDraft),
    "zones": ("zones", models.ZoneDraft),
    "customer-groups": ("customer_groups", models.CustomerGroupDraft),
    "channels": ("channels", models.ChannelDraft),
    "stores": ("stores", models.StoreDraft),
    "shipping-methods": ("shipping_methods", models.ShippingMethodDraft),
    "customers": ("customers", models.CustomerDraft),
    "product-types": ("product_types", models.ProductTypeDraft),
    "categories": ("categories", models.CategoryDraft),
    "products": ("products", models.ProductDraft),
    "inventory": ("inventory", models.InventoryEntryDraft),
}


@dataclass(frozen=True)
class Bought:
    """What a purchase left behind."""

    pictures: list[dict[str, Any]]
    cart: Any
    order: Any


class PythonShopper:
    """Runs the plan with one client."""

    def __init__(self, shop: dict[str, str]) -> None:
        client = Client(  # type: ignore[no-untyped-call] # the package leaves its constructor untyped
            client_id=shop["clientId"],
            client_secret=shop["clientSecret"],
            scope=[f"manage_project:{shop['projectKey']}"],
            url=shop["apiUrl"],
            token_url=f"{shop['authUrl']}/oauth/token",
        )
        # The answers are typed as optional throughout (404 is None); what is missing fails where it is used.
        self.api: Any = client.with_project_key(shop["projectKey"])

    def run(self, plan: Plan) -> Plan:
        self.configure(plan["settings"])
        self.import_all(plan["stages"])
        return {
            "counts": {path: self.collection(path).get(limit=1, with_total=True).total for path in KINDS},
            "browsing": self.browse(plan["browsing"]),
            "purchases": {purchase["name"]: self.purchase(purchase) for purchase in plan["purchases"]},
        }

    def collection(self, path: str) -> Any:
        return getattr(self.api, KINDS[path][0])()

    def configure(self, settings: dict[str, list[str]]) -> None:
        project = self.api.get()
        actions = [
            {"action": f"change{name.title()}", name: settings[name]}
            for name in ("currencies", "countries", "languages")
        ]
        self.api.post(models.ProjectUpdate.deserialize({"version": project.version, "actions": actions}))

    def import_all(self, stages: list[dict[str, Any]]) -> None:
        for stage in stages:
            collection, draft_type = self.collection(stage["path"]), KINDS[stage["path"]][1]
            for draft in stage["drafts"]:
                created = collection.post(draft_type.deserialize(draft))
                assert getattr(created, "customer", created).version == 1

    def browse(self, browsing: Plan) -> Plan:
        categories = self.api.categories().get(where=[f'slug(en = "{browsing["categorySlug"]}")'])
        (category,) = categories.results
        projections = self.api.product_projections()
        in_category = projections.get(where=[f'categories(id = "{category.id}")'], limit=500)
        by_slug = projections.get(
            where=["slug(en = :slug)"], predicate_var={"slug": [browsing["productSlug"]]}, sort=["id asc"]
        )
        return {
            "category": category.key,
            "products": sorted(product.key for product in in_category.results),
            "product": by_slug.results[0].key,
            "attributes": attributes_of(by_slug.results[0].master_variant),
            "prices": [self.projected_price(**probe) for probe in browsing["probes"]],
        }

    def projected_price(
        self, *, sku: str, currency: str, country: str, group: str | None, channel: str | None
    ) -> int | None:
        scope = {"price_currency": currency, "price_country": country}
        if group:
            scope["price_customer_group"] = self.api.customer_groups().with_key(group).get().id
        if channel:
            scope["price_channel"] = self.api.channels().get(where=[f'key = "{channel}"']).results[0].id
        where = [f'masterVariant(sku = "{sku}") or variants(sku = "{sku}")']
        (product,) = self.api.product_projections().get(where=where, **scope).results
        variant = next(one for one in (product.master_variant, *product.variants) if one.sku == sku)
        return variant.price.value.cent_amount if variant.price else None

    def purchase(self, purchase: Plan) -> Plan:
        bought = self.buy(purchase)
        order = self.read_back(purchase, bought)
        return {
            "steps": bought.pictures,
            "order": order,
            "stock": [self.stock(entry["key"]) for entry in purchase["stock"]],
            "soldOut": self.sold_out(purchase),
        }

    def buy(self, purchase: Plan) -> Bought:
        cart = self.visitors_cart(purchase) if purchase["mode"] == "session" else self.somebodys_cart(purchase)
        address = purchase["address"]
        cart = self.update(cart, {"action": "setShippingAddress", "address": address})
        cart = self.update(cart, {"action": "setBillingAddress", "address": address})
        methods = self.api.shipping_methods().matching_cart().get(cart_id=cart.id).results
        assert sorted(method.key for method in methods) == sorted(purchase["offered"])
        chosen = next(method for method in methods if method.key == purchase["shippingMethod"])
        cart = self.update(
            cart, {"action": "setShippingMethod", "shippingMethod": {"typeId": "shipping-method", "id": chosen.id}}
        )
        pictures = [picture(cart)]
        for step in purchase["steps"][1:]:
            cart = self.update(cart, step)
            pictures.append(picture(cart))
        payment = self.api.payments().post(models.PaymentDraft.deserialize(payment_draft(cart.total_price)))
        cart = self.update(cart, {"action": "addPayment", "payment": {"typeId": "payment", "id": payment.id}})
        return Bought(pictures, cart, self.order(cart, orderNumber=purchase["orderNumber"], paymentState="Paid"))

    def visitors_cart(self, purchase: Plan) -> Any:
        """Sign up with the cart of an anonymous session, then sign in."""
        cart = self.create_cart(purchase["cart"] | {"anonymousId": f"visitor-{purchase['name']}"})
        cart = self.update(cart, purchase["steps"][0])
        account = {name: purchase[name] for name in ("email", "password")}
        signed_up = self.api.customers().post(
            models.CustomerDraft.deserialize(account | {"anonymousCart": {"typeId": "cart", "id": cart.id}})
        )
        assert signed_up.cart.id == cart.id
        assert signed_up.cart.customer_id == signed_up.customer.id
        signed_in = self.api.login().post(models.CustomerSignin.deserialize(account))
        assert signed_in.cart.id == cart.id
        return signed_in.cart

    def somebodys_cart(self, purchase: Plan) -> Any:
        buyer = {"customerEmail": purchase["email"]}
        if purchase["customerKey"]:
            buyer = {"customerId": self.grouped_customer(purchase["customerKey"], purchase["customerGroup"])}
        return self.update(self.create_cart(purchase["cart"] | buyer), purchase["steps"][0])

    def grouped_customer(self, key: str, group: str) -> str:
        customer = self.api.customers().with_key(key).get()
        assert customer.shipping_address_ids == [customer.addresses[0].id]
        action = {"action": "setCustomerGroup", "customerGroup": {"typeId": "customer-group", "key": group}}
        update = models.CustomerUpdate.deserialize({"version": customer.version, "actions": [action]})
        grouped = self.api.customers().with_id(customer.id).post(update)
        return str(grouped.id)

    def create_cart(self, draft: dict[str, Any]) -> Any:
        return self.api.carts().post(models.CartDraft.deserialize(draft))

    def update(self, cart: Any, action: dict[str, Any]) -> Any:
        update = models.CartUpdate.deserialize({"version": cart.version, "actions": [action]})
        return self.api.carts().with_id(cart.id).post(update)

    def order(self, cart: Any, **fields: str) -> Any:
        draft = {"cart": {"typeId": "cart", "id": cart.id}, "version": cart.version, **fields}
        return self.api.orders().post(models.OrderFromCartDraft.deserialize(draft))

    def read_back(self, purchase: Plan, bought: Bought) -> dict[str, Any]:
        """Find the order by id, by number and by query, and its cart closed."""
        orders = self.api.orders()
        by_id = orders.with_id(bought.order.id).get(expand=["paymentInfo.payments[*]"])
        assert by_id.payment_info.payments[0].obj.amount_planned.cent_amount == by_id.total_price.cent_amount
        by_number = orders.with_order_number(purchase["orderNumber"]).get()
        by_query = orders.get(where=[f'orderNumber = "{purchase["orderNumber"]}"'])
        assert by_query.results == [by_number]
        assert by_number.id == bought.order.id
        assert by_number.payment_state == models.PaymentState.PAID
        assert self.api.carts().with_id(bought.cart.id).get().cart_state == models.CartState.ORDERED
        return picture(by_id)

    def stock(self, key: str) -> dict[str, Any]:
        entry = self.api.inventory().with_key(key).get()
        return {
            "key": key,
            "quantityOnStock": entry.quantity_on_stock,
            "available": entry.available_quantity,
        }

    def sold_out(self, purchase: Plan) -> list[str] | None:
        gone = next((entry for entry in purchase["stock"] if entry["available"] == 0), None)
        if gone is None:
            return None
        cart = self.create_cart(
            purchase["cart"]
            | {"lineItems": [{"sku": gone["sku"], "quantity": 1}], "shippingAddress": purchase["address"]}
        )
        with pytest.raises(CommercetoolsError) as refused:
            self.order(cart)
        (error,) = refused.value.errors
        assert error["code"] == "OutOfStock"
        skus: list[str] = error["skus"]
        return skus


def attributes_of(variant: Any) -> dict[str, Any]:
    """Enumerations are written by key and read as key and label."""
    return {
        one.name: one.value.get("key", one.value) if isinstance(one.value, dict) else one.value
        for one in variant.attributes
    }


def payment_draft(total: Any) -> dict[str, Any]:
    amount = {"centAmount": total.cent_amount, "currencyCode": total.currency_code}
    return {"amountPlanned": amount, "transactions": [{"type": "Charge", "amount": amount, "state": "Success"}]}


def picture(cart: Any) -> dict[str, Any]:
    """Draw a cart or an order as numbers, in the shape that `expected.totals` works out on its own."""
    portions = [
        {"rate": portion.rate, "name": portion.name, "amount": portion.amount.cent_amount}
        for portion in cart.taxed_price.tax_portions
    ]
    return {
        "lines": {item.variant.sku: line_picture(item, item.price.value) for item in cart.line_items},
        "custom": {item.slug: line_picture(item, item.money) for item in cart.custom_line_items},
        "shipping": {
            "total": cart.shipping_info.price.cent_amount,
            **taxed_picture(cart.shipping_info.taxed_price),
        },
        "total": cart.total_price.cent_amount,
        "taxed": taxed_picture(cart.taxed_price),
        "portions": sorted(portions, key=lambda portion: portion["rate"]),
    }


def line_picture(item: Any, unit: Any) -> dict[str, int]:
    return {
        "unit": unit.cent_amount,
        "quantity": item.quantity,
        "total": item.total_price.cent_amount,
        **taxed_picture(item.taxed_price),
    }


def taxed_picture(taxed: Any) -> dict[str, int]:
    return {
        "net": taxed.total_net.cent_amount,
        "gross": taxed.total_gross.cent_amount,
        "tax": taxed.total_tax.cent_amount,
    }
