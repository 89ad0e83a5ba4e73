"""Attachment rules: which attachments of a message are fetched, and why others are not.

A file is judged by its bytes, once it is fetched: the declared kind is only its placeholder until then. The reference
to the file is kept in every case, so that a retry works.
"""

from collections.abc import Iterable

import orjson

from connectors import Attachment, ConnectorConfig, Kind
from gateway.events.attachments import State
from gateway.journal import NewAttachment
from gateway.settings.shown_kinds import shown_kinds
from normalizer.media import FailedReason

#: Kinds that have nothing to fetch.
_COMPLETE: frozenset[Kind] = frozenset({"location", "contact"})

_FAILED_REASONS: frozenset[str] = frozenset(FailedReason.__args__)  # type: ignore[attr-defined] # of a Literal


def admit(attachments: Iterable[Attachment], config: ConnectorConfig) -> tuple[NewAttachment, ...]:
    """Return each attachment of a message: pending, or ended with a reason."""
    return tuple(_admit(attachment, config) for attachment in attachments)


def _admit(attachment: Attachment, config: ConnectorConfig) -> NewAttachment:
    state, reason = _decide(attachment, config)
    media = attachment.media
    # A contact that is turned off is all in its details.
    details = {} if reason == "disabled" and media is None else _details(attachment)
    return NewAttachment(
        attachment.kind,
        state,
        reason,
        name=media.name if media else None,
        media=orjson.dumps(media) if media else None,
        details=orjson.dumps(details) if details else None,
        code=attachment.code,
        detail=attachment.detail,
    )


def _decide(attachment: Attachment, config: ConnectorConfig) -> tuple[State, str | None]:
    refused = attachment.refused
    if refused is not None:
        return "failed" if refused in _FAILED_REASONS else "rejected", refused
    if attachment.kind in _COMPLETE and attachment.details:
        is_off = attachment.kind == "contact" and not config.contacts
        return ("rejected", "disabled") if is_off else ("ready", None)
    if attachment.media is None:
        return "rejected", "unsupported_type"
    if not shown_kinds(config):
        return "rejected", "disabled"
    return "pending", None


def _details(attachment: Attachment) -> dict[str, object]:
    """Return what the attachment shows beside its file."""
    details = attachment.details
    if not details:
        return {"voice": True} if attachment.voice else {}
    if attachment.kind == "contact":
        return {"contacts": details.get("cards", [])}
    return {attachment.kind: details}
