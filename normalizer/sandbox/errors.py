"""What can go wrong with cells, as the gateway sees it."""


class SandboxLost(Exception):
    """A cell ended without an answer, or had to be ended. `status` is its exit status, -N for signal N."""

    def __init__(self, what: str, status: int | None = None, *, timed_out: bool = False) -> None:
        super().__init__(what)
        self.status, self.timed_out = status, timed_out


class SandboxUnavailable(Exception):
    """No cell can be made. The text names what is missing and what to do."""
