"""The network of a client, as far as trusted proxies vouch for it."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp import web

from .context import chat_of

#: What one household or office usually has.
_PREFIX_4, _PREFIX_6 = 24, 56


def client_network(request: web.Request) -> str:
    """Return the /24 or /56 of the client: limits count networks, because a client can change its address within."""
    address = _client_address(request)
    if address is None:
        return "unknown"
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    prefix = _PREFIX_4 if address.version == 4 else _PREFIX_6
    return str(ip_network(f"{address}/{prefix}", strict=False))


def _client_address(request: web.Request) -> IPv4Address | IPv6Address | None:
    """Return the address that the outermost of our own proxies saw, or the peer's without proxies.

    Each proxy appends the address it saw to X-Forwarded-For. Entries before those of our proxies may be forged.
    """
    proxies = chat_of(request).settings.trusted_proxies
    addresses = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    if proxies and len(addresses) >= proxies:
        found = _parse(addresses[-proxies].strip())
        if found is not None:
            return found
    return _parse(request.remote or "")


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None
