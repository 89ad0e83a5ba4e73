"""The client address of a request, as far as trusted proxies vouch for it."""

from aiohttp import web

from .context import workspace_of


def client_address(request: web.Request) -> str:
    """Return the address that the outermost of our own proxies saw, or the peer's address without proxies.

    Each proxy appends the address it saw to X-Forwarded-For. Entries before those of our proxies may be forged.
    """
    proxies = workspace_of(request).settings.trusted_proxies
    addresses = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    if proxies and len(addresses) >= proxies and (address := addresses[-proxies].strip()):
        return address[:64]
    return request.remote or ""
