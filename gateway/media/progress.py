"""Progress of pending attachments, as agents and operators see it."""

from dataclasses import dataclass
from typing import Any

from gateway.journal import AttachmentRow
from gateway.timestamps import now_ms, rfc3339
from normalizer.sanitizer import Stage

from .sighting import Sighting


@dataclass(slots=True)
class MediaProgress:
    """The progress of one attempt.

    `share` is the part of a video that is re-encoded already, from 0 to 1. `sighting` is what its bytes showed.
    """

    stage: Stage | None = None
    share: float | None = None
    sighting: Sighting | None = None

    def update(self, stage: Stage, share: float | None) -> None:
        """Record the progress; called by the sanitizer."""
        self.stage, self.share = stage, share


def view(row: AttachmentRow, progress: MediaProgress | None) -> dict[str, Any]:
    """Return what `GET /v1/attachments/{id}` shows.

    `step` is `waiting` (for the time of the next attempt), `waiting_for_turn`, `fetching`, `scanning` or `making_safe`.
    """
    if progress is not None:
        return _view(row, progress.stage or "fetching", progress.share, None)
    if row.due is not None and row.due <= now_ms():
        return _view(row, "waiting_for_turn", None, None)
    return _view(row, "waiting", None, row.due)


def _view(row: AttachmentRow, step: str, share: float | None, due: int | None) -> dict[str, Any]:
    return {
        "step": step,
        "percent": None if share is None else int(share * 100),
        "tries": row.attempts,
        "next_try_at": None if due is None else rfc3339(due),
    }
