"""SQS, SNS and EventBridge, on moto's server: the wire protocol, signatures looked at when a test asks for it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer
from tests.destinations.events import a_delivery, outcome_of, until_accepted
from tests.destinations.programs import free_ports

from holdfast.commerce.resources.subscription.destinations import (
    EventBridgeDestination,
    SnsDestination,
    SqsDestination,
)
from holdfast.delivery.destinations.aws import AwsDestination, connect, session
from holdfast.delivery.destinations.aws import outcome_of as outcome_of_error
from holdfast.delivery.destinations.aws_services import CALL_BYTES_MAX, calls, short
from holdfast.delivery.destinations.port import ACCEPTED, Misconfigured, Refused, Retry

# Gives the client of a service by its name.
Services = Callable[[str], Awaitable[Any]]

REGION, ACCOUNT = "eu-central-1", "123456789012"
KEY, SECRET = "AKIAEXAMPLE", "kept-secret"


@pytest.fixture(scope="module")
def amazon() -> Iterator[str]:
    [port] = free_ports(1)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(scope="module")
async def services(amazon: str) -> AsyncIterator[Services]:
    async with AsyncExitStack() as stack:

        async def client(name: str) -> Any:
            if name not in clients:
                context = session().create_client(
                    name, region_name=REGION, endpoint_url=amazon, aws_access_key_id=KEY, aws_secret_access_key=SECRET
                )
                clients[name] = await stack.enter_async_context(context)
            return clients[name]

        clients: dict[str, Any] = {}
        yield client


async def a_queue(sqs: Any, name: str, **attributes: str) -> str:
    return str((await sqs.create_queue(QueueName=name, Attributes=attributes))["QueueUrl"])


def to_queue(amazon: str, url: str, key: str = KEY, secret: str = SECRET) -> AwsDestination:
    return connect(SqsDestination(queue_url=url, region=REGION, access_key=key, access_secret=secret, endpoint=amazon))


async def received(sqs: Any, url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        answer = await sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
        )
        if not answer.get("Messages"):
            return found
        for message in answer["Messages"]:
            found.append(message)
            await sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


async def test_an_event_arrives_in_a_queue_with_its_attributes(amazon: str, services: Services, name: str) -> None:
    sqs = await services("sqs")
    url = await a_queue(sqs, name)
    destination = to_queue(amazon, url)
    delivery = a_delivery(1)
    assert await outcome_of(destination, delivery) == ACCEPTED
    [message] = await received(sqs, url)
    assert message["Body"].encode() == delivery.body
    assert {each: value["StringValue"] for each, value in message["MessageAttributes"].items()} == {
        "id": "order/1:1",
        "type": "OrderCreated",
        "projectKey": "sunrise",
        "resourceTypeId": "order",
    }
    await destination.close()


async def test_a_fifo_queue_keeps_the_order_of_a_resource_and_drops_repetitions(
    amazon: str, services: Services, name: str
) -> None:
    sqs = await services("sqs")
    url = await a_queue(sqs, f"{name}.fifo", FifoQueue="true")
    destination = to_queue(amazon, url)
    for number in range(6):
        for _ in range(2):
            await until_accepted(destination, [a_delivery(number, f"order/{key}") for key in range(3)])
    told: dict[str, list[int]] = {}
    for message in await received(sqs, url):
        told.setdefault(message["Attributes"]["MessageGroupId"], []).append(
            json.loads(message["Body"])["sequenceNumber"]
        )
    assert told == {f"order/{key}": list(range(6)) for key in range(3)}
    await destination.close()


async def test_an_event_arrives_through_a_topic(amazon: str, services: Services, name: str) -> None:
    sqs, sns = await services("sqs"), await services("sns")
    url = await a_queue(sqs, name)
    arn = (await sns.create_topic(Name=name))["TopicArn"]
    await sns.subscribe(
        TopicArn=arn,
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}",
        Attributes={"RawMessageDelivery": "true"},
    )
    destination = connect(SnsDestination(topic_arn=arn, access_key=KEY, access_secret=SECRET, endpoint=amazon))
    await until_accepted(destination, [a_delivery(1), a_delivery(1, "order/2")])
    assert {message["MessageAttributes"]["id"]["StringValue"] for message in await received(sqs, url)} == {
        "order/1:1",
        "order/2:1",
    }
    await destination.close()


async def test_an_event_arrives_through_a_bus(amazon: str, services: Services, name: str) -> None:
    sqs, events = await services("sqs"), await services("events")
    url = await a_queue(sqs, name)
    await events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    await events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"}])
    destination = connect(
        EventBridgeDestination(
            region=REGION, account_id=ACCOUNT, source=name, access_key=KEY, access_secret=SECRET, endpoint=amazon
        )
    )
    assert await outcome_of(destination, a_delivery(7)) == ACCEPTED
    [message] = await received(sqs, url)
    event = json.loads(message["Body"])
    assert (event["source"], event["detail-type"], event["detail"]["sequenceNumber"]) == (name, "OrderCreated", 7)
    await destination.close()


async def test_a_queue_or_topic_that_is_not_there_is_a_matter_of_configuration(amazon: str, name: str) -> None:
    queue = to_queue(amazon, f"{amazon}/{ACCOUNT}/{name}")
    topic = connect(
        SnsDestination(
            topic_arn=f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}", access_key=KEY, access_secret=SECRET, endpoint=amazon
        )
    )
    for destination in (queue, topic):
        assert isinstance(await outcome_of(destination, a_delivery(1)), Misconfigured)
        await destination.close()


async def test_a_wrong_secret_is_a_matter_of_configuration_and_is_not_told(
    amazon: str, services: Services, name: str
) -> None:
    url = await a_queue(await services("sqs"), name)
    key, secret = await a_key(await services("iam"), name)
    mine, wrong = to_queue(amazon, url, key, secret), to_queue(amazon, url, key, "not-this-one")
    async with httpx.AsyncClient(base_url=amazon) as moto:
        await moto.post("/moto-api/reset-auth", content="0")
        outcomes = [await outcome_of(destination, a_delivery(1)) for destination in (mine, wrong)]
        await moto.post("/moto-api/reset-auth", content="inf")
    assert outcomes[0] == ACCEPTED
    assert isinstance(outcomes[1], Misconfigured)
    assert "SignatureDoesNotMatch" in outcomes[1].reason
    assert "not-this-one" not in outcomes[1].reason
    for destination in (mine, wrong):
        await destination.close()


async def a_key(iam: Any, name: str) -> tuple[str, str]:
    """The key of a user who may use queues, and its secret."""
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
    await iam.create_user(UserName=name)
    await iam.put_user_policy(UserName=name, PolicyName="queues", PolicyDocument=json.dumps(policy))
    made = (await iam.create_access_key(UserName=name))["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


async def test_an_event_larger_than_a_queue_takes_is_refused_and_no_other(
    amazon: str, services: Services, name: str
) -> None:
    sqs = await services("sqs")
    destination = to_queue(amazon, await a_queue(sqs, name, MaximumMessageSize="65536"))
    large, small = a_delivery(1, "order/2", body=b"x" * 3_000_000), a_delivery(1)
    outcomes = await destination.send([small, large, small._replace(ordering_key="order/3")])
    assert [type(outcome) for outcome in outcomes] == [type(ACCEPTED), Refused, type(ACCEPTED)]
    await destination.close()


async def test_a_service_that_is_away_is_tried_again_and_gets_it_later(
    services: Services, amazon: str, name: str
) -> None:
    [port] = free_ports(1)
    destination = to_queue(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}/{ACCOUNT}/{name}")
    assert isinstance(await outcome_of(destination, a_delivery(1)), Retry)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    try:
        await a_queue(await services("sqs"), name)  # moto's servers share what they hold
        await until_accepted(destination, [a_delivery(1)])
    finally:
        server.stop()
    await destination.close()


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("ThrottlingException", 400, Retry),
        ("ServiceUnavailable", 503, Retry),
        ("AccessDenied", 403, Misconfigured),
        ("QueueDoesNotExist", 400, Misconfigured),
        ("InvalidMessageContents", 400, Refused),
    ],
)
def test_what_a_service_says_is_told_apart(code: str, status: int, expected: type) -> None:
    answer = {"Error": {"Code": code, "Message": "…"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    assert isinstance(outcome_of_error(ClientError(answer, "SendMessageBatch")), expected)


def test_calls_stay_within_what_a_service_takes() -> None:
    deliveries = [a_delivery(number, body=b"x" * (CALL_BYTES_MAX // 3)) for number in range(7)]
    assert [len(together) for together in calls(deliveries)] == [2, 2, 2, 1]


def test_long_ids_stay_different() -> None:
    assert short("order/1") == "order/1"
    assert len({short("x" * 200 + "1"), short("x" * 200 + "2"), short("ä")}) == 3
