import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest
from tests.outbound.sinks import (
    PATIENT_SECONDS,
    Behave,
    Sink,
    answers,
    dribbles,
    hangs,
    hangs_up,
    one_after_the_other,
    sink,
    talks_nonsense,
)

from holdfast.outbound.addresses import Allowed, allowed_of
from holdfast.outbound.breaker import Policy
from holdfast.outbound.client import Client
from holdfast.outbound.destination import Destination, Request
from holdfast.outbound.errors import (
    AddressRefused,
    AnswerTooLarge,
    BrokenAnswer,
    CircuitOpen,
    NoConnection,
    OutboundError,
    RequestRefused,
    TimedOut,
    TooManyCalls,
)
from holdfast.outbound.transport import Transport

HERE = allowed_of("127.0.0.1/32")
SHORT_SECONDS = 0.2
KEYED = (("Idempotency-Key", "4711"),)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client(HERE)
    yield client
    await client.close()


def place(server: Sink, *, seconds: float = PATIENT_SECONDS, in_flight: int = 32, queue: int = 64) -> Destination:
    return Destination("sink", server.url, total_seconds=seconds, in_flight_max=in_flight, queue_max=queue)


async def test_a_call_brings_method_headers_and_body_and_takes_back_what_was_answered(client: Client) -> None:
    async with sink(answers(201, b'{"ok":true}', "X-Mark: so")) as server:
        response = await client.send(place(server), Request(headers=(("X-Ask", "this"),), body=b"{}"))
    assert (response.status, response.body, response.header("x-mark")) == (201, b'{"ok":true}', "so")
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.headers["x-ask"], asked.body) == ("POST", "/called", "this", b"{}")


async def test_a_connection_is_used_again(client: Client) -> None:
    async with sink(answers(200)) as server:
        for _ in range(3):
            await client.send(place(server), Request())
    assert (len(server.asked), server.connections) == (3, 1)


@pytest.mark.parametrize("behave", [hangs, dribbles])
async def test_a_destination_that_hangs_costs_its_time_and_no_more(client: Client, behave: Behave) -> None:
    async with sink(behave) as server:
        with pytest.raises(TimedOut):
            await client.send(place(server, seconds=SHORT_SECONDS), Request())


