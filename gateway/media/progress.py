"""What is being done for an attachment that is pending, for agents and operators who wonder."""

from dataclasses import dataclass
from typing import Any

from gateway.journal import AttachmentRow
from gateway.timestamps import rfc3339
from normalizer.sanitizer import Stage


@dataclass(slots=True)
class MediaProgress:
    """Of one try. `share` is what is done of a film that is encoded anew, from 0 to 1."""

    stage: Stage | None = None
    share: float | None = None

    def update(self, stage: Stage, share: float | None) -> None:
        """What the sanitizer calls."""
        self.stage, self.share = stage, share


def view(row: AttachmentRow, progress: MediaProgress | None) -> dict[str, Any]:
    """As `GET /v1/attachments/{id}` shows it: `waiting`, `fetching`, `scanning` or `making_safe`."""
    if progress is None:
        step, share, due = "waiting", None, row.due
    else:
        step, share, due = progress.stage or "fetching", progress.share, None
    return {
        "step": step,
        "percent": None if share is None else int(share * 100),
        "tries": row.attempts,
        "next_try_at": None if due is None else rfc3339(due),
    }
