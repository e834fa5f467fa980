from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.http.api import Api, fresh, refusal

PASSWORD = "a pass phrase"


@pytest.fixture(scope="module")
def api(shop: Any) -> Iterator[Api]:
    with Api(shop.create_project("customers")) as api:
        yield api


def an_email() -> str:
    return f"{fresh('Anna')}@Example.com"


def sign_up(api: Api, email: str, path: str = "", **fields: Any) -> dict[str, Any]:
    return api.create(f"{path}/customers", {"email": email, "password": PASSWORD} | fields)


def sign_in(api: Api, email: str, password: str = PASSWORD, **fields: Any) -> httpx.Response:
    return api.send("POST", "/login", {"email": email, "password": password} | fields)


def session(api: Api, kind: str, store: str = "", **given: str) -> httpx.Response:
    """A token of the password or the anonymous flow."""
    client = (api.project["clientId"], api.project["clientSecret"])
    return httpx.post(f"{api.project['authUrl']}/oauth/{api.key}{store}/{kind}/token", data=given, auth=client)


def customer_session(api: Api, email: str, password: str = PASSWORD, store: str = "") -> httpx.Response:
    return session(api, "customers", store, grant_type="password", username=email, password=password)


def anonymous_session(api: Api) -> tuple[str, str]:
    """A token, and the anonymous id behind it."""
    body = session(api, "anonymous", grant_type="client_credentials").json()
    scopes = dict(scope.split(":", 1) for scope in body["scope"].split())
    return body["access_token"], scopes["anonymous_id"]


def a_store(api: Api) -> str:
    return str(api.create("/stores", {"key": fresh("store")})["key"])


# --- signing up and in ---------------------------------------------------------------------


def test_signing_up_answers_201_with_the_customer_and_no_cart(api: Api) -> None:
    answer = api.send("POST", "/customers", {"email": an_email(), "password": PASSWORD})
    assert answer.status_code == 201
    assert set(answer.json()) == {"customer"}
    assert answer.json()["customer"]["version"] == 1


def test_nothing_answered_contains_the_password_or_its_hash(api: Api) -> None:
    email = an_email()
    made = api.send("POST", "/customers", {"email": email, "password": PASSWORD})
    read = api.send("GET", f"/customers/{made.json()['customer']['id']}")
    found = api.send("GET", "/customers", parameters={"where": f'lowercaseEmail = "{email.lower()}"'})
    assert found.json()["count"] == 1
    for answer in (made, read, found, sign_in(api, email)):
        assert PASSWORD not in answer.text
        assert "argon2" not in answer.text


def test_an_email_belongs_to_one_customer_whatever_its_case(api: Api) -> None:
    email = an_email()
    sign_up(api, email)
    draft = {"email": email.upper(), "password": PASSWORD}
    first = refusal(api.send("POST", "/customers", draft), 400, "DuplicateField")
    assert (first["field"], first["duplicateValue"]) == ("email", email.upper())
    assert first["message"] == "There is already an existing customer with the provided email."


def test_many_at_once_sign_one_email_up_once(api: Api) -> None:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only here

    email = an_email()
    draft = {"email": email, "password": PASSWORD}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: api.send("POST", "/customers", draft), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 7
    refused = [answer for answer in answers if answer.status_code == 400]
    first = [refusal(answer, 400, "DuplicateField") for answer in refused]
    assert {(error["field"], error["message"].startswith("There is already")) for error in first} == {("email", True)}


def test_signing_in_takes_the_email_in_any_case(api: Api) -> None:
    email = an_email()
    made = sign_up(api, email)
    answer = sign_in(api, email.swapcase())
    assert answer.status_code == 200
    assert answer.json() == {"customer": made["customer"]}


def test_a_wrong_password_and_an_unknown_email_get_the_same_answer(api: Api) -> None:
    email = an_email()
    sign_up(api, email)
    wrong, unknown = sign_in(api, email, "wrong"), sign_in(api, an_email())
    refusal(wrong, 400, "InvalidCredentials")
    assert wrong.json() == unknown.json()


def test_a_password_flow_needs_the_password(api: Api) -> None:
    email = an_email()
    customer = sign_up(api, email)["customer"]
    token = customer_session(api, email).json()
    assert f"customer_id:{customer['id']}" in token["scope"].split()
    assert customer_session(api, email, "wrong").json()["error"] == "invalid_customer_account_credentials"


def test_a_customer_without_password_cannot_sign_in(api: Api) -> None:
    email = an_email()
    api.create("/customers", {"email": email, "authenticationMode": "ExternalAuth"})
    refusal(sign_in(api, email), 400, "InvalidCredentials")
    refusal(sign_in(api, email, "nobody"), 400, "InvalidCredentials")


