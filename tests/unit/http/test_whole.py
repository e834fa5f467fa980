"""What is read of a request that came in one piece, and what is left to the parser."""

from __future__ import annotations

import pytest

from holdfast.http.whole import HEAD_BYTES_MAX, Whole, whole_post

BODY = b'{"currency":"EUR"}'


def post(*fields: str, target: str = "/shop/carts", method: str = "POST", body: bytes = BODY) -> bytes:
    head = [f"{method} {target} HTTP/1.1", "Host: x", f"Content-Length: {len(BODY)}", *fields, "", ""]
    return "\r\n".join(head).encode("latin-1") + body


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (post(), Whole("/shop/carts", None)),
        (post(target="/shop/carts?expand=customerGroup&expand=x%20y"), Whole("/shop/carts", None)),
        (post(target="/shop/in-store/key=a-b~c/carts"), Whole("/shop/in-store/key=a-b~c/carts", None)),
        (post("X-CORRELATION-ID:  told/by_me-1 ", "Accept: */*"), Whole("/shop/carts", b"told/by_me-1")),
        (post("X-Name: M\u00fcller"), Whole("/shop/carts", None)),
    ],
)
def test_a_plain_one_is_read(sent: bytes, found: Whole) -> None:
    assert whole_post(sent) == found


@pytest.mark.parametrize(
    "sent",
    [
        post(method="GET"),
        post(method="post"),
        post(target="/shop/car%74s"),
        post(target="http://x/shop/carts"),
        post("Connection: close"),
        post("connection: keep-alive"),
        post("Expect: 100-continue"),
        post("Transfer-Encoding: chunked"),
        post("Upgrade: h2c"),
        post(f"content-length: {len(BODY)}"),
        post("Content-Length: x"),
        post("Content-Length : 3"),
        post(" folded"),
        post("X: a\tb"),
        post("X: a\0b"),
        post("X"),
        post("X: a\nTransfer-Encoding: chunked"),
        post(body=BODY + BODY),
        post(body=BODY[:-1]),
        post(body=b""),
        post(f"X: {'a' * HEAD_BYTES_MAX}"),
        post()[:-1],
        post() + post(),
        post().replace(b"\r\n", b"\n"),
        post().replace(b"HTTP/1.1", b"HTTP/1.0"),
        post().replace(b"Content-Length", b"X-Length"),
        b"",
    ],
)
def test_all_else_is_left_to_the_parser(sent: bytes) -> None:
    assert whole_post(sent) is None