async def test_a_half_open_destination_is_told_from_one_that_answers(client: Client) -> None:
    """The kernel accepts the connection; nobody ever does."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        destination = Destination("deaf", f"http://127.0.0.1:{port}/", total_seconds=SHORT_SECONDS)
        with pytest.raises(TimedOut):
            await client.send(destination, Request())


@pytest.mark.parametrize("behave", [hangs_up, talks_nonsense])
async def test_a_broken_answer_may_have_arrived(client: Client, behave: Behave) -> None:
    async with sink(behave) as server:
        with pytest.raises(BrokenAnswer) as problem:
            await client.send(place(server), Request(attempts_max=3))
    assert problem.value.may_have_arrived
    assert len(server.asked) == 1, "what is not known to be safe is not said again"


async def test_a_closed_port_is_no_connection_and_may_be_tried_again(client: Client) -> None:
    async with sink(answers(200)) as server:
        pass
    with pytest.raises(NoConnection) as problem:
        await client.send(place(server), Request(attempts_max=3))
    assert not problem.value.may_have_arrived
    (figures,) = client.figures()
    assert (figures.failed, figures.retries) == (3, 2)


async def test_an_answer_without_end_is_cut_off(client: Client) -> None:
    async with sink(answers(200, b"x" * 10_001)) as server:
        destination = place(server)._replace(answer_bytes_max=10_000)
        with pytest.raises(AnswerTooLarge):
            await client.send(destination, Request())


async def test_a_redirect_is_an_answer_and_is_not_followed(client: Client) -> None:
    async with sink(answers(200)) as inside, sink(answers(302, b"", f"Location: {inside.url}")) as server:
        response = await client.send(place(server), Request("GET"))
    assert (response.status, inside.asked) == (302, [])


async def test_the_environments_proxy_is_not_asked(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async with sink(answers(200)) as proxy, sink(answers(200)) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        await client.send(place(server), Request())
    assert (len(server.asked), proxy.asked) == (1, [])


# --- where it may call -----------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_nobody_makes_us_call_ourselves(host: str, scheme: str) -> None:
    client = Client(Allowed())
    async with sink(answers(200)) as server:
        with pytest.raises(AddressRefused):
            await client.send(Destination("self", f"{scheme}://{host}:{server.port}/"), Request())
    assert server.connections == 0
    await client.close()


async def test_a_name_is_looked_up_once_and_what_was_checked_is_called() -> None:
    looked_up = []

    async def rebinding(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"] if len(looked_up) == 1 else ["10.0.0.1"]

    client = Client(HERE, transport=Transport(HERE, rebinding))
    async with sink(answers(200)) as server:
        destination = Destination("rebinding", f"http://shop.example:{server.port}/")
        assert (await client.send(destination, Request())).status == 200
    assert looked_up == ["shop.example"]
    assert server.asked[0].headers["host"] == f"shop.example:{server.port}"
    await client.close()


async def test_one_private_address_among_public_ones_is_one_too_many() -> None:
    async def mixed(host: str, port: int) -> list[str]:
        return ["93.184.215.14", "169.254.169.254"]

    client = Client(Allowed(), transport=Transport(Allowed(), mixed))
    with pytest.raises(AddressRefused, match=r"169\.254\.169\.254"):
        await client.send(Destination("mixed", "https://shop.example/"), Request())
    await client.close()


async def test_an_allowed_host_name_may_be_called_wherever_it_is() -> None:
    client = Client(allowed_of("localhost"))
    async with sink(answers(200)) as server:
        destination = Destination("named", f"http://localhost:{server.port}/")
        assert (await client.send(destination, Request())).status == 200
    await client.close()


async def test_a_header_cannot_smuggle_another_request(client: Client) -> None:
    async with sink(answers(200)) as server:
        with pytest.raises(RequestRefused):
            await client.send(place(server), Request(headers=(("X-Key", "a\r\nX-Other: b"),)))
    assert server.asked == []


# --- retries ---------------------------------------------------------------------------------


async def test_what_may_be_repeated_is_repeated_until_it_succeeds(client: Client) -> None:
    async with sink(one_after_the_other(answers(503), hangs_up, answers(200, b"at last"))) as server:
        response = await client.send(place(server), Request(headers=KEYED, attempts_max=3, repeatable=True))
    assert (response.status, response.body, len(server.asked)) == (200, b"at last", 3)


async def test_what_may_not_be_repeated_is_said_once(client: Client) -> None:
    async with sink(answers(503)) as server:
        response = await client.send(place(server), Request(attempts_max=3))
    assert (response.status, len(server.asked)) == (503, 1)


async def test_who_asks_to_be_left_alone_is_left_alone(client: Client) -> None:
    async with sink(answers(429)) as server:
        response = await client.send(place(server), Request("GET", attempts_max=3))
    assert (response.status, len(server.asked)) == (429, 1)


async def test_retries_are_a_tenth_of_the_calls_and_a_few_in_hand() -> None:
    client = Client(HERE, policy=Policy(failures_min=1_000))
    async with sink(answers(503)) as server:
        for _ in range(20):
            await client.send(place(server), Request("GET", attempts_max=3))
    assert 20 + 3 <= len(server.asked) <= 20 + 3 + 2
    await client.close()


# --- the breaker -----------------------------------------------------------------------------


async def test_the_breaker_opens_tries_again_and_closes() -> None:
    policy = Policy(failures_min=3, open_seconds=0.1, successes_to_close=2)
    client = Client(HERE, policy=policy)
    failing = one_after_the_other(answers(500), answers(500), answers(500), answers(500), answers(200))
    async with sink(failing) as server:
        for _ in range(3):
            await client.send(place(server), Request())
        with pytest.raises(CircuitOpen, match="status 500"):
            await client.send(place(server), Request())
        assert len(server.asked) == 3
        await _until_closed(client, server)
    (figures,) = client.figures()
    phases = [change.phase for change in figures.history]
    assert phases == ["open", "half-open", "open", "half-open", "closed"]
    assert figures.phase == "closed"
    assert abs(figures.history[-1].at - time.time()) < 60


async def _until_closed(client: Client, server: Sink) -> None:
    async with asyncio.timeout(PATIENT_SECONDS):
        while client.figures()[0].phase != "closed":
            try:
                await client.send(place(server), Request())
            except CircuitOpen:
                retry_at = client.figures()[0].retry_at
                await asyncio.sleep(max(0.0, retry_at - time.time()) if retry_at else 0)


async def test_one_destinations_breaker_is_not_anothers() -> None:
    client = Client(HERE, policy=Policy(failures_min=1))
    async with sink(answers(500)) as bad, sink(answers(200)) as good:
        await client.send(place(bad), Request())
        with pytest.raises(CircuitOpen):
            await client.send(place(bad), Request())
        assert (await client.send(place(good)._replace(name="other"), Request())).status == 200
    await client.close()


async def test_a_caller_who_gives_up_says_nothing_against_the_destination() -> None:
    client = Client(HERE, policy=Policy(failures_min=1))
    async with sink(hangs) as server:
        call = asyncio.create_task(client.send(place(server), Request()))
        await server.until_asked()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    (figures,) = client.figures()
    assert (figures.phase, figures.failed, figures.in_flight) == ("closed", 0, 0)
    await client.close()


async def test_another_address_under_the_same_name_begins_anew() -> None:
    client = Client(HERE, policy=Policy(failures_min=1))
    async with sink(answers(500)) as bad, sink(answers(200)) as good:
        await client.send(place(bad), Request())
        assert (await client.send(place(good), Request())).status == 200
    assert [figures.phase for figures in client.figures()] == ["closed"]
    await client.close()


# --- the bulkhead ----------------------------------------------------------------------------


async def test_so_many_call_at_once_so_many_wait_and_the_rest_is_told_at_once(client: Client) -> None:
    async with sink(hangs) as server:
        destination = place(server, in_flight=2, queue=1)
        calls = [asyncio.create_task(client.send(destination, Request())) for _ in range(2)]
        await server.until_asked(2)
        calls.append(asyncio.create_task(client.send(destination, Request())))
        await asyncio.sleep(0)  # far enough to stand in line
        with pytest.raises(TooManyCalls):
            await client.send(destination, Request())
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    assert server.at_once_most == 2
    assert client.figures()[0].refused_busy == 1


async def test_waiting_for_a_place_is_part_of_the_time(client: Client) -> None:
    async with sink(hangs) as server:
        destination = place(server, seconds=SHORT_SECONDS, in_flight=1)
        calls = [client.send(destination, Request()) for _ in range(2)]
        first, second = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(first, TimedOut)
    assert isinstance(second, OutboundError)
    assert len(server.asked) <= 2
