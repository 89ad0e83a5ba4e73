"""The headers of one hop, decided anew for each: what is ours, what the flow asked for, what proves who we are."""

import re
from collections.abc import Mapping
from importlib.metadata import version

import httpx

from connectors import Call, Rejected

#: Some hosts refuse callers without a name. `identity`: a compressed answer would
#: tell nothing about its size.
_DEFAULTS = {
    "user-agent": f"airlock-messaging/{version('airlock-messaging')}",
    "accept": "*/*",
    "accept-encoding": "identity",
}

#: Those that say how the message is framed and where it goes; a flow cannot change them.
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
    """`credentials` is what `authorize` gave, None where credentials may not go: then those of the flow may not either.

    On another origin than the one the flow named, none of its own headers are sent.
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
    """The headers, if they can be sent; names the first that cannot, and never its value."""
    for name, value in headers.items():
        if not (_TOKEN.fullmatch(name) and value.isascii() and (value.isprintable() or not value)):
            raise Rejected("unreachable", detail=f"the header {name!r} holds what no header can")
    return headers
