"""Google Cloud Pub/Sub. Its emulator is no package, so a small server checks each request by the published reference:

https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/publish, and for tokens
https://developers.google.com/identity/protocols/oauth2/service-account#httprest.
"""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.destinations.events import a_delivery, outcome_of, until_accepted
from tests.destinations.programs import free_ports

from holdfast.commerce.resources.subscription.destinations import GoogleCloudPubSubDestination
from holdfast.delivery.destinations.port import ACCEPTED, Misconfigured, Refused, Retry
from holdfast.delivery.destinations.pubsub import TOKEN_ADDRESS, connect, key_of

PROJECT, TOPIC = "shop-project", "orders"
SCOPE = "https://www.googleapis.com/auth/pubsub"
MESSAGE_BYTES_MAX = 10_000_000
TOKEN = "ya29.example"


@dataclass
class Google:
    """The two requests a publisher makes."""

    url: str = ""
    published: list[dict[str, Any]] = field(default_factory=list)
    fail_next: int = 0
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    async def token(self, request: web.Request) -> web.Response:
        form = parse_qs(await request.text())
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        try:
            public = self.key.public_key()
            claims = jwt.decode(form["assertion"][0], public, algorithms=["RS256"], audience=f"{self.url}/token")
        except jwt.InvalidTokenError:
            return web.json_response({"error": "invalid_grant"}, status=400)
        assert claims["scope"] == SCOPE
        assert claims["iss"] == "relay@shop-project.iam.gserviceaccount.com"
        assert claims["exp"] - claims["iat"] <= 3600
        return web.json_response({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})

    async def publish(self, request: web.Request) -> web.Response:
        if self.fail_next:
            self.fail_next -= 1
            return self.error(503, "UNAVAILABLE")
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.error(401, "UNAUTHENTICATED")
        if request.match_info["name"] != f"projects/{PROJECT}/topics/{TOPIC}:publish":
            return self.error(404, "NOT_FOUND")
        assert request.content_type == "application/json"
        messages = (await request.json())["messages"]
        if any(len(message["data"]) > MESSAGE_BYTES_MAX or not message["attributes"]["id"] for message in messages):
            return self.error(400, "INVALID_ARGUMENT")
        self.published += messages
        return web.json_response({"messageIds": [str(number) for number in range(len(messages))]})

    @staticmethod
    def error(status: int, name: str) -> web.Response:
        return web.json_response({"error": {"code": status, "message": "…", "status": name}}, status=status)


@pytest.fixture
async def google() -> AsyncIterator[Google]:
    google = Google()
    app = web.Application(client_max_size=100_000_000)
    app.router.add_post("/token", google.token)
    app.router.add_post("/v1/{name:.+}", google.publish)
    async with TestServer(app) as server:
        google.url = str(server.make_url("")).rstrip("/")
        yield google


def credentials(key: rsa.RSAPrivateKey, **changes: str) -> str:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    given = {"type": "service_account", "client_email": "relay@shop-project.iam.gserviceaccount.com"}
    return json.dumps({**given, "private_key": private, **changes})


def settings(google: Google, **changes: str) -> GoogleCloudPubSubDestination:
    given = {"project_id": PROJECT, "topic": TOPIC, "credentials": credentials(google.key), "endpoint": google.url}
    return GoogleCloudPubSubDestination(**{**given, **changes})


async def test_events_arrive_with_body_attributes_and_ordering_key(google: Google) -> None:
    destination = connect(settings(google))
    delivery = a_delivery(1)
    assert list(await destination.send([delivery, a_delivery(1, "order/2")])) == [ACCEPTED, ACCEPTED]
    first, second = google.published
    assert base64.b64decode(first["data"]) == delivery.body
    assert (first["orderingKey"], second["orderingKey"]) == ("order/1", "order/2")
    assert first["attributes"] == {
        "id": "order/1:1",
        "type": "OrderCreated",
        "contentType": "application/json",
        "projectKey": "sunrise",
        "resourceTypeId": "order",
    }
    await destination.close()


async def test_a_service_that_is_away_is_tried_again_and_gets_it_later(google: Google) -> None:
    destination = connect(settings(google))
    google.fail_next = 2
    assert await until_accepted(destination, [a_delivery(1)]) == 2
    assert len(google.published) == 1
    await destination.close()


async def test_nobody_there_is_tried_again() -> None:
    nowhere = f"http://127.0.0.1:{free_ports(1)[0]}"
    destination = connect(GoogleCloudPubSubDestination(project_id=PROJECT, topic=TOPIC, endpoint=nowhere))
    assert isinstance(await outcome_of(destination, a_delivery(1)), Retry)
    await destination.close()


async def test_a_key_google_does_not_know_is_a_matter_of_configuration_and_is_not_told(google: Google) -> None:
    foreign = credentials(rsa.generate_private_key(65537, 2048))
    destination = connect(settings(google, credentials=foreign))
    assert await outcome_of(destination, a_delivery(1)) == Misconfigured("No token: 400")
    await destination.close()


@pytest.mark.parametrize(
    "given",
    [
        "no JSON",
        "[]",
        '{"type": "service_account"}',
        '{"type": "external_account", "credential_source": {"file": "/"}}',
    ],
)
async def test_other_credentials_than_a_key_are_a_matter_of_configuration(google: Google, given: str) -> None:
    destination = connect(settings(google, credentials=given))
    assert isinstance(await outcome_of(destination, a_delivery(1)), Misconfigured)
    await destination.close()


def test_a_key_cannot_choose_where_it_is_shown(google: Google) -> None:
    given = credentials(google.key, token_uri="http://169.254.169.254/", service_account_impersonation_url="http://x/")
    kept = json.load(key_of(given, None))
    assert kept["token_uri"] == TOKEN_ADDRESS
    assert "service_account_impersonation_url" not in kept


async def test_a_topic_that_is_not_there_is_a_matter_of_configuration(google: Google) -> None:
    destination = connect(settings(google, topic="gone"))
    assert isinstance(await outcome_of(destination, a_delivery(1)), Misconfigured)
    await destination.close()


async def test_an_event_larger_than_a_topic_takes_is_refused_and_no_other(google: Google) -> None:
    destination = connect(settings(google))
    large = a_delivery(1, "order/2", body=b"x" * MESSAGE_BYTES_MAX)
    outcomes = await destination.send([a_delivery(1), large, a_delivery(1, "order/3")])
    assert [type(outcome) for outcome in outcomes] == [type(ACCEPTED), Refused, type(ACCEPTED)]
    await destination.close()
