"""Extensions through clients written by others."""

from __future__ import annotations

from typing import Any

import pytest
from commercetools.platform import models
from tests.clients.conftest import RunNode
from tests.clients.python_sdk import PythonShopper


def test_the_published_sdk_manages_extensions(project: dict[str, Any], run_node: RunNode) -> None:
    done = run_node("extensions.mjs", {"shop": project})
    first, second, changed = done["first"], done["second"], done["changed"]
    assert first["destination"]["authentication"] == {"type": "AuthorizationHeader", "headerValue": "****"}
    assert (first["version"], first["timeoutInMs"]) == (1, 1500)
    assert second["dependencies"] == [{"typeId": "extension", "id": first["id"]}]
    assert second["expansionPaths"] == ["customerGroup"]
    assert (changed["key"], changed["version"], changed["timeoutInMs"]) == ("third", 8, 9000)
    assert changed["triggers"] == [{"resourceTypeId": "order", "actions": ["Create"]}]
    assert changed["destination"] == {"type": "HTTP", "url": "https://other.example/"}
    assert changed["additionalContext"] == {"includeOldResource": True}
    assert "dependencies" not in changed
    assert done["found"] == [changed] == [done["read"]] == [done["deleted"]]
    assert done["left"] == [first]


def test_the_python_sdk_reads_what_it_wrote(project: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    extensions = PythonShopper(project).api.extensions()
    draft = models.ExtensionDraft(
        key="typed",
        destination=models.HttpDestination(
            url="https://extension.example/", authentication=models.AzureFunctionsAuthentication(key="secret")
        ),
        triggers=[
            models.ExtensionTrigger(
                resource_type_id=models.ExtensionResourceTypeId.PAYMENT,
                actions=[models.ExtensionAction.CREATE],
                condition='key = "x"',
            )
        ],
    )
    made = extensions.post(draft)
    assert made.destination.authentication.key == "****"
    assert made.triggers == draft.triggers
    timeout = models.ExtensionSetTimeoutInMsAction(timeout_in_ms=700)
    changed = extensions.with_id(made.id).post(models.ExtensionUpdate(version=1, actions=[timeout]))
    assert changed.timeout_in_ms == 700
    assert extensions.get().results == [changed]
