"""X-Twilio-Signature: what Twilio signs, from a request and the auth tokens it may have used.

https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

from collections.abc import Iterable
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

from twilio.request_validator import RequestValidator

from connectors.contract import Request
from connectors.errors import Forbidden
from connectors.tools.constant_time import constant_time_equal

#: Says key=<id of a shared key>,algorithm=HMAC_SHA256: the library's request_validator since 9.13 reads it so.
_SHARED_KEY = "x-twilio-webhooks-signature-settings"
#: The algorithm of whatever the auth token signs.
DEFAULT_ALGORITHM = "HMAC_SHA1"
#: A message has about forty; sorting more than this is work nobody has proved to deserve.
_MAX_FIELDS = 1000


class Form(dict[str, list[str]]):
    """A form whose names may repeat, in the shape RequestValidator reads."""

    def getall(self, name: str) -> list[str]:
        return self[name]


def shared_key_algorithm(request: Request) -> str | None:
    """The algorithm of a signature that was made with a shared key; None if the auth token made it."""
    settings = request.headers.get(_SHARED_KEY)
    if not settings:
        return None
    parts = dict(part.strip().split("=", 1) for part in settings.split(",") if "=" in part)
    return parts.get("algorithm", "")


def signed_form(request: Request) -> Form:
    """The part of the body that goes into the signature; raises ValueError for what is no form."""
    if "json" not in request.headers.get("content-type", "").lower():
        body = request.body.decode()
        return Form(parse_qs(body, keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    # Here the signature covers the URL, and the URL the body; without the hash nothing covers it.
    claimed = parse_qs(urlsplit(request.url).query).get("bodySHA256", [])
    if not constant_time_equal("".join(claimed), sha256(request.body).hexdigest()):
        raise Forbidden("bodySHA256 in the URL is missing or is not the body's")
    return Form()


def signatures(url: str, form: Form, keys: Iterable[str], algorithm: str) -> list[str]:
    """Every signature that is right for this request; raises ValueError for a URL or algorithm that is none."""
    variants = _url_variants(url)
    # Only the computation is the library's: its comparison takes longer the more is right.
    return [
        RequestValidator(key).compute_signature(variant, form, algorithm)
        for key in keys
        for variant in variants
    ]


def _url_variants(url: str) -> list[str]:
    """The URL with and without its port: Twilio signs now the one, now the other."""
    bare = url.partition("#")[0]
    parts = urlsplit(bare)
    host = parts.netloc.removesuffix(f":{parts.port}")
    port = parts.port or {"https": 443}.get(parts.scheme, 80)
    names = (parts.netloc, host, f"{host}:{port}")
    return [bare.replace(parts.netloc, name, 1) for name in dict.fromkeys(names)]
