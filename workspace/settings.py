"""What the workspace must be told before it starts."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSettings:
    """`gateway_url` is where the workspace calls /v1; `media_origin` is where the links it gets point to.

    `secrets` (whsec_…) verify deliveries; several while one is being replaced. With `demo` nobody needs a
    password: whoever opens the page on this machine is `agent`, may do everything, and takes a conversation
    by opening it. `secure_cookies` follows `media_origin` unless said otherwise. `trusted_proxies` is how many
    proxies of ours stand before the workspace, each of which adds to X-Forwarded-For. `text_retention` is how
    long words are kept (seconds), None for ever; `trail_retention` the same of who did and saw what.
    `account_command` is what the sign-in page tells to type while there are no accounts.
    """

    database: Path
    gateway_url: str
    api_token: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    media_origin: str = ""
    agent: str = "agent"
    demo: bool = False
    name: str = "Airlock"
    secure_cookies: bool | None = None
    trusted_proxies: int = 0
    text_retention: float | None = None
    trail_retention: float = 366 * 24 * 3600.0
    account_command: str = "airlock accounts add NAME"

    @property
    def media_source(self) -> str:
        """The origin that pages may load pictures and videos from, besides their own."""
        return origin(self.media_origin or self.gateway_url)

    @property
    def secure(self) -> bool:
        """Whether cookies may travel over TLS only."""
        if self.secure_cookies is not None:
            return self.secure_cookies
        return self.media_source.startswith("https:")


def origin(address: str) -> str:
    """Scheme, host and port of an address, as a content security policy wants them."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{address!r} is no http or https address")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
