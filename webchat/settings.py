"""Settings of the web channel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from .theme import Theme

#: Who may send files: everybody; consumers to whom an agent has written; consumers who signed in; nobody.
Uploads = Literal["always", "after_reply", "signed_in", "never"]
#: The kinds of files that a site takes.
Kind = Literal["photo", "video", "audio", "document"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How much one consumer may upload."""

    at_once: int
    an_hour: int
    bytes_a_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a site. `text` is in code points; `*_for_address` count a /24 of IPv4 or a /56 of IPv6."""

    text: int = 4000
    messages_a_minute: int = 30
    file_bytes: int = 25_000_000
    files: int = 10
    anonymous: Allowance = Allowance(at_once=1, an_hour=10, bytes_a_day=100_000_000)
    signed_in: Allowance = Allowance(at_once=3, an_hour=60, bytes_a_day=1_000_000_000)
    sessions_an_hour_for_address: int = 20
    bytes_a_day_for_address: int = 500_000_000

    def allowance(self, *, verified: bool) -> Allowance:
        return self.signed_in if verified else self.anonymous


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A website or app of the brand.

    - `origins`: who may frame the chat.
    - `identity_keys`: verify the JWTs by which the brand's back-end says who somebody is: an EdDSA public key in PEM,
      or a secret for HS256. Without any, everybody is anonymous.
    - `theme`: the colours of the page.
    - `anonymous`: whether consumers may write without such a JWT.
    - `remember`: `page` lets the page around a frame that can keep nothing keep a ticket for the conversation.
    """

    origins: tuple[str, ...] = ()
    identity_keys: tuple[str, ...] = field(default=(), repr=False)
    anonymous: bool = True
    uploads: Uploads = "always"
    accept: tuple[Kind, ...] = ("photo", "video")
    limits: Limits = Limits()
    theme: Theme = field(default_factory=Theme)
    remember: Literal["chat", "page"] = "chat"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebchatSettings:
    """Settings of one web channel.

    - `data`: the folder of its database and uploads.
    - `public_url`: the origin of the page. `deliver_to`: the gateway's webhook.
    - `secrets` (whsec_…): sign deliveries, with each one. `access_tokens`: accepted from the gateway.
    - `media`: `redirect` sends browsers to the gateway for sanitized files, `proxy` passes them through.
    - `media_origin`: where the gateway serves these files; the origin of `deliver_to` if it is empty.
    - `retention`: seconds for which messages are kept after the last one of a conversation.
    - `trusted_proxies`: the number of our own proxies in front. Each appends to X-Forwarded-For.
    """

    data: Path
    public_url: str
    deliver_to: str
    secrets: tuple[str, ...] = field(repr=False)
    access_tokens: tuple[str, ...] = field(repr=False)
    sites: Mapping[str, Site]
    uploads_max_bytes: int = 2_000_000_000
    media: Literal["redirect", "proxy"] = "redirect"
    media_origin: str = ""
    retention: float = 30 * 86_400.0
    trusted_proxies: int = 0

    @property
    def origin(self) -> str:
        """The origin of the page."""
        return origin(self.public_url)

    @property
    def media_source(self) -> str:
        """The origin from which the page may load pictures and videos, in addition to its own."""
        return origin(self.media_origin or self.deliver_to)


def origin(address: str) -> str:
    """Return scheme, host and port of an address in the form in which browsers send them."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{address!r} is not an http or https address")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in {None, usual} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
