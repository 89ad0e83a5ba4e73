"""Attachment rules: which attachments of a message are fetched, and why others are not."""

from collections.abc import Iterable

import orjson

from connectors import Attachment, ConnectorConfig, Kind
from gateway.events.attachments import State
from gateway.journal import NewAttachment
from normalizer.media import FailedReason

#: The kinds that are shown as images, each with the connector setting that turns it off. Stickers are small photos.
_SWITCHES: dict[Kind, str] = {"photo": "photos", "sticker": "photos", "video": "videos"}

#: Kinds that have nothing to fetch.
_COMPLETE: frozenset[Kind] = frozenset({"location", "contact"})

_FAILED_REASONS: frozenset[str] = frozenset(FailedReason.__args__)  # type: ignore[attr-defined] # of a Literal


def admit(attachments: Iterable[Attachment], config: ConnectorConfig) -> tuple[NewAttachment, ...]:
    """Return each attachment of a message: pending, or ended with a reason."""
    return tuple(_admit(attachment, config) for attachment in attachments)


def _admit(attachment: Attachment, config: ConnectorConfig) -> NewAttachment:
    media = attachment.media
    name = media.name if media else None
    details = orjson.dumps(_details(attachment)) if attachment.details else None

    def ended(state: State, reason: str | None) -> NewAttachment:
        fetchable = orjson.dumps(media) if media and attachment.kind in _SWITCHES else None
        said = (attachment.code, attachment.detail)
        return NewAttachment(attachment.kind, state, reason, name, fetchable, details, *said)

    if attachment.refused is not None:
        return ended(
            "failed" if attachment.refused in _FAILED_REASONS else "rejected", attachment.refused
        )
    if attachment.kind in _COMPLETE and attachment.details:
        return ended("ready", None)
    switch = _SWITCHES.get(attachment.kind)
    if switch is None or media is None:
        return ended("rejected", "unsupported_type")
    if not getattr(config, switch):
        return ended("rejected", "disabled")
    return NewAttachment(attachment.kind, "pending", None, name, orjson.dumps(media), details)


def _details(attachment: Attachment) -> dict[str, object]:
    if attachment.kind == "contact":
        return {"contacts": (attachment.details or {}).get("cards", [])}
    return {attachment.kind: attachment.details}
