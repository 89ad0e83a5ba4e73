"""Errors of fetching.

Blocked          the allowlist refuses a URL; `Fetcher` reports it as `blocked_host`
Rejected         (connectors) the platform refused
  Unreachable    no response or an incomplete one; `sent` says whether the request may have arrived
  Ambiguous      a text may have been sent; sending it again may send it twice
"""

from connectors import Rejected


class Blocked(Exception):
    """The allowlist refuses a URL. The text names host and port, never path or query."""


class Unreachable(Rejected):
    """No response, or an incomplete one. `sent` is False only if no byte of the request left this machine."""

    def __init__(self, detail: str, *, sent: bool, after: float | None = None) -> None:
        super().__init__("unreachable", retry=True, after=after, detail=detail)
        self.sent = sent


class Ambiguous(Rejected):
    """A call that changes something was sent without a usable response: it may or may not have succeeded.

    `retry` is False because only the caller knows whether a second message is worse than none.
    """

    def __init__(self, detail: str) -> None:
        super().__init__("ambiguous", detail=detail)
