from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from holdfast.store.store import Store
from holdfast.store.tokens import EPOCH_KIND, Client, Token, Tokens, hashed, project_of


def tokens_of(store: Store) -> Tokens:
    return Tokens(store.database, store.epochs)


async def a_client(tokens: Tokens, project: str, name: str = "client-0123456789") -> Client:
    client = Client(project, f"{project}.{name}", hashed("secret"), "Test", f"manage_project:{project}")
    await tokens.add_client(client)
    return client


def a_secret(project: str) -> str:
    return f"{project}.{uuid4().hex}"


def a_token(client: Client, *, anonymous_id: str | None = None, seconds: int = 60) -> Token:
    expires_at = datetime.now(UTC) + timedelta(seconds=seconds)
    return Token(client.project, "access", client.id, client.scope, None, anonymous_id, expires_at)


@pytest.fixture
def project() -> str:
    return f"p{uuid4().hex[:20]}"


async def test_a_client_is_found_by_its_id(store: Store, project: str) -> None:
    client = await a_client(tokens_of(store), project)
    assert await tokens_of(store).find_client(client.id) == client
    assert await tokens_of(store).find_client(f"{project}.someone-else-0123") is None


@pytest.mark.parametrize("name", ["", ".", "no-dot", "p.short", "nul\0.0123456789abcdef", "é.0123456789abcdef"])
async def test_what_was_never_a_token_is_not_even_looked_up(store: Store, name: str) -> None:
    assert project_of(name) is None
    assert await tokens_of(store).find(name) is None
    assert await tokens_of(store).find_client(name) is None


async def test_the_database_holds_no_secret(store: Store, project: str) -> None:
    client = await a_client(tokens_of(store), project)
    secret = a_secret(project)
    await tokens_of(store).add(secret, a_token(client))
    rows = await store.database.fetch("SELECT token::text AS text FROM token WHERE project = $1", project)
    assert len(rows) == 1
    assert secret not in rows[0]["text"]
    assert secret.partition(".")[2] not in rows[0]["text"]


async def test_a_token_lives_until_it_expires(store: Store, project: str) -> None:
    client, secret = await a_client(tokens_of(store), project), a_secret(project)
    await tokens_of(store).add(secret, a_token(client))
    found = await tokens_of(store).find(secret)
    assert found is not None
    assert found.lives(datetime.now(UTC))
    assert not found.lives(found.expires_at)


async def test_an_anonymous_id_has_one_session(store: Store, project: str) -> None:
    tokens = tokens_of(store)
    client = await a_client(tokens, project)
    until = datetime.now(UTC) + timedelta(days=1)
    guest = a_token(client, anonymous_id="guest")
    assert await tokens.open_session(a_secret(project), guest, a_secret(project), until)
    late = a_secret(project)
    assert not await tokens.open_session(late, guest, a_secret(project), until)
    assert await tokens.find(late) is None


async def test_the_same_anonymous_id_in_another_project_is_another_one(store: Store, project: str) -> None:
    tokens = tokens_of(store)
    until = datetime.now(UTC) + timedelta(days=1)
    for key in (project, f"{project}-2"):
        guest = a_token(await a_client(tokens, key), anonymous_id="guest")
        assert await tokens.open_session(a_secret(key), guest, a_secret(key), until)


async def test_repeating_a_session_after_a_lost_answer_finds_it_open(store: Store, project: str) -> None:
    tokens = tokens_of(store)
    guest = a_token(await a_client(tokens, project), anonymous_id="guest")
    access, refresh = a_secret(project), a_secret(project)
    until = datetime.now(UTC) + timedelta(days=1)
    assert await tokens.open_session(access, guest, refresh, until)
    assert await tokens.open_session(access, guest, refresh, until)


async def test_a_revoked_session_keeps_its_anonymous_id(store: Store, project: str) -> None:
    tokens = tokens_of(store)
    client = await a_client(tokens, project)
    guest, refresh = a_token(client, anonymous_id="guest"), a_secret(project)
    until = datetime.now(UTC) + timedelta(days=1)
    assert await tokens.open_session(a_secret(project), guest, refresh, until)
    await tokens.revoke(client, refresh)
    assert not await tokens.open_session(a_secret(project), guest, a_secret(project), until)


async def test_revoking_a_refresh_token_ends_the_whole_session(store: Store, project: str) -> None:
    tokens = tokens_of(store)
    client = await a_client(tokens, project)
    first, second, refresh, other = (a_secret(project) for _ in range(4))
    until = datetime.now(UTC) + timedelta(days=1)
    await tokens.open_session(first, a_token(client, anonymous_id="guest"), refresh, until)
    await tokens.add(second, a_token(client, anonymous_id="guest"), refresh)
    await tokens.add(other, a_token(client))
    await tokens.revoke(client, refresh)
    alive = [token for token in [await tokens.find(secret) for secret in (first, second, refresh, other)] if token]
    assert [token.revoked for token in alive] == [True, True, True, False]


async def test_a_client_cannot_revoke_the_token_of_another(store: Store, project: str) -> None:
    tokens = tokens_of(store)
    owner, stranger = await a_client(tokens, project), await a_client(tokens, project, "stranger-0123456789")
    secret = a_secret(project)
    await tokens.add(secret, a_token(owner))
    await tokens.revoke(stranger, secret)
    found = await tokens.find(secret)
    assert found is not None
    assert not found.revoked


async def test_a_revocation_is_told_to_the_processes_of_this_host(store: Store, project: str) -> None:
    tokens = tokens_of(store)
    client, secret = await a_client(tokens, project), a_secret(project)
    await tokens.add(secret, a_token(client))
    before = store.epochs.read(store.epochs.slot(project, EPOCH_KIND))
    await tokens.revoke(client, secret)
    assert store.epochs.read(store.epochs.slot(project, EPOCH_KIND)) != before


async def test_purging_deletes_what_is_over_and_nothing_else(store: Store, project: str) -> None:
    tokens = tokens_of(store)
    client = await a_client(tokens, project)
    over, alive = a_secret(project), a_secret(project)
    await tokens.add(over, a_token(client, seconds=-1))
    await tokens.add(alive, a_token(client))
    while await tokens.purge():
        pass
    assert await tokens.find(over) is None
    assert await tokens.find(alive) is not None
