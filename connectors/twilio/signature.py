"""X-Twilio-Signature: the valid signatures of a request, for each auth token.

https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

from collections.abc import Iterable
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

from twilio.request_validator import RequestValidator

from connectors.contract import Request
from connectors.errors import Forbidden
from connectors.tools.constant_time import constant_time_equal

#: Holds key=<id of a shared key>,algorithm=HMAC_SHA256, in the format of the library's request_validator since 9.13.
_SHARED_KEY = "x-twilio-webhooks-signature-settings"
#: The algorithm of signatures made with the auth token.
DEFAULT_ALGORITHM = "HMAC_SHA1"
#: A message has about forty fields. A limit, because sorting costs time before the request is verified.
_MAX_FIELDS = 1000


class Form(dict[str, list[str]]):
    """A form whose names may repeat, with the interface that RequestValidator expects."""

    def getall(self, name: str) -> list[str]:
        return self[name]


def shared_key_algorithm(request: Request) -> str | None:
    """The algorithm of a signature made with a shared key; None for a signature made with the auth token."""
    settings = request.headers.get(_SHARED_KEY)
    if not settings:
        return None
    parts = dict(part.strip().split("=", 1) for part in settings.split(",") if "=" in part)
    return parts.get("algorithm", "")


def signed_form(request: Request) -> Form:
    """The part of the body that the signature covers. Raises ValueError if the body is not a form."""
    if "json" not in request.headers.get("content-type", "").lower():
        # A consumer's text may contain bytes that are not UTF-8. They are replaced, as parse_qs does for %FF.
        body = request.body.decode(errors="replace")
        return Form(parse_qs(body, keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    # For JSON, the signature covers the URL, and a hash in the URL covers the body.
    claimed = parse_qs(urlsplit(request.url).query).get("bodySHA256", [])
    if not constant_time_equal("".join(claimed), sha256(request.body).hexdigest()):
        raise Forbidden("bodySHA256 is missing from the URL or does not match the body")
    return Form()


def signatures(url: str, form: Form, keys: Iterable[str], algorithm: str) -> list[str]:
    """Every valid signature of the request. Raises ValueError for an invalid URL or algorithm."""
    variants = _url_variants(url)
    # The library only computes: its own comparison is not constant-time.
    return [
        RequestValidator(key).compute_signature(variant, form, algorithm)
        for key in keys
        for variant in variants
    ]


def _url_variants(url: str) -> list[str]:
    """The URL with and without its port: Twilio may sign either."""
    bare = url.partition("#")[0]
    parts = urlsplit(bare)
    host = parts.netloc.removesuffix(f":{parts.port}")
    port = parts.port or {"https": 443}.get(parts.scheme, 80)
    names = (parts.netloc, host, f"{host}:{port}")
    return [bare.replace(parts.netloc, name, 1) for name in dict.fromkeys(names)]
