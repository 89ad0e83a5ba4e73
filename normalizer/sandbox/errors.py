"""Errors of the sandbox, as the gateway sees them."""


class SandboxLost(Exception):
    """A sandbox that exited without an answer or was killed. `status` is its exit status, -N for signal N."""

    def __init__(self, what: str, status: int | None = None, *, timed_out: bool = False) -> None:
        super().__init__(what)
        self.status, self.timed_out = status, timed_out


class SandboxUnavailable(Exception):
    """No sandbox can be started. The text names what is missing and what to do."""
