"""Networks that a setting names."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

from holdfast.base.config import BadSetting, sentence, variable

Network = IPv4Network | IPv6Network


def trusted_of(setting: str) -> tuple[Network, ...]:
    """HOLDFAST_TRUSTED_PROXIES taken apart: comma-separated networks. Raises BadSetting."""
    try:
        return tuple(ip_network(part.strip(), strict=False) for part in setting.split(",") if part.strip())
    except ValueError as error:
        raise BadSetting(f"{variable('trusted_proxies')}: {error}. It means: {sentence('trusted_proxies')}") from error
