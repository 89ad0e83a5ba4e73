"""One attempt to fetch a file and make it safe, and how it fails."""

from dataclasses import dataclass, field

from connectors import Rejected
from gateway.events.trace_context import span_of, trace_of
from gateway.journal import AttachmentRow
from gateway.observability.spans import Span
from gateway.timestamps import now_ms
from normalizer.media import Unsafe

from .progress import MediaProgress
from .storage.interface import StoreTry
from .turns import Turns, Waiting

#: The contract's reasons with which a file is rejected, and those with which it fails. A connector may give any other
#: reason; it says nothing about the file, which then counts as `unreachable`.
_REJECTED = frozenset(
    {"too_large", "unsupported_type", "malware", "corrupt", "too_many_pixels", "too_long"}
    | {"protected", "disabled"}
)
_FAILED = frozenset(
    {"gone", "expired", "unauthorized", "unreachable", "checksum_mismatch", "blocked_host"}
    | {"scanner_unavailable", "decoder_crashed"}
)


class AttemptFailed(Exception):
    """An attempt failed. `state` and `reason` are the outcome unless another attempt follows."""

    def __init__(
        self,
        state: str,
        reason: str,
        detail: str,
        *,
        retry: bool,
        code: str | None = None,
        after: float | None = None,
        local: bool = False,
    ) -> None:
        super().__init__(reason)
        self.state, self.reason, self.detail = state, reason, detail
        self.code = code
        self.retry, self.after, self.local = retry, after, local


@dataclass(slots=True)
class Attempt:
    """One attempt for a file that has a place in `turns`."""

    file: Waiting
    progress: MediaProgress
    turns: Turns
    is_fetched: bool = False
    #: Set once the attachment is loaded.
    storing: StoreTry = field(init=False)

    def arriving(self, host: str) -> None:
        """Move to the host to which the download leads; raise HostBusy if there is no room."""
        self.turns.move(self.file, host)

    def fetched(self) -> None:
        self.is_fetched = True
        self.turns.fetched(self.file)

    def end(self) -> None:
        self.turns.done(self.file, was_fetched=self.is_fetched)


def from_rejection(exc: Rejected) -> AttemptFailed:
    reason = exc.reason if exc.reason in _REJECTED | _FAILED else "unreachable"
    state = "rejected" if reason in _REJECTED else "failed"
    detail = exc.detail if reason == exc.reason or exc.detail else exc.reason
    return AttemptFailed(
        state, reason, detail, code=exc.code, retry=exc.retry and state == "failed", after=exc.after
    )


def from_unsafe(exc: Unsafe) -> AttemptFailed:
    return AttemptFailed(
        exc.state,
        exc.reason,
        exc.detail,
        retry=exc.state == "failed",
        local=exc.reason == "scanner_unavailable",
    )


def attempt_span(row: AttachmentRow, started: int) -> Span:
    """Return the span of an attempt, which is a part of its message's."""
    return Span(
        "make file safe",
        trace_of(row.message_id),
        started,
        now_ms(),
        parent=span_of(row.message_id),
        attributes={
            "airlock.connector": row.connector,
            "airlock.attachment": row.id,
            "airlock.attempt": row.attempts + 1,
        },
    )
