"""Webhooks against a real receiver: what is on the wire, and what each answer leads to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import pytest_asyncio
from tests.delivery.receiver import Receiver

from holdfast.commerce.resources.subscription.destinations import WebhookDestination
from holdfast.delivery.destinations.kinds import NoAdapter, connect
from holdfast.delivery.destinations.port import ACCEPTED, Delivery, Misconfigured, Outcome, Refused, Retry
from holdfast.ops.bench.limits import free_port
from holdfast.outbound.addresses import Allowed, allowed_of
from holdfast.outbound.client import Client

KEYS = [bytes(range(n, n + 32)) for n in (1, 2)]
SECRETS = tuple(f"whsec_{base64.b64encode(key).decode()}" for key in KEYS)
A_DELIVERY = Delivery("msg-1", "shop/order/1", "OrderCreated", b'{"type":"OrderCreated"}', "application/json")


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as made:
        yield made


async def send(settings: WebhookDestination, allowed: Allowed | None = None) -> Outcome:
    client = Client(allowed if allowed is not None else allowed_of("127.0.0.0/8"))
    try:
        (outcome,) = await connect(settings, client).send([A_DELIVERY])
    finally:
        await client.close()
    return outcome


async def test_a_receiver_can_check_who_sent_it(receiver: Receiver) -> None:
    assert await send(WebhookDestination(url=receiver.url, secret=SECRETS[0], secrets=SECRETS[1:])) == ACCEPTED
    (got,) = receiver.got
    assert (got.head, got.body) == ("POST /hook HTTP/1.1", A_DELIVERY.body)
    assert (got.headers["webhook-id"], got.headers["content-type"]) == ("msg-1", "application/json")
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60
    signed = b"msg-1." + got.headers["webhook-timestamp"].encode() + b"." + got.body
    wanted = [f"v1,{base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}" for key in KEYS]
    assert got.headers["webhook-signature"].split(" ") == wanted


async def test_without_a_secret_nothing_is_signed(receiver: Receiver) -> None:
    assert await send(WebhookDestination(url=receiver.url)) == ACCEPTED
    assert "webhook-signature" not in receiver.got[0].headers


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("200 OK", ACCEPTED),
        ("202 Accepted", ACCEPTED),
        ("410 Gone", Refused("The receiver answered 410.")),
        ("302 Found\r\nLocation: http://127.0.0.1:1/", Retry("The receiver answered 302.")),
        ("404 Not Found", Retry("The receiver answered 404.")),
        ("500 Oops", Retry("The receiver answered 500.")),
        ("503 Busy\r\nRetry-After: 120", Retry("The receiver answered 503.", 120.0)),
        ("429 Slow Down\r\nRetry-After: soon", Retry("The receiver answered 429.")),
    ],
)
async def test_every_answer_has_its_meaning(receiver: Receiver, answer: str, outcome: Outcome) -> None:
    receiver.choose = lambda: answer
    assert await send(WebhookDestination(url=receiver.url)) == outcome
    assert len(receiver.got) == 1


async def test_a_receiver_may_name_the_moment_to_come_back(receiver: Receiver) -> None:
    moment = datetime.now(UTC) + timedelta(hours=1)
    receiver.choose = lambda: f"503 Busy\r\nRetry-After: {format_datetime(moment, usegmt=True)}"
    outcome = await send(WebhookDestination(url=receiver.url))
    assert isinstance(outcome, Retry)
    assert outcome.after_seconds is not None
    assert 3_500 < outcome.after_seconds <= 3_600


async def test_addresses_inside_are_not_called(receiver: Receiver) -> None:
    assert isinstance(await send(WebhookDestination(url=receiver.url), Allowed()), Misconfigured)
    assert not receiver.got


async def test_nobody_there_is_a_reason_to_come_back() -> None:
    assert isinstance(await send(WebhookDestination(url=f"http://127.0.0.1:{free_port()}/")), Retry)


async def test_a_kind_nobody_serves_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.delivery.destinations.kinds.type_of", lambda _: "Pigeon")
    with pytest.raises(NoAdapter, match="Pigeon"):
        connect(object(), Client(Allowed()))  # type: ignore[arg-type]
