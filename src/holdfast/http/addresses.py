"""Where a request comes from: the address of its connection, or what a trusted proxy says.

`X-Forwarded-For` is anybody's to write. It counts where the connection comes from a trusted proxy, and then from the
right: each trusted proxy added the address it was called from, and the first one that is not trusted is the client.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from holdfast.base.networks import Network

# Proxies in a row that are looked through.
PROXIES_MAX = 16
ADDRESSES_KEPT_MAX = 4_096
# A subscriber is given a whole network of this size.
IPV6_NETWORK_BITS = 64


class Addresses:
    """Tells clients apart by address, believing `trusted` proxies."""

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = trusted
        self._is_trusted = lru_cache(ADDRESSES_KEPT_MAX)(self._looked_up)

    def of(self, scope: Mapping[str, Any]) -> str:
        """The name of whoever sent this request; all who cannot be told apart have one."""
        client = scope.get("client")
        peer = client[0] if client else ""
        if not self._trusted or not self._is_trusted(peer):
            return network_of(peer)
        return network_of(self._behind(peer, scope["headers"]))

    def _behind(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
        forwarded = b",".join(value for name, value in headers if name == b"x-forwarded-for").decode("latin-1")
        for hop in reversed(forwarded.split(",")[-PROXIES_MAX:]):
            address = hop.strip()
            if _parsed(address) is None:
                break
            peer = address
            if not self._is_trusted(address):
                break
        return peer

    def _looked_up(self, text: str) -> bool:
        address = _parsed(text)
        return address is not None and any(address in network for network in self._trusted)


@lru_cache(ADDRESSES_KEPT_MAX)
def network_of(text: str) -> str:
    """What one subscriber has: an IPv4 address, or an IPv6 network."""
    address = _parsed(text)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, IPV6_NETWORK_BITS), strict=False))
    return str(address) if address else "unknown"


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
