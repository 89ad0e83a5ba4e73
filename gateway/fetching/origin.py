"""Strict parsing of URLs: no ambiguous spellings, no credentials; and which IP addresses are public."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

from .errors import Blocked

_PORTS = {"http": 80, "https": 443}

# No userinfo (@), escapes (%), backslashes or letters beyond ASCII: parsers disagree about them.
_AUTHORITY = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?(?=[/?#]|\Z)"
)

# The last label begins with a letter, so that 2130706433, 0x7f.1 and 127.1 are not names. No trailing dot.
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)*[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port. A secret for one URL may be sent to another only if both have the same origin."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether the host is spelled as this machine; the addresses of names are checked elsewhere."""
        return is_loopback_host(self.host)


def is_loopback_host(host: str) -> bool:
    """Whether a host is localhost, 127.x.y.z or ::1."""
    address = literal(host)
    return host == "localhost" if address is None else is_loopback(address)


def origin_of(url: httpx.URL) -> Origin:
    """Return the origin of a URL that `read_url` has accepted."""
    return Origin(url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme])


def read_url(text: str) -> httpx.URL:
    """Parse an absolute http or https URL; raise `Blocked` for any ambiguous spelling."""
    if not _AUTHORITY.match(text):
        raise Blocked("the host of the URL is not spelled plainly")
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        raise Blocked("the URL is not valid") from None  # the cause quotes the URL
    host = url.raw_host.decode("ascii")
    if url.scheme not in _PORTS:
        raise Blocked(f"{host}: {url.scheme} is neither http nor https")
    if literal(host) is None and not _NAME.fullmatch(host):
        raise Blocked("the host of the URL is not spelled plainly")
    return url


def follow(base: httpx.URL, location: str) -> httpx.URL:
    """Return the URL to which a `Location` header redirects from `base`."""
    if location.startswith("//"):
        return read_url(f"{base.scheme}:{location}")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", location):
        return read_url(location)
    try:
        return read_url(str(base.join(location)))
    except (
        httpx.InvalidURL,
        ValueError,
    ):  # ValueError for a malformed IPv6 address, as in :https://999::1]//
        raise Blocked("the redirect is not valid") from None


Address = IPv4Address | IPv6Address

# IANA's special-purpose registries (2026), plus addresses of cloud services within public ranges.
_NOT_PUBLIC_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network; Linux treats 0.0.0.0 as loopback
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host agent, in Microsoft's public range
        "169.254.0.0/16",  # link-local; most clouds' metadata
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # multicast tunnels
        "192.88.99.0/24",  # former 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)

#: The part of IPv6 that is assigned for global use. Everything outside is not public: loopback, mapped and compatible
#: IPv4, unique-local, link-local, site-local, multicast, …
_GLOBAL_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: embeds any IPv4 address, private ones included
        "3fff::/20",  # documentation
    )
)

#: NAT64: by these addresses, a network without IPv4 reaches public IPv4 hosts.
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Whether an address is public, so that a platform may have it."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in _GLOBAL_6 and not any(address in network for network in _NOT_PUBLIC_6)


def is_loopback(address: Address) -> bool:
    """Whether an address is in 127.0.0.0/8 or is ::1; mapped IPv4 addresses are not."""
    return address.is_loopback and getattr(address, "ipv4_mapped", None) is None


def literal(host: str) -> Address | None:
    """Return the IP address that a host spells; None if the host is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None
