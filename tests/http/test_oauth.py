"""The OAuth 2 endpoints of a running shop, spoken to as SDKs do."""

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.conftest import Shop

TWO_DAYS_SECONDS = 172_800
Project = dict[str, Any]


@pytest.fixture(scope="module")
def project(shop: Shop) -> Project:
    return shop.create_project("oauth")


@pytest.fixture(scope="module")
def http(shop: Shop) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shop.api_url, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def token(http: httpx.Client, project: Project) -> str:
    return str(issue(http, project, grant_type="client_credentials").json()["access_token"])


@pytest.fixture(scope="module")
def customer(http: httpx.Client, project: Project, token: str) -> Project:
    """A customer who can sign in."""
    draft = {"email": "ada@example.com", "password": "correct horse"}
    answer = http.post(f"/{project['projectKey']}/customers", json=draft, headers=bearer(token))
    assert answer.status_code == 201, answer.text
    made: Project = answer.json()["customer"]
    return made


def basic(project: Project) -> tuple[str, str]:
    return (project["clientId"], project["clientSecret"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def issue(http: httpx.Client, project: Project, path: str = "/oauth/token", **given: str) -> httpx.Response:
    return http.post(path, auth=basic(project), data=given)


def flow(project: Project, name: str, store: str | None = None) -> str:
    inside = f"in-store/key={store}/" if store else ""
    return f"/oauth/{project['projectKey']}/{inside}{name}/token"


def assert_refused(answer: httpx.Response, status: int, error: str) -> None:
    """The published error body: OAuth's two fields beside the API's own."""
    body = answer.json()
    assert (answer.status_code, body["error"]) == (status, error), answer.text
    assert body["statusCode"] == status
    assert body["errors"][0] == {"code": error, "message": body["message"]}
    assert body["error_description"] == body["message"]


def test_a_path_with_a_character_no_text_has_is_refused(http: httpx.Client, project: Project) -> None:
    asked = {"grant_type": "password", "username": "ada@shop.test", "password": "secret"}
    assert_refused(issue(http, project, flow(project, "customers", "a%00b"), **asked), 400, "invalid_request")


# --- client credentials --------------------------------------------------------------------


def test_client_credentials_give_a_token_with_the_scope_asked_for(http: httpx.Client, project: Project) -> None:
    scope = f"manage_project:{project['projectKey']}"
    answer = issue(http, project, grant_type="client_credentials", scope=scope)
    token = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert token | {"access_token": ""} == {
        "access_token": "",
        "token_type": "Bearer",
        "expires_in": TWO_DAYS_SECONDS,
        "scope": scope,
    }
    seen = http.get(f"/{project['projectKey']}", headers=bearer(token["access_token"]))
    assert seen.json()["key"] == project["projectKey"]


def test_parameters_may_come_in_the_query_string(http: httpx.Client, project: Project) -> None:
    answer = http.post("/oauth/token?grant_type=client_credentials", auth=basic(project))
    assert answer.status_code == 200, answer.text


def test_without_a_scope_the_token_gets_all_of_the_client(http: httpx.Client, project: Project) -> None:
    scope = issue(http, project, grant_type="client_credentials").json()["scope"]
    assert f"manage_project:{project['projectKey']}" in scope.split()


def test_credentials_may_be_form_encoded_before_base64(http: httpx.Client, project: Project) -> None:
    pair = f"{project['clientId'].replace('.', '%2E')}:{project['clientSecret']}"
    header = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    answer = http.post("/oauth/token", headers=header, data={"grant_type": "client_credentials"})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer abc", "Basic bm9ib2R5OnNlY3JldA=="]
)
def test_a_client_that_cannot_prove_itself_is_refused(http: httpx.Client, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    answer = http.post("/oauth/token", headers=headers, data={"grant_type": "client_credentials"})
    assert_refused(answer, 401, "invalid_client")


def test_a_wrong_secret_is_refused(http: httpx.Client, project: Project) -> None:
    answer = http.post("/oauth/token", auth=(project["clientId"], "wrong"), data={"grant_type": "client_credentials"})
    assert_refused(answer, 401, "invalid_client")


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": "manage_project:other"}, "invalid_scope"),
        ({"grant_type": "client_credentials", "scope": "nothing"}, "invalid_scope"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "dead"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "nul\0"}, "invalid_request"),
        ({"grant_type": "x" * 70_000}, "invalid_request"),
    ],
)
def test_a_bad_token_request_is_refused_by_name(
    http: httpx.Client, project: Project, given: dict[str, str], error: str
) -> None:
    assert_refused(issue(http, project, **given), 400, error)


