"""How extensions come, change and go."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.base.errors import (
    CircularDependency,
    ExtensionChainTooDeep,
    ExtensionChainTooWide,
    ExtensionDependencyExists,
    InvalidField,
    MaxResourceLimitExceeded,
    MissingDependency,
)
from holdfast.commerce.expansion import parse_paths
from holdfast.commerce.facts import Facts
from holdfast.commerce.predicates.binding import bind
from holdfast.commerce.predicates.parser import parse
from holdfast.commerce.registry import REGISTRY, Changed, Other, born, touched
from holdfast.commerce.resources.extension.shape import (
    EXTENSIONS_MAX,
    AdditionalContext,
    AnyDestination,
    Extension,
    ExtensionDraft,
    ExtensionSecret,
    Fallback,
    HttpDestination,
    Paths,
    Timeout,
    Triggers,
    extensions,
    masked,
    secrets,
)
from holdfast.commerce.rules.common_actions import set_key
from holdfast.commerce.values.reference import Reference, ResourceIdentifier

# Published: links of a chain, and what one extension waits for.
DEPTH_MAX = 3
BREADTH_MAX = 5
# Published types that are here, and whose changes ask first.
TRIGGERED = frozenset({"cart", "order", "payment", "customer", "customer-group"})

extensions.action("setKey")(set_key)


@extensions.create
def create_extension(draft: ExtensionDraft, facts: Facts) -> Changed[Extension]:
    if len(facts.matching(extensions, "", limit=EXTENSIONS_MAX)) >= EXTENSIONS_MAX:
        raise MaxResourceLimitExceeded(f"A project has at most {EXTENSIONS_MAX} extensions.")
    asked = Extension(
        key=draft.key,
        destination=masked(_callable(draft.destination)),
        triggers=draft.triggers,
        timeout_in_ms=draft.timeout_in_ms,
        dependencies=_resolved(draft.dependencies, facts),
        expansion_paths=draft.expansion_paths,
        additional_context=draft.additional_context,
        fallback=draft.fallback,
    )
    made = born(asked, facts)
    secret = born(ExtensionSecret(id=made.id, destination=draft.destination), facts)
    return Changed(made, others=(Other(secrets, None, secret),))


@extensions.settle
def check_extension(before: Extension | None, after: Extension, facts: Facts) -> Extension:
    """Everything a call will rely on holds when it is written down."""
    if before is None or before.triggers != after.triggers:
        _check_triggers(after)
    if before is None or before.dependencies != after.dependencies:
        _check_chain(after, facts)
    parse_paths(after.expansion_paths)
    return after


@extensions.delete
def delete_extension(extension: Extension, facts: Facts) -> Changed[Extension]:
    """One that others wait for stays."""
    waiting = facts.matching(extensions, f'dependencies(id = "{extension.id}")', limit=EXTENSIONS_MAX)
    if waiting:
        raise ExtensionDependencyExists(_names(waiting))
    return Changed(extension, others=(Other(secrets, facts.get(secrets, extension.id), None),))


@extensions.action("changeDestination")
def change_destination(extension: Extension, facts: Facts, *, destination: AnyDestination) -> Changed[Extension]:
    before = facts.get(secrets, extension.id)
    after = touched(replace(before, destination=_callable(destination)), before.version + 1, facts)
    return Changed(replace(extension, destination=masked(destination)), others=(Other(secrets, before, after),))


@extensions.action("changeTriggers")
def change_triggers(extension: Extension, *, triggers: Triggers) -> Extension:
    return replace(extension, triggers=triggers)


@extensions.action("setTimeoutInMs")
def set_timeout_in_ms(extension: Extension, *, timeout_in_ms: Timeout | None = None) -> Extension:
    return replace(extension, timeout_in_ms=timeout_in_ms)


@extensions.action("setDependencies")
def set_dependencies(
    extension: Extension, facts: Facts, *, dependencies: tuple[ResourceIdentifier, ...] = ()
) -> Extension:
    return replace(extension, dependencies=_resolved(dependencies, facts))


@extensions.action("setExpansionPaths")
def set_expansion_paths(extension: Extension, *, expansion_paths: Paths = ()) -> Extension:
    return replace(extension, expansion_paths=expansion_paths)


@extensions.action("setAdditionalContext")
def set_additional_context(extension: Extension, *, additional_context: AdditionalContext | None = None) -> Extension:
    return replace(extension, additional_context=additional_context)


@extensions.action("setFallback")
def set_fallback(extension: Extension, *, fallback: Fallback) -> Extension:
    """Our own: what happens when the extension does not answer."""
    return replace(extension, fallback=fallback)


def _callable(destination: AnyDestination) -> AnyDestination:
    if isinstance(destination, HttpDestination):
        return destination
    kind = str(destination.__struct_config__.tag)
    raise InvalidField(
        "destination.type", kind, f"Destinations of type '{kind}' cannot be called from here; use type 'HTTP'."
    )


def _check_triggers(extension: Extension) -> None:
    for trigger in extension.triggers:
        if trigger.resource_type_id not in TRIGGERED:
            known = ", ".join(sorted(TRIGGERED))
            raise InvalidField(
                "triggers.resourceTypeId", trigger.resource_type_id, f"Extensions are called for: {known}."
            )
        if trigger.condition is not None:
            kind = REGISTRY[trigger.resource_type_id]
            bind(parse(trigger.condition), kind.query_shape, extra=kind.query_fields, parameter="condition")


def _resolved(identifiers: tuple[ResourceIdentifier, ...], facts: Facts) -> tuple[Reference, ...]:
    if len(identifiers) > BREADTH_MAX:
        raise ExtensionChainTooWide(BREADTH_MAX)
    missing = [each for each in identifiers if facts.find(extensions, each) is None]
    if missing:
        raise MissingDependency([each.key or each.id or "" for each in missing])
    return tuple(dict.fromkeys(facts.resolve(extensions, each) for each in identifiers))


def _check_chain(extension: Extension, facts: Facts) -> None:
    """Neither in a circle nor too long, seen from here and from whoever waits for this one."""
    known = {each.id: each for each in facts.all(extensions)} | {extension.id: extension}
    for each in known.values():
        _walk(each, known, ())


def _walk(extension: Extension, known: dict[str, Extension], path: tuple[Extension, ...]) -> None:
    path = (*path, extension)
    if extension.id in {each.id for each in path[:-1]}:
        raise CircularDependency(_names(path))
    if len(path) > DEPTH_MAX:
        raise ExtensionChainTooDeep(len(path), DEPTH_MAX)
    for reference in extension.dependencies:
        before = known.get(reference.id)
        if before is not None:
            _walk(before, known, path)


def _names(listed: tuple[Extension, ...]) -> list[str]:
    return [each.key or each.id for each in listed]