def test_a_deleted_customer_can_neither_sign_in_nor_block_the_email(api: Api) -> None:
    email = an_email()
    customer = sign_up(api, email)["customer"]
    assert api.send("DELETE", f"/customers/{customer['id']}", parameters={"version": 1}).status_code == 200
    refusal(sign_in(api, email), 400, "InvalidCredentials")
    assert sign_up(api, email)["customer"]["id"] != customer["id"]


# --- stores --------------------------------------------------------------------------------


def test_customers_of_stores_sign_in_there_and_nowhere_else(api: Api) -> None:
    email, here, there = an_email(), a_store(api), a_store(api)
    made = sign_up(api, email, f"/in-store/key={here}")["customer"]
    twin = sign_up(api, email, f"/in-store/key={there}", password="another")["customer"]
    assert made["stores"] == [{"typeId": "store", "key": here}]
    credentials = {"email": email, "password": PASSWORD}
    assert api.create(f"/in-store/key={here}/login", credentials)["customer"]["id"] == made["id"]
    refusal(api.send("POST", f"/in-store/key={there}/login", credentials), 400, "InvalidCredentials")
    refusal(sign_in(api, email), 400, "InvalidCredentials")
    assert f"customer_id:{made['id']}" in customer_session(api, email, store=f"/in-store/key={here}").json()["scope"]
    assert made["id"] != twin["id"]
    refusal(api.send("GET", f"/in-store/key={there}/customers/{made['id']}"), 404, "ResourceNotFound")


def test_an_email_of_a_store_is_taken_for_the_project(api: Api) -> None:
    email, store = an_email(), a_store(api)
    sign_up(api, email, f"/in-store/key={store}")
    draft = {"email": email, "password": PASSWORD}
    assert refusal(api.send("POST", "/customers", draft), 400, "DuplicateField")["field"] == "email"


# --- passwords -----------------------------------------------------------------------------


def test_changing_a_password_needs_the_current_one(api: Api) -> None:
    email = an_email()
    customer = sign_up(api, email)["customer"]
    change = {"id": customer["id"], "version": 1, "currentPassword": "wrong", "newPassword": "new"}
    refusal(api.send("POST", "/customers/password", change), 400, "InvalidCurrentPassword")
    stale = change | {"currentPassword": PASSWORD, "version": 9}
    refusal(api.send("POST", "/customers/password", stale), 409, "ConcurrentModification")
    changed = api.create("/customers/password", change | {"currentPassword": PASSWORD})
    assert changed["version"] == 2
    refusal(sign_in(api, email), 400, "InvalidCredentials")
    assert sign_in(api, email, "new").status_code == 200


def test_shoppers_change_their_own_password(api: Api) -> None:
    email = an_email()
    sign_up(api, email)
    token = customer_session(api, email).json()["access_token"]
    change = {"version": 1, "currentPassword": PASSWORD, "newPassword": "new"}
    assert api.send("POST", "/me/password", change, token=token).status_code == 200
    assert sign_in(api, email, "new").status_code == 200


def test_a_forgotten_password_is_reset_once_by_a_token_and_ends_all_sessions(api: Api) -> None:
    email = an_email()
    customer = sign_up(api, email)["customer"]
    access = customer_session(api, email).json()["access_token"]
    token = api.create("/customers/password-token", {"email": email.upper(), "ttlMinutes": 5})
    assert token["customerId"] == customer["id"]
    assert api.get(f"/customers/password-token={token['value']}") == customer
    reset = {"tokenValue": token["value"], "newPassword": "new"}
    assert api.create("/customers/password/reset", reset)["version"] == 2
    assert sign_in(api, email, "new").status_code == 200
    refusal(api.send("GET", "/me", token=access), 401, "invalid_token")
    refusal(api.send("POST", "/customers/password/reset", reset), 400, "ResourceNotFound")
    refusal(api.send("GET", f"/customers/password-token={token['value']}"), 404, "ResourceNotFound")


def test_a_password_can_be_reset_below_me_without_a_session(api: Api) -> None:
    email = an_email()
    sign_up(api, email)
    token = api.create("/customers/password-token", {"email": email})
    api.create("/me/password/reset", {"tokenValue": token["value"], "newPassword": "new"})
    assert sign_in(api, email, "new").status_code == 200


def test_a_token_does_not_outlive_the_email_it_was_made_for(api: Api) -> None:
    email = an_email()
    customer = sign_up(api, email)["customer"]
    token = api.create("/customers/password-token", {"email": email})
    api.update("/customers", customer, {"action": "changeEmail", "email": an_email()})
    reset = {"tokenValue": token["value"], "newPassword": "new"}
    refusal(api.send("POST", "/customers/password/reset", reset), 400, "ResourceNotFound")


