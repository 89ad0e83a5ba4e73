"""Events from deliveries of the web channel: one reader for each `type`."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, get_args

from connectors.tools.attachment_kind import kind_of
from connectors.tools.entries import Unreadable, attach_each, id_of, listed
from normalizer.events import (
    AnyEvent,
    Attachment,
    Closed,
    Identity,
    Kind,
    MediaRef,
    Message,
    Notice,
    Party,
    Receipt,
    Unknown,
)

#: The fields that all events share.
Common = dict[str, Any]

#: The id that a client gives to its message. Everything else names a text of ours.
_CLIENT_ID = re.compile(r"[0-9a-f]{32}")
_KINDS = frozenset(get_args(Kind))
_STATUSES = frozenset({"delivered", "read"})


def read_event(raw: Any, site: str) -> AnyEvent:
    """Return the event of one entry of a delivery."""
    consumer = raw["consumer"]
    party = Party(id_of(consumer["id"]), _text(consumer.get("name")))
    common: Common = {
        "id": f"{site}:{party.id}:{id_of(raw['id'])}",
        "account": site,
        "party": party,
        "sent_at": _time(raw.get("at")),
    }
    read = _READERS.get(raw["type"])
    if read is None:
        return Unknown(reason="unknown type of event", raw=raw, **common)
    return read(raw, common)


def client_id(message_id: str) -> str:
    """Return the web channel's own id of a message, from ours."""
    return message_id.rpartition(":")[2]


def _message(raw: Any, common: Common) -> Message:
    verified = raw["consumer"].get("verified")
    return Message(
        text=_text(raw.get("text")),
        attachments=attach_each(_attachment, listed(raw, "attachments")),
        reply_to=_quoted(raw.get("reply_to"), common),
        extra={"verified": verified} if isinstance(verified, bool) else None,
        **common,
    )


def _attachment(raw: Any) -> Attachment:
    media_type, name, size = _text(raw.get("media_type")), _text(raw.get("name")), raw.get("bytes")
    kind = raw.get("kind")
    return Attachment(
        kind if kind in _KINDS else kind_of(media_type, name),
        MediaRef(
            {"upload": id_of(raw["upload"])},
            media_type,
            name,
            size if isinstance(size, int) and not isinstance(size, bool) else None,
            _text(raw.get("sha256")),
        ),
    )


def _quoted(id: Any, common: Common) -> str | None:
    """Return our id of the message that is quoted: the consumer's own, or a text of ours."""
    quoted = _text(id)
    if quoted is None or not _CLIENT_ID.fullmatch(quoted):
        return quoted
    return f"{common['account']}:{common['party'].id}:{quoted}"


def _receipt(raw: Any, common: Common) -> Receipt:
    status, ids = raw["status"], raw["message_ids"]
    if status not in _STATUSES or not isinstance(ids, list) or not ids:
        raise Unreadable("a receipt without a known status, or without messages")
    return Receipt(status=status, message_ids=tuple(map(id_of, ids)), **common)


def _typing(raw: Any, common: Common) -> Notice:
    if not isinstance(raw["on"], bool):
        raise Unreadable("`on` is neither true nor false")
    return Notice(kind="typing_start" if raw["on"] else "typing_end", **common)


def _joined(raw: Any, common: Common) -> Identity:
    """Return the sign-in of a consumer who took an anonymous conversation along: both are one person's."""
    party: Party = common["party"]
    former = id_of(raw["from"])
    return Identity(
        **{**common, "party": Party(party.id, party.name, (former,))},
        text="The consumer signed in",
    )


def _closed(raw: Any, common: Common) -> Closed:
    del raw
    return Closed(**common)


def _erasure(raw: Any, common: Common) -> Notice:
    del raw
    text = (
        "The consumer erased this conversation in the chat and asks for the erasure of all copies"
    )
    return Notice(kind="erasure_requested", text=text, **common)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise Unreadable("`at` has no time zone")
    return time


_READERS: Mapping[str, Callable[[Any, Common], AnyEvent]] = {
    "message": _message,
    "receipt": _receipt,
    "typing": _typing,
    "joined": _joined,
    "closed": _closed,
    "erasure": _erasure,
}
