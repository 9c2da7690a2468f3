"""Which addresses and hosts we never call. Explicit ranges: `ipaddress.is_global` is not a guard.

Sources: the IANA special-purpose address registries (RFC 6890 and its successors), RFC 6052 (NAT64), RFC 3056 (6to4),
RFC 4380 (Teredo), and the metadata addresses that cloud hosts document.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from rapport.core.errors import AddressRefused

_V4_REFUSED = {
    ipaddress.IPv4Network(network): reason
    for network, reason in {
        "0.0.0.0/8": "'this host'",
        "10.0.0.0/8": "private",
        "100.64.0.0/10": "shared by carriers (CGNAT)",
        "127.0.0.0/8": "loopback",
        "168.63.129.16/32": "the metadata service of Azure",
        "169.254.0.0/16": "link-local and metadata",
        "172.16.0.0/12": "private",
        "192.0.0.0/24": "protocol assignments and metadata",
        "192.0.2.0/24": "documentation",
        "192.31.196.0/24": "AS112",
        "192.52.193.0/24": "multicast tunnels (AMT)",
        "192.88.99.0/24": "6to4 relays",
        "192.168.0.0/16": "private",
        "192.175.48.0/24": "AS112",
        "198.18.0.0/15": "benchmarking",
        "198.51.100.0/24": "documentation",
        "203.0.113.0/24": "documentation",
        "224.0.0.0/4": "multicast",
        "240.0.0.0/4": "reserved and broadcast",
    }.items()
}
#: Everything outside is refused: loopback, mapped IPv4, NAT64, unique local, link-local, multicast, metadata.
_V6_GLOBAL = ipaddress.IPv6Network("2000::/3")
_V6_REFUSED = {
    ipaddress.IPv6Network(network): reason
    for network, reason in {
        "2001::/23": "protocol assignments and Teredo",
        "2001:db8::/32": "documentation",
        "2002::/16": "6to4",
        "2620:4f:8000::/48": "AS112",
        "3fff::/20": "documentation",
    }.items()
}

_DOTTED_QUAD = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})")
_BLANK = re.compile(r"[\s\x00-\x20\x7f]")
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def check_address(address: str) -> None:
    """Pass for an address of the public Internet, raise `AddressRefused` for any other. Takes no names."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        raise AddressRefused(f"{address!r} is not an address") from None
    if isinstance(parsed, ipaddress.IPv4Address):
        reason = next((reason for network, reason in _V4_REFUSED.items() if parsed in network), None)
    elif parsed.scope_id is not None or parsed not in _V6_GLOBAL:
        reason = "not part of the public Internet"
    else:
        reason = next((reason for network, reason in _V6_REFUSED.items() if parsed in network), None)
    if reason is not None:
        raise AddressRefused(f"{address} is {reason}: Rapport calls only addresses of the public Internet")


def check_url(url: str) -> SplitResult:
    """A URL that may be called, as far as can be told without resolving its host; else `AddressRefused`.

    Refused: other schemes than http and https, user-info, no host, a bad port, a host that is an IPv4 address in
    another spelling than four decimal numbers (the resolver of the C library takes 0x7f000001, 2130706433, 127.1).
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise AddressRefused("the address is malformed") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise AddressRefused(f"{parts.scheme or 'no scheme'}: only http and https addresses are called")
    if _BLANK.search(url):
        raise AddressRefused("the address holds a blank or a control character")
    if "@" in parts.netloc or "\\" in url:
        raise AddressRefused("the address carries user-info or a backslash, which hides the true host")
    if not host or port == 0 or "%" in host:
        raise AddressRefused("the address names no host or no port that can be called")
    _check_spelling(host)
    return parts


def origin(parts: SplitResult) -> tuple[str, str, int]:
    """Scheme, host and port of a checked URL."""
    return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme]


def _check_spelling(host: str) -> None:
    last = host.rstrip(".").rpartition(".")[2]
    if _NUMBER.fullmatch(last) and not _DOTTED_QUAD.fullmatch(host):
        raise AddressRefused(f"{host} is a number, not a name; write an address as four decimal numbers")
