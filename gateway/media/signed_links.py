"""Short-lived signed links to renditions, each for one agent and one rendition."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

_PURPOSE = b"airlock media link v1"
_EXPORT = b"airlock export link v1"


@dataclass(frozen=True, slots=True)
class Ticket:
    """The permission of an agent to read a rendition until `expires` (seconds since 1970).

    That of an export of a person's data is bound to no agent.
    """

    attachment: str
    rendition: str
    agent: str
    expires: int
    is_export: bool = False


class Links:
    """Makes and checks links with a key that is derived from the installation's."""

    def __init__(self, key: bytes, public_url: str) -> None:
        self._key = hashlib.blake2b(_PURPOSE, key=key, digest_size=32).digest()
        self._export_key = hashlib.blake2b(_EXPORT, key=key, digest_size=32).digest()
        self._public_url = public_url.rstrip("/")

    def url(self, ticket: Ticket) -> str:
        query = urlencode(
            {
                "agent": ticket.agent,
                "expires": ticket.expires,
                **({"for": "export"} if ticket.is_export else {}),
                "signature": self._signature(ticket),
            }
        )
        return f"{self._public_url}/media/{ticket.attachment}/{ticket.rendition}?{query}"

    def check(
        self, attachment: str, rendition: str, query: Mapping[str, str], now: float
    ) -> Ticket | None:
        """Return the ticket of a request; None if it is forged or has expired."""
        expires = query.get("expires", "")
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
            return None
        is_export = query.get("for") == "export"
        agent = query.get("agent", "")
        ticket = Ticket(attachment, rendition, agent, int(expires), is_export)
        given = query.get("signature", "").encode("utf-8", "surrogatepass")
        genuine = hmac.compare_digest(self._signature(ticket).encode(), given)
        return ticket if genuine and now <= ticket.expires else None

    def _signature(self, ticket: Ticket) -> str:
        parts = (ticket.attachment, ticket.rendition, ticket.agent, str(ticket.expires))
        # Each part is preceded by its length, so that different tickets never sign the same text.
        text = "".join(f"{len(part)}:{part}" for part in parts)
        content = text.encode("utf-8", "surrogatepass")
        key = self._export_key if ticket.is_export else self._key
        return hmac.new(key, content, hashlib.sha256).hexdigest()
