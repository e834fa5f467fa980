"""The project itself: `GET` and `POST` at `/{projectKey}`."""

from __future__ import annotations

from msgspec.structs import replace

from holdfast.commerce.resources.project import Project, projects
from holdfast.commerce.values.value import encode
from holdfast.handlers.crud import check_version
from holdfast.handlers.endpoints import Answer, Request, endpoint
from holdfast.handlers.work import Work

# Published: the header is hidden on the way out.
HIDDEN = "****"


@endpoint("GET", "", scope="view_project_settings", answer=projects, kept_kind=projects.name)
async def read(work: Work, request: Request) -> Answer:
    """The project with its settings."""
    return Answer(await _shown(await _project(work)))


@endpoint("POST", "", scope="manage_project_settings", body=projects, answer=projects)
async def update(work: Work, request: Request) -> Answer:
    """Change the project's settings by update actions."""
    wanted = work.decode(projects.update_decoder(), request.body)
    before = await _project(work)
    check_version(before, wanted.version)
    changed = await work.decide(lambda facts: projects.updated(before, wanted.actions, facts))
    return await work.answer(projects, before, changed, _shown)


async def _project(work: Work) -> Project:
    project = await work.find_by(projects, "key", work.caller.project)
    assert project is not None, f"project {work.caller.project} has clients but no record"
    return project


async def _shown(project: Project) -> bytes:
    external = project.external_o_auth
    if external is None:
        return encode(project)
    return encode(replace(project, external_o_auth=replace(external, authorization_header=HIDDEN)))
