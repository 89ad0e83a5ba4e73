"""Errors of the sandbox, as the gateway sees them."""

import signal


class SandboxLost(Exception):
    """A sandbox that exited without an answer or was killed. `status` is its exit status, -N for signal N."""

    def __init__(self, what: str, status: int | None = None, *, timed_out: bool = False) -> None:
        super().__init__(what)
        self.status, self.timed_out = status, timed_out

    @property
    def used_up_processor(self) -> bool:
        """Whether the kernel ended it because its processor time was over."""
        return self.status == -signal.SIGXCPU

    @property
    def crashed(self) -> bool:
        """Whether a signal ended it that its own code caused."""
        return self.status is not None and self.status < 0 and self.status != -signal.SIGKILL


class SandboxUnavailable(Exception):
    """No sandbox can be started. The text names what is missing and what to do."""
