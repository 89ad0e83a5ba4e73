"""Where a request comes from, as far as somebody who can be trusted says so."""

from aiohttp import web

from .context import workspace_of


def client_address(request: web.Request) -> str:
    """The address that the outermost of our own proxies saw; without proxies, who is connected.

    Each proxy adds whom it saw to the end of X-Forwarded-For. What stands before those is a stranger's to write.
    """
    proxies = workspace_of(request).settings.trusted_proxies
    addresses = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    if proxies and len(addresses) >= proxies and (address := addresses[-proxies].strip()):
        return address[:64]
    return request.remote or ""
