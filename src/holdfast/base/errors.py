"""Every rejection a client can meet, named after its published code.

    ApiError                          status
    ├── Rejected                         400   InvalidInput, InvalidField, DuplicateField, OutOfStock …
    ├── Unauthenticated                  401   InvalidToken, InvalidClient
    ├── Forbidden                        403   InsufficientScope
    ├── ResourceNotFound                 404
    ├── ConcurrentModification           409
    ├── RequestTimeout                   408
    ├── ContentTooLarge              413/431
    ├── IdempotencyKeyReuse              422
    ├── TooManyRequests                  429
    ├── DeadlineExceeded                 504
    └── Unavailable              502/503/504   OverCapacity, BadGateway, ExtensionNoResponse …

The class name is the code in the answer unless `code` says otherwise. Fields given to the
constructor are published beside `code` and `message`, camel-cased.
"""

from __future__ import annotations

from typing import Any, ClassVar

from holdfast.base.naming import wire_name


class ApiError(Exception):
    """A refusal with a status, a code, a message and the published extra fields."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "General"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" not in cls.__dict__:
            cls.code = cls.__name__

    def __init__(self, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.message = message
        self.fields = {wire_name(name): value for name, value in fields.items() if value is not None}

    def body(self) -> dict[str, Any]:
        """The published error object: `statusCode`, `message` and a list of `errors`."""
        entry = {"code": self.code, "message": self.message, **self.fields}
        return {"statusCode": self.status, "message": self.message, "errors": [entry]}


class Rejected(ApiError):
    """The request can never succeed as it is."""

    status = 400


class Unauthenticated(ApiError):
    """Nobody we know sent this."""

    status = 401
    oauth_error: ClassVar[str] = "invalid_token"

    def body(self) -> dict[str, Any]:
        return super().body() | {"error": self.oauth_error, "error_description": self.message}


class Forbidden(ApiError):
    """We know who asks, and the answer is no."""

    status = 403


class Unavailable(ApiError):
    """Not now: clients repeat the request."""

    status = 503


class General(ApiError):
    """A bug of ours; the details stay in the log."""

    def __init__(self, message: str = "Internal error.", **fields: Any) -> None:
        super().__init__(message, **fields)


# --- the shape of the request --------------------------------------------------------------


class InvalidJsonInput(Rejected):
    """Not JSON, or JSON of another shape. `detailedErrorMessage` carries the path."""

    def __init__(self, detail: str) -> None:
        super().__init__("Request body does not contain valid JSON.", detailed_error_message=detail)


class InvalidInput(Rejected): ...


class QueryTimedOut(Rejected):
    """A query no index helps; the same one again would take as long."""

    def __init__(self) -> None:
        super().__init__("The query took too long; ask for less, or for fields that are indexed.")


class InvalidField(Rejected):
    """A value that is not allowed in this field."""

    def __init__(self, field: str, invalid_value: Any, message: str | None = None, **fields: Any) -> None:
        text = message or f"The value '{invalid_value}' is not valid for field '{field}'."
        super().__init__(text, field=field, invalid_value=invalid_value, **fields)


class RequiredField(Rejected):
    def __init__(self, field: str, message: str | None = None) -> None:
        super().__init__(message or f"A value is required for field '{field}'.", field=field)


class ContentTooLarge(ApiError):
    status = 413


class HeadTooLarge(ContentTooLarge):
    """The line and the headers of a request; published for bodies."""

    status = 431
    code = ContentTooLarge.code


class RequestTimeout(ApiError):
    """The request itself arrived too slowly; its connection is closed."""

    status = 408


class IdempotencyKeyReuse(ApiError):
    """A key that was used for another request; our own code, with the status the IETF draft asks for."""

    status = 422

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The Idempotency-Key '{key}' was used for another request; a new request needs a new key.",
            field="Idempotency-Key",
        )


class MaxResourceLimitExceeded(Rejected): ...


# --- what the request points at ------------------------------------------------------------


class ResourceNotFound(ApiError):
    status = 404

    @classmethod
    def by_id(cls, resource_id: str) -> ResourceNotFound:
        return cls(f"The Resource with ID '{resource_id}' was not found.")

    @classmethod
    def by_key(cls, key: str) -> ResourceNotFound:
        return cls(f"The Resource with key '{key}' was not found.")


class TokenNotFound(Rejected):
    """An unknown password or e-mail token: published as ResourceNotFound with status 400."""

    code = "ResourceNotFound"

    def __init__(self, value: str) -> None:
        super().__init__(f"The Customer with ID 'Token({value})' was not found.")


class ReferencedResourceNotFound(Rejected):
    def __init__(self, type_id: str, *, id: str | None = None, key: str | None = None) -> None:
        what = f"identifier '{id}'" if id is not None else f"key '{key}'"
        super().__init__(
            f"The referenced object of type '{type_id}' with {what} was not found.", type_id=type_id, id=id, key=key
        )


class ReferenceExists(Rejected):
    def __init__(self, referenced_by: str) -> None:
        super().__init__(
            f"Can not delete a resource while it is referenced from at least one '{referenced_by}'.",
            referenced_by=referenced_by,
        )


class DuplicateField(Rejected):
    def __init__(self, field: str, duplicate_value: Any, conflicting_resource: dict[str, str] | None = None) -> None:
        super().__init__(
            # By this very sentence shops tell a taken email from other refusals.
            "There is already an existing customer with the provided email."
            if field == "email"
            else f"A duplicate value '\"{duplicate_value}\"' exists for field '{field}'.",
            field=field,
            duplicate_value=duplicate_value,
            conflicting_resource=conflicting_resource,
        )


# --- state and time ------------------------------------------------------------------------


class ConcurrentModification(ApiError):
    status = 409

    def __init__(self, resource_id: str, expected: int, actual: int) -> None:
        super().__init__(
            f"Object {resource_id} has a different version than expected. Expected: {expected} - Actual: {actual}.",
            current_version=actual,
        )
        self.resource_id = resource_id


class InvalidOperation(Rejected): ...


# --- selling -------------------------------------------------------------------------------


class OutOfStock(Rejected):
    def __init__(self, line_items: list[str], skus: list[str]) -> None:
        text = f"Some line items are out of stock at the moment of placing the order: {', '.join(skus)}."
        super().__init__(text, line_items=line_items, skus=skus)


class LineItemQuantityAboveLimit(Rejected):
    def __init__(self, line_item: str, quantity: int, max_cart_quantity: int) -> None:
        super().__init__(
            f"Quantity '{quantity}' greater than maximum '{max_cart_quantity}'.",
            quantity=quantity,
            max_cart_quantity=max_cart_quantity,
            line_item=line_item,
        )


class LineItemQuantityBelowLimit(Rejected):
    def __init__(self, line_item: str, quantity: int, min_cart_quantity: int) -> None:
        super().__init__(
            f"Quantity '{quantity}' less than minimum '{min_cart_quantity}'.",
            quantity=quantity,
            min_cart_quantity=min_cart_quantity,
            line_item=line_item,
        )


class PriceChanged(Rejected):
    def __init__(self, line_items: list[str], *, shipping: bool) -> None:
        super().__init__(
            "The price or tax of some line items changed while placing the order.",
            line_items=line_items,
            shipping=shipping,
        )


class MatchingPriceNotFound(Rejected): ...


class MissingTaxRateForCountry(Rejected): ...


class DiscountCodeNonApplicable(Rejected): ...


class InsufficientBalance(Rejected):
    """Our own: a gift card that does not cover what it shall pay."""


class ShippingMethodDoesNotMatchCart(Rejected): ...


class InvalidItemShippingDetails(Rejected): ...


class CountryNotConfiguredInStore(Rejected): ...


class MissingRoleOnChannel(Rejected): ...


class DuplicatePriceScope(Rejected): ...


class DuplicatePriceKey(Rejected): ...


class OverlappingPriceValidity(Rejected): ...


# --- product types and attributes ----------------------------------------------------------


class DuplicateVariantValues(Rejected): ...


class DuplicateAttributeValue(Rejected): ...


class DuplicateAttributeValues(Rejected): ...


class AttributeDefinitionAlreadyExists(Rejected): ...


class AttributeDefinitionTypeConflict(Rejected): ...


class AttributeNameDoesNotExist(Rejected): ...


class EnumKeyAlreadyExists(Rejected): ...


class EnumKeyDoesNotExist(Rejected): ...


class EnumValueIsUsed(Rejected): ...


class EnumValuesMustMatch(Rejected): ...


class DuplicateEnumValues(Rejected): ...


# --- customers and sessions ----------------------------------------------------------------


class InvalidCredentials(Rejected):
    def __init__(self) -> None:
        super().__init__("Account with the given credentials not found.")


class InvalidCurrentPassword(Rejected):
    def __init__(self) -> None:
        super().__init__("The given current password does not match.")


class ExpiredCustomerPasswordToken(Rejected): ...


class ExpiredCustomerEmailToken(Rejected): ...


class InvalidToken(Unauthenticated):
    code = "invalid_token"


class InvalidClient(Unauthenticated):
    code = "invalid_client"
    oauth_error = "invalid_client"


class OAuthRejected(Rejected):
    """A refused token request; `error` is the OAuth 2 error name (RFC 6749 §5.2)."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.oauth_error = error

    def body(self) -> dict[str, Any]:
        entry = {"code": self.oauth_error, "message": self.message}
        return {
            "statusCode": self.status,
            "message": self.message,
            "errors": [entry],
            "error": self.oauth_error,
            "error_description": self.message,
        }


