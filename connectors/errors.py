"""What a connector raises: the request is not from the platform, or the platform refused a call."""


class ConnectorError(Exception):
    """Anything a connector raises on purpose."""


class Forbidden(ConnectorError):
    """The request is not from the platform. The reason goes to the log and must not quote any secret."""


class Rejected(ConnectorError):
    """The platform refused a call.

    `reason` is a word of the contract (for media: `gone`, `expired`, `unauthorized`, `unreachable`,
    `too_large`; for sending: `window_closed`, `opted_out`, …). `retry` says whether the same call may work
    later, `after` (seconds) not before when. `detail` is for operators: codes, never tokens.
    `operator` asks for a person: credentials or settings are wrong. `explained` says that the platform named
    a cause of its own: the call certainly came to nothing. A server error without one leaves that open, and a
    text is not sent again.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry: bool = False,
        after: float | None = None,
        detail: str = "",
        operator: bool = False,
        explained: bool = False,
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.retry = retry
        self.after = after
        self.detail = detail
        self.operator = operator
        self.explained = explained
