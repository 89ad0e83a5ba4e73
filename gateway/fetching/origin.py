"""Addresses read strictly: one spelling, one meaning, and no credentials in them."""

import re
from dataclasses import dataclass

import httpx

from .addresses import is_loopback, literal
from .errors import Blocked

_PORTS = {"http": 80, "https": 443}

# Neither userinfo (@), escapes (%), backslashes nor letters beyond ASCII: parsers disagree about them.
_AUTHORITY = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?(?=[/?#]|\Z)"
)

# The last label begins with a letter, so that 2130706433, 0x7f.1 and 127.1 are no names. No trailing dot.
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)*[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what two addresses must share for a secret of one to be safe with the other."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether the host is *spelled* as this machine; what a name resolves to is judged elsewhere."""
        return spells_loopback(self.host)


def spells_loopback(host: str) -> bool:
    """localhost, 127.x.y.z or ::1."""
    address = literal(host)
    return host == "localhost" if address is None else is_loopback(address)


def origin_of(url: httpx.URL) -> Origin:
    """The origin of an address that `read_url` has passed."""
    return Origin(url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme])


def read_url(text: str) -> httpx.URL:
    """An absolute http or https address; raises `Blocked` for any spelling that could be read two ways."""
    if not _AUTHORITY.match(text):
        raise Blocked("an address whose host is not plainly spelled")
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise Blocked("an address that cannot be read") from None  # its words quote the address
    host = url.raw_host.decode("ascii")
    if url.scheme not in _PORTS:
        raise Blocked(f"{host}: {url.scheme} is neither http nor https")
    if literal(host) is None and not _NAME.fullmatch(host):
        raise Blocked("an address whose host is not plainly spelled")
    return url


def follow(base: httpx.URL, location: str) -> httpx.URL:
    """Where a `Location` header leads from `base`."""
    if location.startswith("//"):
        return read_url(f"{base.scheme}:{location}")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", location):
        return read_url(location)
    try:
        return read_url(str(base.join(location)))
    except httpx.InvalidURL:
        raise Blocked("a redirect that cannot be read") from None
