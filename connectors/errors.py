"""The errors that a connector raises: the request is not from the platform, or the platform refused a call."""


class ConnectorError(Exception):
    """Base class of the errors that a connector raises on purpose."""


class Forbidden(ConnectorError):
    """The request is not from the platform. The reason is logged and must not contain a secret."""


class Rejected(ConnectorError):
    """The platform refused a call.

    `reason` is one of the contract's reasons (for media: `gone`, `expired`, `unauthorized`, `unreachable`,
    `too_large`; for sending: `window_closed`, `opted_out`, …). `retry` says whether the same call may succeed
    later, and `after` how many seconds to wait at least. `code` is the platform's own error code and `detail` its
    words, cut at 500 characters, for operators and agents: never tokens. `operator` means that a person must act,
    because credentials or settings are wrong. `explained` means that the platform gave an error code of its own, so
    the call certainly had no effect. After a server error without a code that is uncertain, and a text is not sent
    again.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry: bool = False,
        after: float | None = None,
        code: str | None = None,
        detail: str = "",
        operator: bool = False,
        explained: bool = False,
    ) -> None:
        detail = detail[:500]
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.retry = retry
        self.after = after
        self.code = code
        self.detail = detail
        self.operator = operator
        self.explained = explained
