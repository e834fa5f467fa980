"""The fixed parts of the OpenAPI description: parameters, refusals, security, and the token endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from holdfast.base import errors
from holdfast.commerce.scopes import KNOWN
from holdfast.http.schemas import PREFIX

JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_TEXT = {"type": "string"}


def parameters() -> dict[str, Any]:
    def query(name: str, schema: dict[str, Any], text: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "in": "query", "schema": schema, "description": text} | more

    text, texts = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
    return {
        "projectKey": {"name": "projectKey", "in": "path", "required": True, "schema": text},
        "where": query("where", texts, 'Query predicate, e.g. `key = "red"`; several are combined with and.'),
        "variables": query(
            "var",
            {"type": "object", "propertyNames": {"pattern": r"^var\.\w+$"}, "additionalProperties": text},
            "Values of the predicate's variables: `var.name=…`.",
            style="form",
            explode=True,
            example={},
        ),
        "sort": query("sort", texts, "`createdAt desc`, `name.en asc`; several in order of weight."),
        "limit": query("limit", {"type": "integer", "minimum": 0, "maximum": 500, "default": 20}, "Results a page."),
        "offset": query(
            "offset", {"type": "integer", "minimum": 0, "maximum": 10_000, "default": 0}, "Results to skip."
        ),
        "withTotal": query("withTotal", {"type": "boolean", "default": True}, "Whether to count all that match."),
        "expand": query(
            "expand", texts, "References to fill in: `parent`, `ancestors[*]`, `lineItems[*].productType`."
        ),
        "version": query("version", {"type": "integer", "minimum": 0}, "The version seen last.", required=True),
        "dataErasure": query("dataErasure", {"type": "boolean", "default": False}, "Erase personal data for good."),
        "idempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]{1,255}$"},
            "description": "Names this request for 30 days: sent again under the same key it gets the first answer.",
        },
    }


def answer_headers(*, order: bool) -> dict[str, Any]:
    """The headers of what requests under a key are answered, of orders besides."""
    replayed = {"description": "Whether this is the answer of an earlier request under the key.", "schema": _TEXT}
    receipt = {"description": "Where an order is acknowledged (201): the signed proof of it.", "schema": _TEXT}
    return {"Idempotency-Replayed": replayed} | ({"Holdfast-Receipt": receipt} if order else {})


def _codes(kind: type[errors.ApiError]) -> Iterator[type[errors.ApiError]]:
    for below in kind.__subclasses__():
        yield below
        yield from _codes(below)


def refusals() -> dict[str, Any]:
    """One response per status, listing the codes that come with it."""
    by_status: dict[int, set[str]] = {}
    families = {errors.Rejected, errors.Unauthenticated, errors.Forbidden, errors.Unavailable, errors.OAuthRejected}
    for kind in _codes(errors.ApiError):
        if kind not in families and kind not in (errors.IdempotencyKeyTaken, errors.RefusedByExtension):
            by_status.setdefault(kind.status, set()).add(kind.code)
    content = {JSON: {"schema": {"$ref": f"{PREFIX}ErrorResponse"}}}
    return {
        str(status): {"description": f"Codes: {', '.join(sorted(codes))}.", "content": content}
        for status, codes in sorted(by_status.items())
        if status != errors.General.status
    }


def error_response() -> dict[str, Any]:
    entry = {
        "type": "object",
        "required": ["code", "message"],
        "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        "additionalProperties": True,
    }
    return {
        "type": "object",
        "description": "`message` repeats the first error; fields beside `code` and `message` depend on the code.",
        "required": ["statusCode", "message", "errors"],
        "properties": {
            "statusCode": {"type": "integer"},
            "message": {"type": "string"},
            "errors": {"type": "array", "minItems": 1, "items": entry},
            "error": {"type": "string", "description": "OAuth 2 error name, where the token is the reason."},
            "error_description": {"type": "string"},
        },
    }


def security() -> dict[str, Any]:
    scopes = {f"{name}:{{projectKey}}": "" for name in sorted(KNOWN)}
    return {
        "token": {
            "type": "oauth2",
            "description": "Client credentials. Without a scope the token gets all the client owns.",
            "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": scopes}},
        },
        "client": {"type": "http", "scheme": "basic", "description": "The id and secret of an API client."},
        "bearer": {"type": "http", "scheme": "bearer", "description": "A token you already have."},
    }


# --- tokens --------------------------------------------------------------------------------

_PASSWORD = {"username": True, "password": True, "scope": False}
_ANONYMOUS = {"anonymous_id": False, "scope": False}
_STORE = "/oauth/{projectKey}/in-store/key={storeKey}"
_TOKEN_FIELDS: dict[str, dict[str, Any]] = {
    "access_token": _TEXT,
    "token_type": {"const": "Bearer"},
    "expires_in": {"type": "integer", "description": "Seconds."},
    "scope": _TEXT | {"description": "Scopes granted; sessions add `customer_id:{id}` or `anonymous_id:{id}`."},
    "refresh_token": _TEXT | {"description": "Comes with password and anonymous sessions."},
}


def token_schemas() -> dict[str, Any]:
    """What the token endpoints answer."""
    needed = [name for name in _TOKEN_FIELDS if name != "refresh_token"]
    told = {"active": {"type": "boolean"}, "scope": _TEXT, "exp": {"type": "integer"}, "client_id": _TEXT}
    return {
        "Token": {"type": "object", "required": needed, "properties": _TOKEN_FIELDS},
        "TokenIntrospection": {"type": "object", "required": ["active"], "properties": told},
    }


def token_paths() -> dict[str, Any]:
    """`/oauth/…`."""
    either = {"refresh_token": False, "scope": False}
    paths = {
        "/oauth/token": _flow("A token for a client, or a new one for a session", either, "Token", "getToken"),
        "/oauth/introspect": _flow("What a token stands for", {"token": True}, "TokenIntrospection", "introspectToken"),
        "/oauth/token/revoke": _flow("End a token", {"token": True, "token_type_hint": False}, None, "revokeToken"),
    }
    for root, place in (("/oauth/{projectKey}", ""), (_STORE, "InStore")):
        paths[f"{root}/customers/token"] = _flow("A customer's session", _PASSWORD, "Token", f"get{place}CustomerToken")
        paths[f"{root}/anonymous/token"] = _flow("A guest's session", _ANONYMOUS, "Token", f"get{place}AnonymousToken")
    return paths


def _flow(summary: str, fields: dict[str, bool], answer: str | None, name: str) -> dict[str, Any]:
    """One endpoint; `fields` says of each form field whether it is needed."""
    grants = {"grant_type": True} | fields if answer == "Token" else fields
    done: dict[str, Any] = {"description": "Done."}
    if answer:
        done["content"] = {JSON: {"schema": {"$ref": PREFIX + answer}}}
    form = {
        "type": "object",
        "required": [field for field, needed in grants.items() if needed],
        "properties": dict.fromkeys(grants, _TEXT),
    }
    operation = {
        "operationId": name,
        "tags": ["OAuth"],
        "summary": summary,
        "requestBody": {"required": True, "content": {_FORM: {"schema": form}}},
        "responses": {"200": done}
        | {status: {"$ref": f"#/components/responses/{status}"} for status in ("400", "401", "403", "404", "413")},
        "security": [{"client": []}],
    }
    return {"post": operation}
