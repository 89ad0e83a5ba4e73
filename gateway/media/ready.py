"""Attachments that are ready: what the journal records of them, and what is measured."""

from collections.abc import Sequence
from typing import Any

from gateway.journal import TOKEN, AttachmentRow, Outcome
from gateway.observability.metrics import INCOMPLETE, PAGES, READY, SOUND
from gateway.timestamps import now_ms
from normalizer.media import OTHER_TEXT, Clean

from .storage.interface import Stored

#: The kinds that count as photos of a conversation.
COUNTED = frozenset({"photo", "sticker"})


def outcome_of(
    row: AttachmentRow, clean: Clean, stored: Sequence[Stored], name: str | None
) -> Outcome:
    """Return the outcome of a file that was made safe and stored, or of which only the original is stored."""
    # Texts in other charsets are named by `charsets`, as pages are by their number.
    renditions = {
        rendition.name: {**rendition.view, TOKEN: rendition.token}
        if rendition.token
        else rendition.view
        for rendition in stored
        if not rendition.name.startswith(OTHER_TEXT)
    }
    if clean.refusal is not None:
        refusal = clean.refusal
        return Outcome(
            refusal.state, refusal.reason, refusal.detail or None, name=name, renditions=renditions
        )
    return Outcome(
        "ready",
        name=name,
        width=clean.width or None,
        height=clean.height or None,
        duration=clean.duration_seconds,
        renditions=renditions,
        kind=clean.kind,
        details=_details(row, clean),
    )


def measure(row: AttachmentRow, outcome: Outcome) -> None:
    """Measure an attachment that is ready."""
    READY.labels(outcome.kind).observe((now_ms() - row.received_at) / 1000)
    if (outcome.details or {}).get("complete") is False:
        INCOMPLETE.labels(outcome.kind).inc()
    if outcome.kind == "audio":
        SOUND.labels(row.connector).inc(outcome.duration or 0.0)
    PAGES.labels(row.connector).inc((outcome.details or {}).get("pages", 0))


def _details(row: AttachmentRow, clean: Clean) -> dict[str, Any] | None:
    """Return what the attachment shows beside its files."""
    details = dict(clean.facts or {})
    if clean.pages_total > 1:
        details["pages_total"] = clean.pages_total
    if clean.kind == "audio":
        details["voice"] = row.view.get("voice", False)
    return details or None
