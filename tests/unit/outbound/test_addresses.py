from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.base.config import BadSetting
from holdfast.outbound.addresses import Allowed, allowed_of, check, is_public
from holdfast.outbound.errors import AddressRefused

PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8"]
OURS = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:10.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_public_internet_may_be_called(address: str) -> None:
    assert is_public(ip_address(address))
    check("shop.example", 443, [address], Allowed(), plain=False)


@pytest.mark.parametrize("address", OURS)
def test_addresses_of_our_own_networks_may_not(address: str) -> None:
    assert not is_public(ip_address(address))
    with pytest.raises(AddressRefused):
        check("shop.example", 443, [PUBLIC[0], address], Allowed(), plain=False)


@given(st.ip_addresses(v=4))
def test_an_address_wrapped_in_another_is_judged_as_itself(address: object) -> None:
    inside = int(ip_address(str(address)))
    for prefix in ("::ffff:0:0", "64:ff9b::"):
        wrapped = ip_address(int(ip_address(prefix)) | inside)
        assert is_public(wrapped) == is_public(ip_address(str(address)))


def test_without_tls_only_what_the_operator_allows_is_called() -> None:
    with pytest.raises(AddressRefused, match="https only"):
        check("shop.example", 80, PUBLIC[:1], Allowed(), plain=True)
    check("shop.example", 80, PUBLIC[:1], allowed_of("shop.example"), plain=True)
    check("10.0.0.7", 8080, ["10.0.0.7"], allowed_of("10.0.0.0/24"), plain=True)


@pytest.mark.parametrize("port", [22, 25, 53, 1023])
def test_ports_of_other_services_are_not_called(port: int) -> None:
    with pytest.raises(AddressRefused, match=f"Port {port}"):
        check("shop.example", port, PUBLIC[:1], allowed_of("shop.example"), plain=False)


def test_what_is_allowed_is_read_from_one_line() -> None:
    allowed = allowed_of("10.0.0.0/8, fd00::/8 erp.internal")
    assert allowed == Allowed(("10.0.0.0/8", "fd00::/8"), frozenset({"erp.internal"}))
    assert allowed_of("") == Allowed()
    assert allowed.host("ERP.internal.")


@pytest.mark.parametrize("setting", ["10.0.0.1/8", "300.1.2.3", "a b/c", "https://erp.internal", "*"])
def test_a_word_that_is_neither_network_nor_name_stops_the_start(setting: str) -> None:
    with pytest.raises(BadSetting, match="HOLDFAST_OUTBOUND_ALLOW"):
        allowed_of(setting)
