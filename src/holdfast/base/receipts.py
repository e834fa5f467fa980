"""Receipts: what the shop has acknowledged, signed, so that a client can prove it later.

A receipt is `base64url(JSON).base64url(signature)` without padding; Ed25519 signs the text before the
point. Its JSON names the order, the version that was acknowledged and a hash of its totals
(docs/receipts.md tells how to check one without us).
"""

from __future__ import annotations

import base64
import binascii
from hashlib import sha256
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from holdfast.base import clock

KEY_BYTES = 32
# What names a key: the beginning of its public half's SHA-256.
KEY_ID_CHARACTERS = 16


class ForgedReceipt(ValueError):
    """Not signed by this shop, or changed since."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What is signed. `totals` is the SHA-256 of the order's totals, `at` when they were acknowledged."""

    project: str
    order_id: str
    version: int
    totals: str
    order_number: str | None = None
    at: str
    key: str


class _Money(msgspec.Struct, frozen=True, rename="camel"):
    currency_code: str
    cent_amount: int


class _TaxedPrice(msgspec.Struct, frozen=True, rename="camel"):
    total_net: _Money
    total_gross: _Money


class _Line(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    total_price: _Money


class Order(msgspec.Struct, frozen=True, rename="camel"):
    """Of an order as it is answered, what its receipt says."""

    id: str
    version: int
    total_price: _Money
    taxed_price: _TaxedPrice | None = None
    line_items: tuple[_Line, ...] = ()
    custom_line_items: tuple[_Line, ...] = ()
    order_number: str | None = None


class _Message(msgspec.Struct, frozen=True):
    order: Order


_orders = msgspec.json.Decoder(Order)
_messages = msgspec.json.Decoder(_Message)
_receipts = msgspec.json.Decoder(Receipt)
_encoder = msgspec.json.Encoder()


def order_in(body: bytes) -> Order:
    """What a receipt would say of the order in an answer."""
    return _orders.decode(body)


def order_told(message: bytes) -> Order:
    """What a receipt would say of the order in the message that told of it."""
    return _messages.decode(message).order


def totals_of(order: Order) -> str:
    """The hash of an order's totals: one amount a line, so that anybody can write the same text."""
    lines = [f"total {_amount(order.total_price)}"]
    if order.taxed_price is not None:
        lines.append(f"net {_amount(order.taxed_price.total_net)}")
        lines.append(f"gross {_amount(order.taxed_price.total_gross)}")
    lines += [f"line {line.id} {_amount(line.total_price)}" for line in order.line_items]
    lines += [f"custom {line.id} {_amount(line.total_price)}" for line in order.custom_line_items]
    return sha256("\n".join(lines).encode()).hexdigest()


def _amount(money: _Money) -> str:
    return f"{money.currency_code} {money.cent_amount}"


class Verifier:
    """Tells receipts of one key from all else."""

    def __init__(self, public: bytes) -> None:
        self.public = public
        self.key = sha256(public).hexdigest()[:KEY_ID_CHARACTERS]
        self._public = Ed25519PublicKey.from_public_bytes(public)

    @property
    def public_text(self) -> str:
        """The public key in base64url, as it is told to others."""
        return _encoded(self.public)

    def read(self, text: str) -> Receipt:
        """The receipt behind a text. Raises ForgedReceipt."""
        said, _, signature = text.partition(".")
        try:
            self._public.verify(_decoded(signature), said.encode())
            return _receipts.decode(_decoded(said))
        except (InvalidSignature, binascii.Error, ValueError) as error:
            raise ForgedReceipt(text) from error


class Signer:
    """Writes receipts; `secret` is an Ed25519 private key."""

    def __init__(self, secret: bytes) -> None:
        self._secret = Ed25519PrivateKey.from_private_bytes(secret)
        self.verifier = Verifier(self._secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def receipt(self, project: str, body: bytes) -> str:
        """The receipt for the order in an answer."""
        order = order_in(body)
        receipt = Receipt(
            project=project,
            order_id=order.id,
            version=order.version,
            totals=totals_of(order),
            order_number=order.order_number,
            at=clock.now(),
            key=self.verifier.key,
        )
        said = _encoded(_encoder.encode(receipt))
        return f"{said}.{_encoded(self._secret.sign(said.encode()))}"


def read_signer(file: Path) -> Signer:
    """The signer whose key lies in a file, in base64url. Raises OSError or ValueError."""
    secret = _decoded(file.read_text(encoding="ascii").strip())
    if len(secret) != KEY_BYTES:
        raise ValueError(f"{file} does not hold a key of {KEY_BYTES} bytes.")
    return Signer(secret)


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