def test_a_body_that_is_no_text_is_refused(http: httpx.Client, project: Project) -> None:
    assert_refused(http.post("/oauth/token", auth=basic(project), content=b"\xff\xfe="), 400, "invalid_request")


@pytest.mark.parametrize("path", ["/oauth", "/oauth/tokens", "/oauth/x/y/z/token", "/oauth/token/revoke/all"])
def test_other_paths_do_not_exist(http: httpx.Client, project: Project, path: str) -> None:
    answer = issue(http, project, path, grant_type="client_credentials")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "ResourceNotFound")


# --- narrower clients ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def viewer(shop: Shop, project: Project) -> Project:
    """A client that may look at orders and nothing else."""
    key = project["projectKey"]
    made = shop.command("client", "create", "--project", key, "--name", "viewer", "--scope", f"view_orders:{key}")
    return {**project, **made}


def test_a_client_gets_no_scope_beyond_its_own(http: httpx.Client, project: Project, viewer: Project) -> None:
    key = project["projectKey"]
    wider = issue(http, viewer, grant_type="client_credentials", scope=f"manage_orders:{key}")
    assert_refused(wider, 400, "invalid_scope")
    assert issue(http, viewer, grant_type="client_credentials").json()["scope"] == f"view_orders:{key}"


def test_a_token_opens_only_what_its_scope_names(http: httpx.Client, viewer: Project) -> None:
    token = issue(http, viewer, grant_type="client_credentials").json()["access_token"]
    assert http.get(f"/{viewer['projectKey']}/orders", headers=bearer(token)).status_code == 200
    refused = http.get(f"/{viewer['projectKey']}/customers", headers=bearer(token))
    assert_refused(refused, 403, "insufficient_scope")


def test_an_anonymous_session_needs_its_scope(http: httpx.Client, viewer: Project) -> None:
    answer = issue(http, viewer, flow(viewer, "anonymous"), grant_type="client_credentials")
    assert_refused(answer, 403, "insufficient_scope")


# --- sessions ------------------------------------------------------------------------------


def test_a_customer_signs_in_by_password(http: httpx.Client, project: Project, customer: Project) -> None:
    scope = f"manage_my_orders:{project['projectKey']} manage_my_profile:{project['projectKey']}"
    answer = issue(
        http,
        project,
        flow(project, "customers"),
        grant_type="password",
        username="Ada@Example.com",
        password="correct horse",
        scope=scope,
    )
    session = answer.json()
    assert answer.status_code == 200, answer.text
    assert session["scope"] == f"{scope} customer_id:{customer['id']}"
    assert session["refresh_token"] != session["access_token"]
    me = http.get(f"/{project['projectKey']}/me", headers=bearer(session["access_token"]))
    assert me.json()["id"] == customer["id"]


@pytest.mark.parametrize(
    ("username", "password"), [("ada@example.com", "wrong"), ("nobody@example.com", "correct horse"), ("ada", "x")]
)
def test_wrong_customer_credentials_are_refused(
    http: httpx.Client, project: Project, customer: Project, username: str, password: str
) -> None:
    answer = issue(
        http, project, flow(project, "customers"), grant_type="password", username=username, password=password
    )
    assert_refused(answer, 400, "invalid_customer_account_credentials")


