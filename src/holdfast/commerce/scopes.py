"""What an API client or a token may do: scopes as published, and what each of them implies.

On the wire a scope is `name:{projectKey}`, or `name:{projectKey}:{part}` where it is fenced to one
store (or one container of custom objects). Inside, a token belongs to one project, so its scopes
are kept as `name` and `name:part`, with everything they imply spelled out: asking is one lookup.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from holdfast.base.errors import OAuthRejected

EVERYTHING = "manage_project"
# API clients hand out rights themselves, so `manage_project` does not reach them.
BEYOND_EVERYTHING = frozenset({"manage_api_clients", "view_api_clients"})

# Each area has a `view_` and a `manage_` scope, the second implying the first.
AREAS = (
    "api_clients",
    "approval_flows",
    "approval_rules",
    "associate_roles",
    "attribute_groups",
    "business_units",
    "cart_discounts",
    "categories",
    "channels",
    "customer_groups",
    "customers",
    "discount_codes",
    "discount_groups",
    "extensions",
    "import_containers",
    "inventory",
    "key_value_documents",
    "order_edits",
    "orders",
    "payment_methods",
    "payments",
    "product_discounts",
    "product_selections",
    "product_tailoring",
    "product_types",
    "products",
    "project_settings",
    "quote_requests",
    "quotes",
    "recurring_orders",
    "reviews",
    "shipping_methods",
    "shopping_lists",
    "staged_quotes",
    "standalone_prices",
    "states",
    "stores",
    "subscriptions",
    "tax_categories",
    "types",
    "zones",
)
SINGLE = (
    EVERYTHING,
    "create_anonymous_token",
    "introspect_oauth_tokens",
    "manage_locked_carts",
    "manage_my_business_units",
    "manage_my_orders",
    "manage_my_payments",
    "manage_my_profile",
    "manage_my_quote_requests",
    "manage_my_quotes",
    "manage_my_shopping_lists",
    "view_audit_log",
    "view_messages",
    "view_published_products",
)
KNOWN = frozenset({*SINGLE, *(f"{verb}_{area}" for verb in ("view", "manage") for area in AREAS)})

# Areas that were split off others later (release notes of 2019 and 2020): the older, wider scope
# still opens them.
PARTS = {
    "customers": ("customer_groups",),
    "orders": ("cart_discounts", "discount_codes", "shipping_methods", "tax_categories", "zones"),
    "products": (
        "categories",
        "channels",
        "inventory",
        "product_discounts",
        "product_selections",
        "product_types",
        "standalone_prices",
        "tax_categories",
    ),
}

# Whoever has carts may see what they can be shipped by.
WITH_CARTS = dict.fromkeys(("view_orders", "manage_orders", "manage_my_orders"), "view_shipping_methods")


@cache
def implied(name: str) -> frozenset[str]:
    """The scope names that come with one, itself included."""
    verb, _, area = name.partition("_")
    if area not in AREAS:
        return frozenset({name, WITH_CARTS.get(name, name)})
    found = {f"{verb}_{part}" for part in (area, *PARTS.get(area, ()))}
    if verb == "manage":
        found |= {f"view_{part}" for part in (area, *PARTS.get(area, ()))}
    if "view_products" in found:
        found.add("view_published_products")
    return frozenset(found)


def granted(text: str, project: str) -> frozenset[str]:
    """The rights a scope text gives in a project, spelled out.

    Raises OAuthRejected (`invalid_scope`) for a name nobody knows or another project's scope.
    """
    rights: set[str] = set()
    for scope in text.split():
        name, part = _read(scope, project)
        # A fenced `manage_orders` opens the orders of one store, not the tax categories of all.
        names = implied(name) if part is None else _same_area(name)
        rights.update(names if part is None else (f"{each}:{part}" for each in names))
    return frozenset(rights)


def _same_area(name: str) -> frozenset[str]:
    verb, _, area = name.partition("_")
    viewing = f"view_{area}" if verb == "manage" and area in AREAS else name
    return frozenset({name, viewing, WITH_CARTS.get(name, name)})


def _read(scope: str, project: str) -> tuple[str, str | None]:
    name, _, rest = scope.partition(":")
    owner, fenced, part = rest.partition(":")
    if name not in KNOWN or owner != project or (fenced and not part):
        raise OAuthRejected("invalid_scope", f"The scope '{scope}' is not known in project '{project}'.")
    return name, part if fenced else None


def allows(rights: frozenset[str], needed: str, store_key: str | None = None) -> bool:
    """Whether these rights reach `needed`, in the store of the request if it names one."""
    if needed in rights or (EVERYTHING in rights and needed not in BEYOND_EVERYTHING):
        return True
    return store_key is not None and f"{needed}:{store_key}" in rights


def narrowed(owned: str, asked: str | None, project: str) -> str:
    """The scope text of a token: what was asked for, or all the client owns.

    Raises OAuthRejected (`invalid_scope`) for anything beyond the client.
    """
    if not asked or not asked.split():
        return owned
    rights = granted(owned, project)
    for scope in asked.split():
        if not _covers(rights, granted(scope, project)):
            raise OAuthRejected("invalid_scope", f"The API client does not own the scope '{scope}'.")
    return " ".join(dict.fromkeys(asked.split()))


def _covers(rights: frozenset[str], asked: Iterable[str]) -> bool:
    """Whether every asked right is among the owned ones; a fenced one is covered by its open twin."""
    for right in asked:
        name, _, part = right.partition(":")
        if not allows(rights, name, part or None):
            return False
    return True


def of_all_rights(project: str) -> str:
    """The scope text of a project's first client."""
    return f"{EVERYTHING}:{project} manage_api_clients:{project}"