class InsufficientScope(Forbidden):
    code = "insufficient_scope"

    def __init__(self, message: str = "Insufficient scope.") -> None:
        super().__init__(message)

    def body(self) -> dict[str, Any]:
        return super().body() | {"error": self.code, "error_description": self.message}


# --- extensions ----------------------------------------------------------------------------


class ExtensionNoResponse(Unavailable):
    """The extension did not answer in time, could not be reached, or is not asked for now. Nothing was changed."""

    status = 504

    def __init__(self, message: str, extension_id: str, extension_key: str | None) -> None:
        super().__init__(message, extension_id=extension_id, extension_key=extension_key)


class ExtensionBadResponse(Unavailable):
    """The extension answered something that is no answer. Nothing was changed."""

    status = 502

    def __init__(
        self, message: str, extension_id: str, extension_key: str | None, *, status: int | None, body: str | None
    ) -> None:
        super().__init__(
            message,
            extension_id=extension_id,
            extension_key=extension_key,
            extension_errors=[],
            extension_status_code=status,
            extension_body=body,
        )


class ExtensionUpdateActionsFailed(Rejected):
    """What the extension asked to be done as well cannot be done."""

    def __init__(self, extension_errors: list[dict[str, Any]]) -> None:
        super().__init__(
            "The extension returned update actions that could not be executed.", extension_errors=extension_errors
        )