def test_the_password_flow_needs_all_its_parameters(http: httpx.Client, project: Project) -> None:
    path = flow(project, "customers")
    assert_refused(issue(http, project, path, grant_type="password", username="a"), 400, "invalid_request")
    assert_refused(issue(http, project, path, grant_type="client_credentials"), 400, "unsupported_grant_type")


def test_a_customer_bound_to_a_store_signs_in_there_only(http: httpx.Client, project: Project, token: str) -> None:
    key = project["projectKey"]
    for store in ("berlin", "paris"):
        made = http.post(f"/{key}/stores", json={"key": store}, headers=bearer(token))
        assert made.status_code == 201, made.text
    draft = {"email": "bo@example.com", "password": "pw", "stores": [{"typeId": "store", "key": "berlin"}]}
    assert http.post(f"/{key}/customers", json=draft, headers=bearer(token)).status_code == 201
    given = {"grant_type": "password", "username": "bo@example.com", "password": "pw"}
    inside = issue(http, project, flow(project, "customers", "berlin"), **given)
    assert "customer_id:" in inside.json()["scope"]
    for elsewhere in (flow(project, "customers", "paris"), flow(project, "customers")):
        assert_refused(issue(http, project, elsewhere, **given), 400, "invalid_customer_account_credentials")


def test_an_anonymous_session_gets_an_id_of_its_own(http: httpx.Client, project: Project) -> None:
    scopes = [
        issue(http, project, flow(project, "anonymous"), grant_type="client_credentials").json()["scope"].split()[-1]
        for _ in range(2)
    ]
    assert all(scope.startswith("anonymous_id:") for scope in scopes)
    assert scopes[0] != scopes[1]


def test_an_anonymous_id_is_given_once(http: httpx.Client, project: Project) -> None:
    given = {"grant_type": "client_credentials", "anonymous_id": "guest-42"}
    first = issue(http, project, flow(project, "anonymous"), **given)
    assert first.json()["scope"].split()[-1] == "anonymous_id:guest-42"
    second = issue(http, project, flow(project, "anonymous", "berlin"), **given)
    assert_refused(second, 400, "anonymous_id_already_in_use")


def test_an_anonymous_id_cannot_smuggle_in_a_scope(http: httpx.Client, project: Project) -> None:
    given = {"grant_type": "client_credentials", "anonymous_id": "x customer_id:1"}
    assert_refused(issue(http, project, flow(project, "anonymous"), **given), 400, "invalid_request")


def test_a_refresh_token_gives_new_tokens_and_survives_it(http: httpx.Client, project: Project) -> None:
    session = issue(http, project, flow(project, "anonymous"), grant_type="client_credentials").json()
    given = {"grant_type": "refresh_token", "refresh_token": session["refresh_token"]}
    fresh = [issue(http, project, **given).json() for _ in range(2)]
    assert len({token["access_token"] for token in (session, *fresh)}) == 3
    assert {token["scope"] for token in fresh} == {session["scope"]}


def test_a_refresh_token_opens_nothing_itself(http: httpx.Client, project: Project) -> None:
    session = issue(http, project, flow(project, "anonymous"), grant_type="client_credentials").json()
    answer = http.get(f"/{project['projectKey']}/me/carts", headers=bearer(session["refresh_token"]))
    assert_refused(answer, 401, "invalid_token")


def test_a_refresh_token_is_of_use_to_its_own_client_only(
    http: httpx.Client, project: Project, viewer: Project
) -> None:
    session = issue(http, project, flow(project, "anonymous"), grant_type="client_credentials").json()
    answer = issue(http, viewer, grant_type="refresh_token", refresh_token=session["refresh_token"])
    assert_refused(answer, 400, "invalid_grant")


# --- between projects ----------------------------------------------------------------------


def test_a_client_opens_no_session_in_another_project(http: httpx.Client, shop: Shop, project: Project) -> None:
    other = shop.create_project("oauth-other")
    answer = issue(http, project, flow(other, "anonymous"), grant_type="client_credentials")
    assert_refused(answer, 403, "insufficient_scope")


