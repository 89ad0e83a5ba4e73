"""X-Twilio-Signature: the valid signatures of a request, for each auth token.

https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

import binascii
import re
from collections.abc import Container, Iterable, Mapping
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

from twilio.request_validator import RequestValidator

from connectors.contract import Request
from connectors.errors import Forbidden
from connectors.tools.constant_time import constant_time_equal

from .events import SUBJECTS

HEADER = "x-twilio-signature"
#: HMAC-SHA1 or HMAC-SHA256 in Base64.
SHAPE = "[A-Za-z0-9+/]{27}=|[A-Za-z0-9+/]{43}="
#: Holds key=<id of a shared key>,algorithm=HMAC_SHA256, in the format of the library's request_validator since 9.13.
_SHARED_KEY = "x-twilio-webhooks-signature-settings"
#: The algorithm of signatures made with the auth token.
DEFAULT_ALGORITHM = "HMAC_SHA1"
#: A message has about forty fields. A limit, because sorting costs time before the request is verified.
_MAX_FIELDS = 1000
#: Bytes of a form that is not in ASCII.
_MAX_RAW = 16 * 1024
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def shared_key_algorithm(request: Request) -> str | None:
    """The algorithm of a signature made with a shared key; None for a signature made with the auth token."""
    settings = request.headers.get(_SHARED_KEY)
    if not settings:
        return None
    parts = dict(part.strip().split("=", 1) for part in settings.split(",") if "=" in part)
    return parts.get("algorithm", "")


def is_json(request: Request) -> bool:
    return "json" in request.headers.get("content-type", "").lower()


def signed_form(request: Request) -> Mapping[str, str]:
    """The part of the body that the signature covers. Raises ValueError if the body is not a form of Twilio's.

    A form in which a name repeats is refused: the signature covers the set of its values, and Twilio repeats none.
    """
    if is_json(request):
        _check_hash(request)
        return {}
    body = request.body if request.body.isascii() else _repaired(request.body)
    # Counted and searched as bytes, which costs less than the signature; decoding costs many times as much.
    if body.count(b"&") >= _MAX_FIELDS or _BROKEN_ESCAPE.search(body):
        raise ValueError("Twilio does not send such a form")
    fields = [_field(part) for part in body.split(b"&") if part]
    form = dict(fields)
    if len(form) != len(fields):
        raise Forbidden("a field of the form repeats, which Twilio's fields never do")
    return form


def _repaired(body: bytes) -> bytes:
    """Replace what is not UTF-8, as the gateway does. Twilio escapes all bytes beyond ASCII, so few are enough."""
    if len(body) > _MAX_RAW:
        raise ValueError("Twilio escapes bytes beyond ASCII")
    return body.decode(errors="replace").encode()


def _field(part: bytes) -> tuple[str, str]:
    name, _, value = part.partition(b"=")
    return _decoded(name), _decoded(value)


def _decoded(text: bytes) -> str:
    """Decode an urlencoded text as `urllib.parse` does: what is not UTF-8 is replaced.

    `urllib.parse` makes an object of every escape. The decoder of quoted-printable, which has the same escapes after
    another character, takes a hundredth of the time: the text is not proved yet.
    """
    quoted = text.replace(b"=", b"=3D").replace(b"+", b" ").replace(b"%", b"=")
    return binascii.a2b_qp(quoted).decode(errors="replace")


def _check_hash(request: Request) -> None:
    """For JSON, the signature covers the URL, and a hash in the URL covers the body."""
    claimed = parse_qs(urlsplit(request.url).query).get("bodySHA256", [])
    if not constant_time_equal("".join(claimed), sha256(request.body).hexdigest()):
        raise Forbidden("bodySHA256 is missing from the URL or does not match the body")


def require_ids(form: Mapping[str, str], accounts: Container[str]) -> None:
    """Raise Forbidden for a form that is not about one of our accounts, or not about anything.

    The signature joins names and values without separators, so it is also valid for fields that are divided in other
    places. Such a form lacks some of its names.
    """
    if form.get("AccountSid") not in accounts:
        raise Forbidden("AccountSid is neither account_sid nor one of account_sids")
    if not any(form.get(name) for name in SUBJECTS):
        raise Forbidden("the form has no id of a message or a call")


def signatures(url: str, form: Mapping[str, str], keys: Iterable[str], algorithm: str) -> list[str]:
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
