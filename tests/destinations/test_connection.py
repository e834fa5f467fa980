"""What all adapters share."""

import asyncio

import pytest

from holdfast.delivery.destinations import connection
from holdfast.delivery.destinations.connection import REASON_CHARACTERS_MAX, Closed, Connection, told


class Clients:
    """Clients that are numbers, and those that were hung up on."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed: list[int] = []

    async def open(self) -> int:
        await asyncio.sleep(0)
        self.opened += 1
        return self.opened

    async def close(self, client: int) -> None:
        self.closed.append(client)


@pytest.fixture
def clients() -> Clients:
    return Clients()


@pytest.fixture
def line(clients: Clients) -> Connection[int]:
    return Connection(clients.open, clients.close)


async def test_all_who_ask_share_one_client(clients: Clients, line: Connection[int]) -> None:
    assert await asyncio.gather(*(line.get() for _ in range(10))) == [1] * 10
    assert clients.opened == 1


async def test_a_broken_client_is_replaced_once(clients: Clients, line: Connection[int]) -> None:
    broken = await line.get()
    await line.drop(broken)
    assert await line.get() == 2
    await line.drop(broken)
    assert await line.get() == 2
    assert clients.closed == [broken]


async def test_nothing_is_opened_after_the_end(clients: Clients, line: Connection[int]) -> None:
    await line.get()
    await line.close()
    assert clients.closed == [1]
    with pytest.raises(Closed):
        await line.get()


async def test_neither_opening_nor_hanging_up_takes_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.01)
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 0.01)
    never = asyncio.Event()

    async def hang(*_: object) -> int:
        await never.wait()
        return 0

    async def answer() -> int:
        return 1

    with pytest.raises(TimeoutError):
        await Connection(hang, hang).get()
    stubborn = Connection(answer, hang)
    await stubborn.drop(await stubborn.get())
    assert await stubborn.get() == 1


@pytest.mark.parametrize(
    "text",
    [
        "cannot reach amqp://relay:hush-hush@broker.example/",
        "nats://hush-hush@broker.example is gone",
        "Endpoint=sb://a.example;SharedAccessKey=hush-hush;EntityPath=q",
        "sasl failed: password = hush-hush, mechanism PLAIN",
        "Authorization token: hush-hush",
    ],
)
def test_reasons_hold_no_secrets(text: str) -> None:
    assert "hush-hush" not in told(ConnectionError(text))


def test_reasons_are_short_and_on_one_line() -> None:
    assert told(ValueError("first\n  second")) == "ValueError: first second"
    assert told(TimeoutError()) == "TimeoutError"
    assert len(told(ValueError("x" * 10_000))) == REASON_CHARACTERS_MAX