def test_a_token_for_an_unknown_email_is_not_made(api: Api) -> None:
    refusal(api.send("POST", "/customers/password-token", {"email": an_email()}), 404, "ResourceNotFound")


def test_an_action_can_set_a_password(api: Api) -> None:
    email = an_email()
    customer = sign_up(api, email)["customer"]
    action = {"action": "setAuthenticationMode", "authMode": "Password", "password": "new"}
    assert api.update("/customers", customer, action)["version"] == 2
    assert sign_in(api, email, "new").status_code == 200


# --- emails --------------------------------------------------------------------------------


def test_an_email_is_verified_once_by_a_token(api: Api) -> None:
    customer = sign_up(api, an_email())["customer"]
    token = api.create("/customers/email-token", {"id": customer["id"], "version": 1, "ttlMinutes": 5})
    assert api.get(f"/customers/email-token={token['value']}")["id"] == customer["id"]
    confirmed = api.create("/customers/email/confirm", {"tokenValue": token["value"]})
    assert (confirmed["isEmailVerified"], confirmed["version"]) == (True, 2)
    refusal(api.send("POST", "/customers/email/confirm", {"tokenValue": token["value"]}), 400, "ResourceNotFound")


def test_tokens_of_one_kind_do_not_serve_the_other(api: Api) -> None:
    customer = sign_up(api, an_email())["customer"]
    token = api.create("/customers/email-token", {"id": customer["id"], "ttlMinutes": 5})
    reset = {"tokenValue": token["value"], "newPassword": "new"}
    refusal(api.send("POST", "/customers/password/reset", reset), 400, "ResourceNotFound")


# --- me ------------------------------------------------------------------------------------


def test_shoppers_sign_up_with_any_token_and_see_only_themselves(api: Api) -> None:
    email = an_email()
    draft = {"email": email, "password": PASSWORD, "firstName": "Anna"}
    made = api.send("POST", "/me/signup", draft)
    assert made.status_code == 201
    assert api.create("/me/login", {"email": email, "password": PASSWORD}) == made.json()
    token = customer_session(api, email).json()["access_token"]
    assert api.send("GET", "/me", token=token).json() == made.json()["customer"]
    change = {"version": 1, "actions": [{"action": "setLastName", "lastName": "Ask"}]}
    assert api.send("POST", "/me", change, token=token).json()["lastName"] == "Ask"
    allowed_not = {"version": 2, "actions": [{"action": "setCustomerNumber", "customerNumber": "1"}]}
    refusal(api.send("POST", "/me", allowed_not, token=token), 400, "InvalidJsonInput")
    assert api.send("DELETE", "/me", token=token, parameters={"version": 2}).status_code == 200
    refusal(api.send("GET", "/me", token=token), 401, "invalid_token")


def test_an_anonymous_shopper_has_no_profile(api: Api) -> None:
    token, _ = anonymous_session(api)
    refusal(api.send("GET", "/me", token=token), 404, "ResourceNotFound")


# --- what the shopper brings along ---------------------------------------------------------


@pytest.fixture(scope="module")
def skus(api: Api) -> list[str]:
    kind = api.create("/product-types", {"key": "thing", "name": "Thing", "description": ""})
    for sku in ("thing-1", "thing-2"):
        price = {"value": {"currencyCode": "EUR", "centAmount": 100}}
        api.create(
            "/products",
            {
                "productType": {"typeId": "product-type", "id": kind["id"]},
                "name": {"en": sku},
                "slug": {"en": sku},
                "masterVariant": {"sku": sku, "prices": [price]},
                "publish": True,
            },
        )
    return ["thing-1", "thing-2"]


def a_cart(api: Api, **fields: Any) -> dict[str, Any]:
    return api.create("/carts", {"currency": "EUR"} | fields)


def lines(cart: dict[str, Any]) -> dict[str, int]:
    return {item["variant"]["sku"]: item["quantity"] for item in cart["lineItems"]}


def test_an_anonymous_cart_becomes_the_new_customers(api: Api, skus: list[str]) -> None:
    cart = a_cart(api, anonymousId=fresh("nobody"), lineItems=[{"sku": skus[0], "quantity": 2}])
    made = sign_up(api, an_email(), anonymousCart={"typeId": "cart", "id": cart["id"]})
    after = api.get(f"/carts/{cart['id']}")
    assert made["cart"] == after
    assert after["customerId"] == made["customer"]["id"]
    assert "anonymousId" not in after
    assert after["totalPrice"]["centAmount"] == 200


