"""Which addresses and URLs are refused."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import AddressRefused
from rapport.networks.addresses import check_address, check_url

REFUSED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
    "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1",
    "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:100.64.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::a9fe:a9fe",
    "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:db8::1", "2002:7f00:1::",
    "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "fe80::1", "fe80::1%eth0",
    "2606:4700::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
]  # fmt: skip
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "93.184.215.14",
    "172.15.0.1",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::6810:1",
    "2a00::1",
]


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_that_is_not_of_the_public_internet_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        check_address(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_passes(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize("address", ["", "localhost", "0x7f000001", "2130706433", "127.1", "1.2.3.4.5", "1.2.3.4 "])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        check_address(address)


@given(st.ip_addresses())
def test_no_address_passes_that_the_standard_library_knows_to_be_private(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    try:
        check_address(str(address))
    except AddressRefused:
        return
    assert address.is_global
    assert not address.is_multicast
    assert not address.is_reserved


@given(st.ip_addresses(v=4))
def test_no_ipv6_spelling_of_an_ipv4_address_passes(address: ipaddress.IPv4Address) -> None:
    raw = int(address)
    for spelled in (
        raw,
        0xFFFF << 32 | raw,
        0x64FF9B << 96 | raw,
        0x2002 << 112 | raw << 80,
        0x2001 << 112 | ~raw & 0xFFFFFFFF,
    ):
        with pytest.raises(AddressRefused):
            check_address(str(ipaddress.IPv6Address(spelled)))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "file:///etc/passwd", "gopher://example.com", "//example.com", "example.com", "",
        "javascript:alert(1)", "http:///path", "http://", "https://user@example.com", "https://user:pw@example.com/",
        "https://x.com@evil.example/", "https://evil.example\\@x.com/", "http://example.com:99999/", "http://[::1",
        "http://example.com:0/", "http://0x7f000001/", "http://2130706433/", "http://127.1/", "http://0177.0.0.1/",
        "http://0x7f.1/", "http://017700000001", "http://127.0.0.0x1/", "http://134744072/", "http://8.8.2056/",
        "http://127.0.0.1./", "http://a b.example/", "http://a.example/\n", "http://[fe80::1%25lo]/",
    ],
)  # fmt: skip
def test_a_url_that_hides_its_host_or_is_not_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_url(url)


@pytest.mark.parametrize(
    "url",
    ["https://example.com", "http://example.com:8080/a?b=c@d#e", "https://xn--bcher-kva.example/", "http://8.8.8.8/",
     "http://[2606:4700::1]:443/", "https://1and1.com/", "https://example.com./"],
)  # fmt: skip
def test_an_ordinary_url_passes(url: str) -> None:
    assert check_url(url).hostname
