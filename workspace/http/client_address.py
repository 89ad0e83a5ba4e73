"""The client address of a request, as far as trusted proxies vouch for it."""

from ipaddress import ip_address

from aiohttp import web

from .context import workspace_of


def client_address(request: web.Request) -> str:
    """Return the address that the outermost of our own proxies saw, or the peer's address without proxies.

    Each proxy appends the address it saw to X-Forwarded-For. Entries before those of our proxies may be forged. What
    is not an address counts as none: it is logged and counted, so it must not be a text of the client's choice.
    """
    proxies = workspace_of(request).settings.trusted_proxies
    addresses = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    if proxies and len(addresses) >= proxies:
        try:
            return str(ip_address(addresses[-proxies].strip()))
        except ValueError:
            pass
    return request.remote or ""
