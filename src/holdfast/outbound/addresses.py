"""Where we may be made to call: addresses of the public internet, and what the operator allows beside them.

Whoever writes an extension or a webhook chooses an address that we then call from inside the shop's
network. So the address a name stands for is looked up once, checked, and connected to itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from holdfast.base.config import BadSetting
from holdfast.outbound.errors import AddressRefused

Address = IPv4Address | IPv6Address

# Below this, ports belong to services that are not spoken to in HTTP.
PORT_MIN = 1_024
USUAL_PORTS = frozenset({80, 443})
ALLOWED_MAX = 256

# Addresses that carry an IPv4 address for a translator or tunnel: calling one calls the other.
_NAT64 = IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")
_SITE_LOCAL = IPv6Network("fec0::/10")
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})?(\.[a-z0-9_]([a-z0-9_-]{0,62})?)*", re.IGNORECASE)


class Allowed(NamedTuple):
    """What the operator allows beside the public internet, with or without TLS."""

    networks: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset()

    def host(self, host: str) -> bool:
        return host.lower().rstrip(".") in self.hosts

    def address(self, address: Address) -> bool:
        return any(address in ip_network(network) for network in self.networks)


def allowed_of(setting: str) -> Allowed:
    """HOLDFAST_OUTBOUND_ALLOW taken apart: networks and host names. Raises BadSetting."""
    networks, hosts = [], []
    for word in re.split(r"[\s,]+", setting.strip()) if setting.strip() else []:
        try:
            networks.append(str(ip_network(word)))
        except ValueError:
            if not _HOST.fullmatch(word) or word[-1].isdigit() or "/" in word:
                raise BadSetting(f"HOLDFAST_OUTBOUND_ALLOW: '{word}' is neither a network nor a host name.") from None
            hosts.append(word.lower())
    if len(networks) + len(hosts) > ALLOWED_MAX:
        raise BadSetting(f"HOLDFAST_OUTBOUND_ALLOW: at most {ALLOWED_MAX} networks and host names.")
    return Allowed(tuple(networks), frozenset(hosts))


def is_public(address: Address) -> bool:
    """Whether an address, and any it carries inside, is one of the public internet."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        if address.sixtofour is not None:
            return is_public(address.sixtofour)
        if address in _NAT64_LOCAL or address in _SITE_LOCAL:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def check(host: str, port: int, found: Sequence[str], allowed: Allowed, *, plain: bool) -> None:
    """See that all the addresses a host has may be called; `plain` for a call without TLS. Raises AddressRefused."""
    if port < PORT_MIN and port not in USUAL_PORTS:
        raise AddressRefused(f"Port {port} is not called.")
    if allowed.host(host):
        return
    addresses = [ip_address(text.partition("%")[0]) for text in found]
    if all(allowed.address(address) for address in addresses):
        return
    if plain:
        raise AddressRefused(f"'{host}' is called by https only.")
    for address in addresses:
        if not is_public(address) and not allowed.address(address):
            raise AddressRefused(f"'{host}' is at {address}, which is not an address of the public internet.")
