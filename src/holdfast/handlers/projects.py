"""New projects, and API clients for them: what an operator does and the public API has no call for."""

from __future__ import annotations

import msgspec

from holdfast.base.errors import ResourceNotFound
from holdfast.commerce.facts import Caller, Facts
from holdfast.commerce.registry import Changed, Other
from holdfast.commerce.resources.project import Project, ProjectDraft, projects
from holdfast.commerce.resources.state import built_in_states, states
from holdfast.commerce.scopes import of_all_rights
from holdfast.commerce.values.value import Value
from holdfast.handlers.decode import decode
from holdfast.handlers.oauth import Credentials, OAuth
from holdfast.handlers.work import Work
from holdfast.store.store import Store

FIRST_CLIENT = "All rights"


class NewClient(Value):
    """`scope` as published: `view_orders:{projectKey} …`; without one the client gets all rights."""

    name: str
    scope: str | None = None


_projects = msgspec.json.Decoder(ProjectDraft)
_clients = msgspec.json.Decoder(NewClient)


async def create_project(store: Store, oauth: OAuth, body: bytes) -> Credentials:
    """Make a project with what it is born with, and its first API client.

    Raises DuplicateField for a key in use. A crash between the two leaves a project for which a
    client can still be made.
    """
    draft = decode(_projects, body)
    work = _by_operator(store, draft.key)
    changed = await work.decide(lambda facts: founded(draft, facts))
    await work.commit(projects, None, changed)
    return await oauth.register(draft.key, FIRST_CLIENT, of_all_rights(draft.key))


def founded(draft: ProjectDraft, facts: Facts) -> Changed[Project]:
    """A project together with its built-in states."""
    born = tuple(Other(states, None, state) for state in built_in_states(facts))
    made = projects.created(draft, facts)
    return made.then(Changed(made.resource, others=born))


async def create_client(store: Store, oauth: OAuth, project: str, body: bytes) -> Credentials:
    """Make an API client. Raises ResourceNotFound for a project nobody made, InvalidInput for its scopes."""
    draft = decode(_clients, body)
    if await _by_operator(store, project).find_by(projects, "key", project) is None:
        raise ResourceNotFound.by_key(project)
    return await oauth.register(project, draft.name, draft.scope or of_all_rights(project))


def _by_operator(store: Store, project: str) -> Work:
    return Work(store, Caller(project=project, client_id="operator", scopes=frozenset()))
