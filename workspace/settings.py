"""Settings of the workspace."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSettings:
    """Settings of one workspace.

    - `gateway_url`: where the workspace calls /v1; `media_origin`: where the links to media point.
    - `secrets` (whsec_…): verify deliveries. There are several while one is being replaced.
    - `pages_only`: another core has the conversations; only the operators' page and the audit page are served.
    - `demo`: no passwords. A visitor on this machine is signed in as `agent`, may do everything, and takes a
      conversation by opening it.
    - `opens_photo`: until something is chosen, a wide page opens the conversation of the newest photo by itself.
    - `secure_cookies`: follows `media_origin` if it is None.
    - `trusted_proxies`: the number of our own proxies in front of the workspace. Each appends to X-Forwarded-For.
    - `text_retention`: seconds for which texts are kept; None keeps them forever.
    - `trail_retention`: seconds for which the audit log is kept.
    - `reading`: `all` lets agents read every conversation, `own` only their own and those that nobody has. Supervisors
      read all of them.
    - `language`: the language of those who chose none; `browser` is the one that their browsers ask for.
    - `account_command`: the command that the sign-in page shows until the first account exists.
    """

    database: Path
    gateway_url: str
    api_token: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    media_origin: str = ""
    agent: str = "agent"
    demo: bool = False
    opens_photo: bool = False
    pages_only: bool = False
    name: str = "Airlock"
    secure_cookies: bool | None = None
    trusted_proxies: int = 0
    text_retention: float | None = None
    trail_retention: float = 366 * 24 * 3600.0
    reading: Literal["all", "own"] = "all"
    language: Literal["browser", "en", "de", "ar"] = "browser"
    account_command: str = "airlock accounts add NAME"

    @property
    def media_source(self) -> str:
        """The origin from which pages may load pictures and videos, in addition to their own."""
        return origin(self.media_origin or self.gateway_url)

    @property
    def secure(self) -> bool:
        """Whether browsers send the cookies over TLS only."""
        if self.secure_cookies is not None:
            return self.secure_cookies
        return self.media_source.startswith("https:")


def origin(address: str) -> str:
    """Return scheme, host and port of an address, as a content security policy needs them."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{address!r} is not an http or https address")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
