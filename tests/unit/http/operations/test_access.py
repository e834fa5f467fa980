"""Who the operator is: by token, and by a cookie made from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.base.errors import InsufficientScope, InvalidToken, TooManyRequests
from holdfast.http.operations.access import (
    COOKIE,
    PAGE_HEADER,
    SESSION_SECONDS,
    WRONG_TOKEN_SECONDS,
    WRONG_TOKENS_MAX,
    Access,
)

TOKEN = "the-operators-token"
PAGE = {PAGE_HEADER: "1"}


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def access(tmp_path: Path, clock: Clock) -> Access:
    return Access(token_file(tmp_path, TOKEN), clock=clock)


def token_file(folder: Path, token: str) -> str:
    (folder / "operator.token").write_text(f"{token}\n")
    return str(folder / "operator.token")


def signed_in(access: Access) -> dict[str, str]:
    return {"cookie": access.sign_in(PAGE, TOKEN).partition(";")[0]}


def test_the_token_opens_everything(access: Access) -> None:
    access.check("POST", {"authorization": f"Bearer {TOKEN}"})


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_anything_else_does_not(access: Access, authorization: str) -> None:
    with pytest.raises(InvalidToken):
        access.check("GET", {"authorization": authorization})


def test_a_cookie_made_from_the_token_reads_and_changes(access: Access) -> None:
    session = signed_in(access)
    access.check("GET", session)
    access.check("POST", session | PAGE)


def test_every_process_knows_the_cookie_and_one_with_another_token_does_not(access: Access, tmp_path: Path) -> None:
    session = signed_in(access)
    Access(str(tmp_path / "operator.token"), clock=lambda: 1_000_000.0).check("GET", session)
    with pytest.raises(InvalidToken):
        Access(token_file(tmp_path, "another"), clock=lambda: 1_000_000.0).check("GET", session)


def test_a_cookie_ends(access: Access, clock: Clock) -> None:
    session = signed_in(access)
    clock.now += SESSION_SECONDS
    with pytest.raises(InvalidToken):
        access.check("GET", session)


@given(st.text(max_size=80))
def test_no_other_cookie_opens_anything(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    access = Access(token_file(tmp_path_factory.getbasetemp(), TOKEN))
    with pytest.raises(InvalidToken):
        access.check("GET", {"cookie": f"{COOKIE}={value}"})


def test_a_cookie_that_was_made_to_last_longer_opens_nothing(access: Access) -> None:
    name, _, value = signed_in(access)["cookie"].partition("=")
    ends_at, _, rest = value.partition(".")
    with pytest.raises(InvalidToken):
        access.check("GET", {"cookie": f"{name}={int(ends_at) + 1}.{rest}"})


@pytest.mark.parametrize(
    "headers", [{}, PAGE | {"sec-fetch-site": "same-site"}, PAGE | {"sec-fetch-site": "cross-site"}]
)
def test_a_page_of_somebody_else_changes_nothing(access: Access, headers: dict[str, str]) -> None:
    session = signed_in(access)
    with pytest.raises(InsufficientScope):
        access.check("POST", session | headers)
    with pytest.raises(InsufficientScope):
        access.sign_in(headers, TOKEN)


def test_scripts_and_other_sites_never_see_the_cookie(tmp_path: Path) -> None:
    plain = Access(token_file(tmp_path, TOKEN)).sign_in(PAGE, TOKEN)
    encrypted = Access(token_file(tmp_path, TOKEN), secure=True).sign_in(PAGE, TOKEN)
    assert "; HttpOnly; SameSite=Strict" in plain
    assert "Secure" not in plain
    assert encrypted.endswith("; Secure")
    assert TOKEN not in plain


def test_guessing_is_slow_and_soon_forgiven(access: Access, clock: Clock) -> None:
    for _ in range(WRONG_TOKENS_MAX):
        with pytest.raises(InvalidToken):
            access.sign_in(PAGE, "wrong")
    with pytest.raises(TooManyRequests):
        access.sign_in(PAGE, TOKEN)
    clock.now += WRONG_TOKEN_SECONDS
    access.sign_in(PAGE, TOKEN)


def test_without_a_token_file_nobody_is_the_operator() -> None:
    access = Access("")
    for token in ("", "wrong"):
        with pytest.raises(InvalidToken):
            access.check("GET", {"authorization": f"Bearer {token}"})
        with pytest.raises(InvalidToken):
            access.sign_in(PAGE, token)
    with pytest.raises(InvalidToken):
        access.check("GET", {"cookie": f"{COOKIE}=9999999999.x.{access._signature('9999999999.x')}"})


def test_an_empty_token_file_opens_nothing(tmp_path: Path) -> None:
    access = Access(token_file(tmp_path, ""))
    with pytest.raises(InvalidToken):
        access.check("GET", {"authorization": "Bearer "})