def test_carts_merge_and_equal_variants_keep_the_larger_quantity(api: Api, skus: list[str]) -> None:
    email = an_email()
    customer = sign_up(api, email)["customer"]
    mine = a_cart(api, customerId=customer["id"], lineItems=[{"sku": skus[0], "quantity": 2}])
    items = [{"sku": skus[0], "quantity": 5}, {"sku": skus[1], "quantity": 1}]
    guest = a_cart(api, anonymousId=fresh("nobody"), lineItems=items)
    answer = sign_in(api, email, anonymousCart={"typeId": "cart", "id": guest["id"]}).json()
    assert answer["cart"]["id"] == mine["id"]
    assert lines(answer["cart"]) == {skus[0]: 5, skus[1]: 1}
    assert answer["cart"]["totalPrice"]["centAmount"] == 600
    assert answer["cart"] == api.get(f"/carts/{mine['id']}")
    assert api.get(f"/carts/{guest['id']}")["cartState"] == "Merged"


def test_the_guests_cart_can_win(api: Api, skus: list[str]) -> None:
    email = an_email()
    customer = sign_up(api, email)["customer"]
    mine = a_cart(api, customerId=customer["id"], lineItems=[{"sku": skus[0]}])
    guest = a_cart(api, anonymousId=fresh("nobody"), lineItems=[{"sku": skus[1]}])
    answer = sign_in(
        api, email, anonymousCartId=guest["id"], anonymousCartSignInMode="UseAsNewActiveCustomerCart"
    ).json()
    assert answer["cart"]["id"] == guest["id"]
    assert lines(answer["cart"]) == {skus[1]: 1}
    assert api.get(f"/carts/{mine['id']}") == mine
    assert sign_in(api, email).json()["cart"]["id"] == guest["id"]


def test_a_session_hands_everything_to_the_customer(api: Api, skus: list[str]) -> None:
    email = an_email()
    customer = sign_up(api, email)["customer"]
    token, anonymous_id = anonymous_session(api)
    older = a_cart(api, anonymousId=anonymous_id, lineItems=[{"sku": skus[0]}])
    cart = api.send("POST", "/me/carts", {"currency": "EUR", "lineItems": [{"sku": skus[1]}]}, token=token).json()
    assert cart["anonymousId"] == anonymous_id
    amount = {"currencyCode": "EUR", "centAmount": 100}
    payment = api.send("POST", "/me/payments", {"amountPlanned": amount}, token=token).json()
    answer = api.send("POST", "/me/login", {"email": email, "password": PASSWORD}, token=token).json()
    assert answer["cart"]["id"] == cart["id"]
    for path in (f"/carts/{cart['id']}", f"/carts/{older['id']}"):
        assert api.get(path)["customerId"] == customer["id"]
    assert api.get(f"/payments/{payment['id']}")["customer"]["id"] == customer["id"]
    mine = customer_session(api, email).json()["access_token"]
    assert api.send("GET", f"/me/carts/{cart['id']}", token=mine).status_code == 200


def test_somebody_elses_cart_cannot_be_brought(api: Api, skus: list[str]) -> None:
    owner, email = sign_up(api, an_email())["customer"], an_email()
    sign_up(api, email)
    theirs = a_cart(api, customerId=owner["id"])
    refusal(sign_in(api, email, anonymousCartId=theirs["id"]), 400, "InvalidOperation")
    guest = a_cart(api, anonymousId=fresh("nobody"))
    refusal(sign_in(api, email, anonymousCartId=guest["id"], anonymousId="another"), 400, "InvalidOperation")
    missing = "00000000-0000-7000-8000-000000000000"
    refusal(sign_in(api, email, anonymousCartId=missing), 400, "ReferencedResourceNotFound")


# --- the project ---------------------------------------------------------------------------


def test_the_project_shows_its_settings_and_takes_updates(api: Api) -> None:
    before = api.get("")
    assert before["key"] == api.key
    actions = [{"action": "changeCountries", "countries": ["DE", "AT"]}]
    after = api.create("", {"version": before["version"], "actions": actions})
    assert (after["countries"], after["version"]) == (["DE", "AT"], before["version"] + 1)
    stale = {"version": before["version"], "actions": actions}
    refusal(api.send("POST", "", stale), 409, "ConcurrentModification")


def test_the_projects_key_to_another_issuer_stays_hidden(api: Api) -> None:
    issuer = {"url": "https://id.example.com", "authorizationHeader": "Basic c2VjcmV0"}
    action = {"action": "setExternalOAuth", "externalOAuth": issuer}
    after = api.send("POST", "", {"version": api.get("")["version"], "actions": [action]})
    assert after.json()["externalOAuth"] == {"url": "https://id.example.com", "authorizationHeader": "****"}
    assert "c2VjcmV0" not in api.send("GET", "").text
