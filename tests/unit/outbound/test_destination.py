import pytest

from holdfast.outbound.destination import HEADERS_MAX, REQUEST_BYTES_MAX, Destination, Request, check_sendable
from holdfast.outbound.errors import RequestRefused


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "https:///path",
        "https://user:secret@shop.example/",
        "https://shop.example/#part",
        "https://shop.example:99999/",
        "https://shop.example:0/",
        "https://shop.example/a b",
        "https://shop.example/\r\nX: y",
        "https://shöp.example/",
        "https://shop.example/" + "a" * 2_048,
    ],
)
def test_what_is_not_a_web_address_is_not_called(url: str) -> None:
    with pytest.raises(RequestRefused):
        check_sendable(Destination("any", url), Request())


@pytest.mark.parametrize(
    "request_",
    [
        Request(body=b"x" * (REQUEST_BYTES_MAX + 1)),
        Request(headers=[("a", "b")] * (HEADERS_MAX + 1)),
        Request(headers=[("a", "b" * 9_000)]),
    ],
)
def test_what_leaves_us_is_bounded(request_: Request) -> None:
    with pytest.raises(RequestRefused):
        check_sendable(Destination("any", "https://shop.example/"), request_)


def test_saying_something_twice_needs_a_key_to_know_it_by() -> None:
    destination = Destination("any", "https://shop.example/")
    check_sendable(destination, Request(headers=[("Webhook-Id", "1")], repeatable=True))
    with pytest.raises(AssertionError):
        check_sendable(destination, Request(repeatable=True))


def test_a_destinations_host_keeps_the_secrets_of_its_address() -> None:
    assert Destination("any", "https://shop.example/hook?code=secret").host == "shop.example"
