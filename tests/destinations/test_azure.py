"""Azure. Its emulators are no packages, so a small server checks each request by the published reference."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote_plus

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.destinations.events import a_delivery, outcome_of, until_accepted

from holdfast.commerce.resources.subscription.destinations import (
    AzureEventGridDestination,
    AzureServiceBusDestination,
)
from holdfast.delivery.destinations.azure import Access, EventGrid, ServiceBus, signed
from holdfast.delivery.destinations.port import ACCEPTED, Misconfigured, Outcome, Refused, Retry
from holdfast.outbound.addresses import allowed_of
from holdfast.outbound.client import Client

KEY_NAME, KEY, GRID_KEY = "relay", "a2VwdC1zZWNyZXQ=", "kept-secret"
CLOUD_EVENT = "application/cloudevents+json; charset=utf-8"


@dataclass
class Azure:
    """A queue and a topic."""

    url: str = ""
    messages: list[tuple[dict[str, Any], Mapping[str, str], bytes]] = field(default_factory=list)
    events: list[tuple[str, bytes]] = field(default_factory=list)
    status_next: list[int] = field(default_factory=list)

    async def queue(self, request: web.Request) -> web.Response:
        if self.status_next:
            return web.Response(status=self.status_next.pop(0), headers={"Retry-After": "7"})
        if not self._is_signed(request.headers["Authorization"]):
            return web.Response(status=401)
        properties = json.loads(request.headers["BrokerProperties"])
        self.messages.append((properties, request.headers, await request.read()))
        return web.Response(status=201)

    def _is_signed(self, token: str) -> bool:
        scheme, _, fields = token.partition(" ")
        given = {name: values[0] for name, values in parse_qs(fields).items()}
        text = f"{quote_plus(f'{self.url}/orders')}\n{given['se']}"
        expected = base64.b64encode(hmac.new(KEY.encode(), text.encode(), hashlib.sha256).digest()).decode()
        return (scheme, given["skn"], given["sig"]) == ("SharedAccessSignature", KEY_NAME, expected)

    async def topic(self, request: web.Request) -> web.Response:
        assert request.query["api-version"] == "2018-01-01"
        if request.headers["aeg-sas-key"] != GRID_KEY:
            return web.Response(status=401)
        self.events.append((request.headers["Content-Type"], await request.read()))
        return web.Response(status=200)


@pytest.fixture
async def azure() -> AsyncIterator[Azure]:
    azure = Azure()
    app = web.Application()
    app.router.add_post("/orders/messages", azure.queue)
    app.router.add_post("/api/events", azure.topic)
    async with TestServer(app) as server:
        azure.url = str(server.make_url("")).rstrip("/")
        yield azure


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client(allowed_of("127.0.0.0/8"))
    yield client
    await client.close()


def bus(azure: Azure, client: Client, key: str = KEY, entity: str = "orders") -> ServiceBus:
    text = f"Endpoint={azure.url}/;SharedAccessKeyName={KEY_NAME};SharedAccessKey={key};EntityPath={entity}"
    return ServiceBus(AzureServiceBusDestination(connection_string=text), client)


async def test_an_event_arrives_on_the_bus_with_its_session_and_properties(azure: Azure, client: Client) -> None:
    delivery = a_delivery(1)
    assert await outcome_of(bus(azure, client), delivery) == ACCEPTED
    [(properties, headers, body)] = azure.messages
    assert properties == {"MessageId": "order/1:1", "SessionId": "order/1", "Label": "OrderCreated"}
    assert headers["projectKey"] == '"sunrise"'
    assert headers["content-type"] == "application/json"
    assert body == delivery.body


def test_a_signature_is_what_the_published_recipe_gives() -> None:
    token = signed(Access("https://shop.servicebus.windows.net/orders", "relay", "secret"), 1_700_000_000)
    place = "https%3A%2F%2Fshop.servicebus.windows.net%2Forders"
    digest = hmac.new(b"secret", f"{place}\n1700000000".encode(), hashlib.sha256).digest()
    signature = quote_plus(base64.b64encode(digest).decode())
    assert token == f"SharedAccessSignature sr={place}&sig={signature}&se=1700000000&skn=relay"


async def test_a_bus_that_is_away_is_tried_again_and_gets_it_later(azure: Azure, client: Client) -> None:
    destination = bus(azure, client)
    azure.status_next = [429, 503]
    assert await outcome_of(destination, a_delivery(1)) == Retry("The service answered 429.", 7.0)
    assert await until_accepted(destination, [a_delivery(1)]) == 1
    assert len(azure.messages) == 1


@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, Refused), (413, Refused), (401, Misconfigured), (410, Misconfigured), (403, Retry), (500, Retry)],
)
async def test_what_a_bus_answers_is_told_apart(azure: Azure, client: Client, status: int, expected: type) -> None:
    azure.status_next = [status]
    assert isinstance(await outcome_of(bus(azure, client), a_delivery(1)), expected)


async def test_a_wrong_key_is_a_matter_of_configuration_and_is_not_told(azure: Azure, client: Client) -> None:
    refused = await outcome_of(bus(azure, client, key="not-this-one"), a_delivery(1))
    assert refused == Misconfigured("The service answered 401.")


@pytest.mark.parametrize("text", ["nonsense", "Endpoint=sb://a.b/;SharedAccessKeyName=x;SharedAccessKey=y"])
async def test_a_connection_string_that_lacks_something_is_a_matter_of_configuration(client: Client, text: str) -> None:
    destination = ServiceBus(AzureServiceBusDestination(connection_string=text), client)
    assert isinstance(await outcome_of(destination, a_delivery(1)), Misconfigured)


def test_a_published_connection_string_is_called_encrypted(client: Client) -> None:
    text = "Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=relay;SharedAccessKey=k=;EntityPath=orders"
    destination = ServiceBus(AzureServiceBusDestination(connection_string=text), client)
    assert destination._destination.url == "https://shop.servicebus.windows.net/orders/messages"
    assert destination._access.key == "k="


async def grid_outcome(azure: Azure, client: Client, key: str = GRID_KEY, **changes: Any) -> Outcome:
    settings = AzureEventGridDestination(uri=f"{azure.url}/api/events", access_key=key)
    return await outcome_of(EventGrid(settings, client), a_delivery(1, **changes))


async def test_a_cloud_event_arrives_in_the_grid_as_it_is(azure: Azure, client: Client) -> None:
    body = b'{"specversion":"1.0","id":"order/1:1"}'
    assert await grid_outcome(azure, client, body=body, content_type=CLOUD_EVENT) == ACCEPTED
    assert azure.events == [(CLOUD_EVENT, body)]


async def test_a_notification_arrives_in_the_grid_as_the_data_of_its_event(azure: Azure, client: Client) -> None:
    body = b'{"notificationType":"Message","createdAt":"2026-11-21T12:00:00.000Z"}'
    assert await grid_outcome(azure, client, body=body) == ACCEPTED
    [(content_type, sent)] = azure.events
    assert content_type == "application/json"
    assert json.loads(sent) == [
        {
            "id": "order/1:1",
            "eventType": "OrderCreated",
            "subject": "order/1",
            "eventTime": "2026-11-21T12:00:00.000Z",
            "dataVersion": "1",
            "data": json.loads(body),
        }
    ]


async def test_a_wrong_key_of_the_grid_is_a_matter_of_configuration(azure: Azure, client: Client) -> None:
    assert await grid_outcome(azure, client, key="not-this-one") == Misconfigured("The service answered 401.")


async def test_an_address_inside_is_not_called(azure: Azure) -> None:
    client = Client(allowed_of(""))
    assert isinstance(await grid_outcome(azure, client), Misconfigured)
    await client.close()
