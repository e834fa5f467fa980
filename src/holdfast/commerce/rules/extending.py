"""What extensions are told and what their answers mean; the calls between the two are not made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from holdfast.commerce.predicates.evaluate import matches
from holdfast.commerce.predicates.tree import Predicate
from holdfast.commerce.resources.extension.shape import Extension
from holdfast.commerce.values.value import Value

# Published: update actions an extension may answer with.
ACTIONS_MAX = 100
# Errors of a refusal that are passed on, and what of a bad answer is shown.
ERRORS_MAX = 50
SHOWN_CHARACTERS_MAX = 2_000


class Accepted(NamedTuple):
    """Go on; `actions` to be done as well, not yet understood."""

    actions: Sequence[msgspec.Raw] = ()


class Refused(NamedTuple):
    """The change must not be made."""

    errors: Sequence[Mapping[str, Any]]


class Unusable(NamedTuple):
    """No answer at all, whatever the status says."""

    why: str


Verdict = Accepted | Refused | Unusable


class _Acceptance(Value):
    actions: tuple[msgspec.Raw, ...] = ()


class _Error(Value):
    code: str
    message: str
    localized_message: dict[str, str] | None = None
    extension_extra_info: Any = None


class _Refusal(Value):
    errors: tuple[_Error, ...]


_acceptances = msgspec.json.Decoder(_Acceptance)
_refusals = msgspec.json.Decoder(_Refusal)


def verdict_of(status: int, body: bytes) -> Verdict:
    """What an answer says. Nothing that is sent to us makes this raise."""
    try:
        if status in (200, 201):
            accepted = _acceptances.decode(body) if body.strip() else _Acceptance()
            if len(accepted.actions) > ACTIONS_MAX:
                return Unusable(f"The extension returned more than {ACTIONS_MAX} update actions.")
            return Accepted(accepted.actions)
        if status == 400:
            refused = _refusals.decode(body)
            if refused.errors:
                return Refused([msgspec.to_builtins(error) for error in refused.errors[:ERRORS_MAX]])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError):
        return Unusable("The extension did not return the expected JSON.")
    return Unusable(f"The extension returned the status {status}.")


def actions_body(actions: Sequence[msgspec.Raw]) -> bytes:
    """Actions as the update request a client would have sent."""
    return b'{"version":0,"actions":[' + b",".join(bytes(action) for action in actions) + b"]}"


def is_meant(conditions: Sequence[Predicate | None], body: bytes) -> bool:
    """Whether one of a trigger's conditions holds for the resource as it would be; none given always holds."""
    if None in conditions:
        return True
    document = msgspec.json.decode(body)
    return any(matches(condition, document) for condition in conditions if condition is not None)


def call_body(
    action: Literal["Create", "Update"], kind: str, resource_id: str, body: bytes, old: bytes | None = None
) -> bytes:
    """The published input of an extension."""
    text = b'{"action":"%s","resource":%s' % (action.encode(), _reference(kind, resource_id, body))
    return text + (b',"oldResource":' + _reference(kind, resource_id, old) if old is not None else b"") + b"}"


def _reference(kind: str, resource_id: str, body: bytes) -> bytes:
    return b'{"typeId":"%s","id":"%s","obj":%s}' % (kind.encode(), resource_id.encode(), body)


def waves(listed: Sequence[Extension]) -> list[list[Extension]]:
    """Extensions in the order they are called: those of one wave together, each after what it depends on."""
    left = list(listed)
    ordered: list[list[Extension]] = []
    while left:
        waiting = {each.id for each in left}
        ready = [each for each in left if not any(other.id in waiting for other in each.dependencies)]
        # A circle is refused when it is written down; two who wrote at once may have closed one.
        ordered.append(ready or left)
        left = [each for each in left if each not in ordered[-1]]
    return ordered


def named(extension: Extension) -> dict[str, str]:
    """Which extension an error is about."""
    return {"extensionId": extension.id} | ({"extensionKey": extension.key} if extension.key else {})


def passed_on(extension: Extension, refused: Refused) -> list[dict[str, Any]]:
    """A refusal's errors as the client gets them."""
    by = {"id": extension.id} | ({"key": extension.key} if extension.key else {})
    return [dict(error) | {"errorByExtension": by} for error in refused.errors]


def shown(body: bytes) -> str:
    """As much of an answer as is worth showing."""
    return body[: SHOWN_CHARACTERS_MAX * 4].decode("utf-8", "replace").replace("\0", "\ufffd")[:SHOWN_CHARACTERS_MAX]