class RefusedByExtension(Rejected):
    """An extension said no, in its own words and codes; its first code is ours."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        super().__init__(str(entries[0]["message"]))
        self._entries = entries

    def body(self) -> dict[str, Any]:
        return {"statusCode": self.status, "message": self.message, "errors": self._entries}


class CircularDependency(Rejected):
    def __init__(self, names: list[str]) -> None:
        super().__init__(f"Circular dependency detected: [{', '.join(names)}]")


class MissingDependency(Rejected):
    def __init__(self, names: list[str]) -> None:
        super().__init__(f"The extensions '[{', '.join(names)}]' referenced in 'dependencies' do not exist.")


class ExtensionChainTooDeep(Rejected):
    def __init__(self, depth: int, depth_max: int) -> None:
        super().__init__(f"The dependency chain depth {depth} exceeds the maximum allowed depth of {depth_max}")


class ExtensionChainTooWide(Rejected):
    def __init__(self, breadth_max: int) -> None:
        super().__init__(f"Extension chain breadth exceeds the maximum allowed breadth of {breadth_max}")


class ExtensionDependencyExists(Rejected):
    def __init__(self, names: list[str]) -> None:
        super().__init__(f"The extension cannot be deleted because it is a prerequisite for: [{', '.join(names)}].")


# --- capacity ------------------------------------------------------------------------------


class OverCapacity(Unavailable):
    def __init__(self, message: str = "Too many requests are waiting; try again.") -> None:
        super().__init__(message)


class TooManyRequests(ApiError):
    """More than this caller may ask for; nothing of the request was read. Our own code: none is published for 429."""

    status = 429


class DeadlineExceeded(ApiError):
    """The time the client gave is over, and nothing was changed."""

    status = 504

    def __init__(self, message: str = "The request's deadline has passed; nothing was changed.") -> None:
        super().__init__(message)


class BadGateway(Unavailable):
    status = 502

    def __init__(self, message: str = "The database cannot be reached; try again.") -> None:
        super().__init__(message)


class IdempotencyKeyTaken(ApiError):
    """A change under a key that was used before; whoever sees it answers what was answered then. Never sent."""

    status = 409

    def __init__(self, key: str) -> None:
        super().__init__(f"The idempotency key '{key}' was used before.")


class PendingOperation(Unavailable):
    def __init__(self, message: str = "The outcome of this request is not known yet; ask again.") -> None:
        super().__init__(message)