def test_a_token_is_of_no_use_in_another_project(http: httpx.Client, shop: Shop, token: str) -> None:
    other = shop.create_project("oauth-other")
    answer = http.get(f"/{other['projectKey']}/zones", headers=bearer(token))
    assert_refused(answer, 403, "insufficient_scope")


def test_a_token_of_another_project_is_not_active_here(http: httpx.Client, shop: Shop, token: str) -> None:
    other = shop.create_project("oauth-other")
    answer = issue(http, other, "/oauth/introspect", token=token)
    assert answer.json() == {"active": False}


# --- introspection and revocation ----------------------------------------------------------


def test_introspection_tells_what_a_token_stands_for(http: httpx.Client, project: Project, token: str) -> None:
    told = issue(http, project, "/oauth/introspect", token=token).json()
    assert told["active"] is True
    assert told["client_id"] == project["clientId"]
    assert f"manage_project:{project['projectKey']}" in told["scope"]
    assert told["exp"] > 1_700_000_000_000


def test_introspecting_what_is_no_token_says_inactive(http: httpx.Client, project: Project) -> None:
    assert issue(http, project, "/oauth/introspect", token="no-token").json() == {"active": False}
    assert_refused(issue(http, project, "/oauth/introspect"), 400, "invalid_request")


def test_a_client_looks_into_the_tokens_of_others_only_by_scope(
    http: httpx.Client, viewer: Project, token: str
) -> None:
    assert_refused(issue(http, viewer, "/oauth/introspect", token=token), 403, "insufficient_scope")


def test_a_revoked_token_is_dead_at_once_in_every_process(http: httpx.Client, project: Project) -> None:
    token = issue(http, project, grant_type="client_credentials").json()["access_token"]
    path = f"/{project['projectKey']}/zones"
    # New connections, so that both API processes have seen the token.
    for _ in range(8):
        assert httpx.get(f"{project['apiUrl']}{path}", headers=bearer(token)).status_code == 200
    assert issue(http, project, "/oauth/token/revoke", token=token).status_code == 200
    for _ in range(8):
        answer = httpx.get(f"{project['apiUrl']}{path}", headers=bearer(token))
        assert_refused(answer, 401, "invalid_token")
    assert issue(http, project, "/oauth/introspect", token=token).json() == {"active": False}


def test_revoking_a_refresh_token_signs_the_shopper_out(http: httpx.Client, project: Project) -> None:
    session = issue(http, project, flow(project, "anonymous"), grant_type="client_credentials").json()
    path = f"/{project['projectKey']}/me/carts"
    assert http.get(path, headers=bearer(session["access_token"])).status_code == 200
    issue(http, project, "/oauth/token/revoke", token=session["refresh_token"], token_type_hint="refresh_token")
    assert_refused(http.get(path, headers=bearer(session["access_token"])), 401, "invalid_token")
    again = issue(http, project, grant_type="refresh_token", refresh_token=session["refresh_token"])
    assert_refused(again, 400, "invalid_grant")


# --- the operator's door -------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guess"}, {"Authorization": "Bearer \u00e9"}])
def test_nobody_but_the_operator_makes_projects(http: httpx.Client, headers: dict[str, str]) -> None:
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = http.post("/-/projects", json={"key": "mine"}, headers=encoded)
    assert_refused(answer, 401, "invalid_token")


def test_an_api_token_does_not_open_the_operators_door(http: httpx.Client, token: str) -> None:
    assert_refused(http.post("/-/projects", json={"key": "mine"}, headers=bearer(token)), 401, "invalid_token")


def test_a_new_project_is_born_with_its_line_item_state(http: httpx.Client, project: Project, token: str) -> None:
    states = http.get(f"/{project['projectKey']}/states", headers=bearer(token)).json()["results"]
    assert [(state["key"], state["type"], state["builtIn"]) for state in states] == [("Initial", "LineItemState", True)]
