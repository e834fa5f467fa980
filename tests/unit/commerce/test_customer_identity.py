from __future__ import annotations

from typing import Any

import pytest
from tests.unit.commerce.builders.customer import a_credential, a_customer, knowing
from tests.unit.commerce.facts import NOW, facts_with

from holdfast.base.errors import ExpiredCustomerEmailToken, ExpiredCustomerPasswordToken
from holdfast.commerce.facts import Facts
from holdfast.commerce.messages import customer as told
from holdfast.commerce.resources.customer.identity import (
    EmailTokenDraft,
    PasswordTokenDraft,
    change_password,
    check_lives,
    confirm_email,
    issue_token,
)
from holdfast.commerce.resources.customer_credential import (
    TOKENS_MAX,
    Credential,
    OneTimeToken,
    credentials,
    digest_of,
    new_token,
    token_claim,
    with_token,
)
from holdfast.commerce.values.value import encode

VALUE = "a-random-value"


def after(changed: Any) -> Credential:
    (other,) = changed.others
    assert other.kind is credentials
    assert isinstance(other.after, Credential)
    return other.after


def holding(*tokens: OneTimeToken) -> Facts:
    return facts_with((credentials, a_credential(tokens=tokens)))


def a_token(value: str, kind: Any = "password") -> OneTimeToken:
    return new_token(kind, value, "Anna@example.com", 10, facts_with())


def test_a_token_is_kept_as_its_digest_and_found_by_it() -> None:
    issued = issue_token(
        "password", a_customer(), PasswordTokenDraft(email="anna@example.com"), VALUE, knowing(email="")
    )
    kept = after(issued.changed)
    assert issued.token.value == VALUE
    assert VALUE.encode() not in encode(kept)
    assert credentials.unique_values(kept) == (token_claim("password", VALUE),)
    assert token_claim("password", VALUE) != token_claim("email", VALUE)


def test_a_token_lives_a_day_unless_told_otherwise() -> None:
    issued = issue_token("password", a_customer(), PasswordTokenDraft(email=""), VALUE, knowing(email=""))
    assert (issued.token.created_at, issued.token.expires_at) == (NOW, "2026-02-01T10:00:00.000Z")


@pytest.mark.parametrize(("minutes", "value"), [(60, VALUE), (61, None)])
def test_a_message_carries_the_value_of_short_lived_tokens_only(minutes: int, value: str | None) -> None:
    draft = EmailTokenDraft(id="anna", ttl_minutes=minutes)
    (message,) = issue_token("email", a_customer(), draft, VALUE, knowing(email="")).changed.messages
    assert isinstance(message, told.CustomerEmailTokenCreated)
    assert message.value == value


def test_issuing_a_token_leaves_the_customer_as_they_are() -> None:
    anna = a_customer(version=7)
    issued = issue_token("password", anna, PasswordTokenDraft(email=""), VALUE, knowing(email=""))
    assert issued.changed.resource is anna


def test_older_tokens_of_the_kind_can_be_ended_with_a_new_one() -> None:
    facts = holding(a_token("old"), a_token("mail", "email"))
    kept = PasswordTokenDraft(email="")
    only = PasswordTokenDraft(email="", invalidate_older_tokens=True)
    digests = [
        token.digest for token in after(issue_token("password", a_customer(), kept, VALUE, facts).changed).tokens
    ]
    assert set(digests) == {digest_of("mail"), digest_of("old"), digest_of(VALUE)}
    digests = [
        token.digest for token in after(issue_token("password", a_customer(), only, VALUE, facts).changed).tokens
    ]
    assert set(digests) == {digest_of("mail"), digest_of(VALUE)}


def test_the_oldest_token_goes_when_there_are_too_many() -> None:
    tokens = [a_token(f"token-{number}") for number in range(TOKENS_MAX)]
    other = with_token("anna", a_token(VALUE), holding(*tokens), only=False)
    assert isinstance(other.after, Credential)
    assert len(other.after.tokens) == TOKENS_MAX
    assert other.after.tokens[0].digest == digest_of("token-1")
    assert other.after.tokens[-1].digest == digest_of(VALUE)


def test_a_new_password_ends_the_tokens_that_could_replace_it() -> None:
    facts = holding(a_token("old"), a_token("mail", "email"))
    changed = change_password(a_customer(version=3), "new", facts, reset=True)
    kept = after(changed)
    assert kept.password_hash == "hash of new"
    assert [token.kind for token in kept.tokens] == ["email"]
    assert changed.resource.version == 4
    assert changed.messages == (told.CustomerPasswordUpdated(reset=True),)


def test_a_confirmed_email_ends_the_tokens_that_confirm_it() -> None:
    facts = holding(a_token("old"), a_token("mail", "email"))
    changed = confirm_email(a_customer(version=3), facts)
    assert changed.resource.is_email_verified
    assert changed.resource.version == 4
    assert [token.kind for token in after(changed).tokens] == ["password"]
    assert changed.messages == (told.CustomerEmailVerified(),)


@pytest.mark.parametrize(
    ("kind", "error"), [("password", ExpiredCustomerPasswordToken), ("email", ExpiredCustomerEmailToken)]
)
def test_a_token_is_dead_from_the_moment_it_expires(kind: Any, error: type[Exception]) -> None:
    token = a_token(VALUE, kind)
    check_lives(token, "2026-01-31T10:09:59.999Z")
    with pytest.raises(error):
        check_lives(token, "2026-01-31T10:10:00.000Z")


def test_a_token_remembers_the_email_it_was_made_for() -> None:
    assert a_token(VALUE).email == "anna@example.com"


def test_queries_see_nothing_of_a_credential() -> None:
    assert credentials.path is None
    assert credentials.searchable is not None
    assert credentials.searchable(a_credential()) == {}
