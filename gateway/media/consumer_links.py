"""Grants and links by which consumers see their own files, sanitized: each names one attachment, and whose it is.

A platform gets a grant with the outcome of a file, and asks for links with it while its consumer looks at the
conversation. A link is for one rendition and expires within minutes.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson

_PURPOSE = b"airlock consumer link v1"
#: A grant is shorter. Longer texts are not worth an HMAC.
_MAX_GRANT = 2000


@dataclass(frozen=True, slots=True)
class Grant:
    """The permission of a connector's platform to show an attachment to the consumer who sent it."""

    connector: str
    attachment: str
    consumer: str


class ConsumerLinks:
    """Makes and checks grants and links with a key that is derived from the installation's."""

    def __init__(self, key: bytes, public_url: str) -> None:
        self._key = hashlib.blake2b(_PURPOSE, key=key, digest_size=32).digest()
        self._public_url = public_url.rstrip("/")

    def seal(self, grant: Grant) -> str:
        """Return a grant as URL-safe text."""
        content = orjson.dumps([grant.connector, grant.attachment, grant.consumer])
        text = base64.urlsafe_b64encode(content).decode().rstrip("=")
        return f"{text}.{self._mac('grant', text)}"

    def open(self, sealed: str) -> Grant | None:
        """Return a grant that is genuine; None for any other text."""
        text, _, mac = sealed.partition(".")
        if len(sealed) > _MAX_GRANT or not _same(self._mac("grant", text), mac):
            return None
        try:
            return Grant(*orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))
        except (binascii.Error, ValueError, TypeError):
            return None

    def url(self, grant: Grant, rendition: str, expires: int) -> str:
        """Return a link to a rendition that works until `expires` (seconds since 1970)."""
        query = {"connector": grant.connector, "consumer": grant.consumer, "expires": expires}
        signed = urlencode({**query, "signature": self._signature(grant, rendition, expires)})
        return f"{self._public_url}/media/{grant.attachment}/{rendition}?{signed}"

    def check(
        self, attachment: str, rendition: str, query: Mapping[str, str], now: float
    ) -> Grant | None:
        """Return the grant behind a link; None if the link is forged or has expired."""
        expires = query.get("expires", "")
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
            return None
        grant = Grant(query.get("connector", ""), attachment, query.get("consumer", ""))
        genuine = _same(self._signature(grant, rendition, int(expires)), query.get("signature", ""))
        return grant if genuine and now <= int(expires) else None

    def _signature(self, grant: Grant, rendition: str, expires: int) -> str:
        parts = (grant.connector, grant.attachment, grant.consumer, rendition, str(expires))
        # Each part is preceded by its length, so that different links never sign the same text.
        return self._mac("link", "".join(f"{len(part)}:{part}" for part in parts))

    def _mac(self, purpose: str, text: str) -> str:
        content = f"{purpose}.{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, content, hashlib.sha256).hexdigest()


def _same(genuine: str, given: str) -> bool:
    return hmac.compare_digest(genuine.encode(), given.encode("utf-8", "surrogatepass"))
