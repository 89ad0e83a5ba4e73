"""What can go wrong on the way to a platform, as facts for the next decision.

Blocked          the fence refuses an address; becomes `blocked_host` at the Fetcher's face
Rejected         (connectors) the platform refused
  Unreachable    no answer, or not all of one; `sent` says whether the request may have got through
  Ambiguous      a sending call may have got through and nobody knows: sending again may double it
"""

from connectors import Rejected


class Blocked(Exception):
    """The fence refuses an address. The text names host and port, never path or query."""


class Unreachable(Rejected):
    """No answer, or not all of one. `sent` is False only where no byte of the request left this machine."""

    def __init__(self, detail: str, *, sent: bool, after: float | None = None) -> None:
        super().__init__("unreachable", retry=True, after=after, detail=detail)
        self.sent = sent


class Ambiguous(Rejected):
    """A call that changes something was sent and no usable answer came: it may or may not have worked.

    `retry` is False because only the caller can know whether a second message is worse than none.
    """

    def __init__(self, detail: str) -> None:
        super().__init__("ambiguous", detail=detail)
