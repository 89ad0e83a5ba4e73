"""Request headers, chosen for each hop: the gateway's own, those of the flow, and the credentials."""

import re
from collections.abc import Mapping
from importlib.metadata import version

import httpx

from connectors import Call, Rejected

#: Some hosts refuse clients without a name. `identity`: the length of a compressed response would not show the size
#: of the file.
_DEFAULTS = {
    "user-agent": f"airlock-messaging/{version('airlock-messaging')}",
    "accept": "*/*",
    "accept-encoding": "identity",
}

#: Headers of framing and routing, which a flow cannot change.
_RESERVED = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})


def headers_for(
    call: Call, *, credentials: Mapping[str, str] | None, same_origin: bool, media_type: str | None
) -> httpx.Headers:
    """Return the headers of one hop.

    `credentials` come from `Connector.authorize`; None means that the origin may not receive any, and credentials
    that the flow set itself are then removed. The flow's own headers are sent only to the origin that it named.
    """
    dropped = _RESERVED if credentials is not None else _RESERVED | _CREDENTIALS
    headers = httpx.Headers(_DEFAULTS)
    if media_type is not None:
        headers["content-type"] = media_type
    requested = _validated(call.headers) if same_origin else {}
    headers.update(
        {name: value for name, value in requested.items() if name.lower() not in dropped}
    )
    if call.auth and credentials is not None:
        headers.update(_validated(credentials))
    return headers


def _validated(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the headers if they are valid; otherwise raise an error that names the first invalid one."""
    for name, value in headers.items():
        if not (_TOKEN.fullmatch(name) and value.isascii() and (value.isprintable() or not value)):
            raise Rejected(
                "unreachable",
                detail=f"the header {name!r} contains characters that a header cannot have",
            )
    return headers
