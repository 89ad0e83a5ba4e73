"""Events from Telegram's updates: one reader for each kind that concerns a private chat with the bot.

https://core.telegram.org/bots/api#update and the types named there.
"""

from collections.abc import Callable, Mapping
from typing import Any

from connectors import (
    AnyEvent,
    Attachment,
    Closed,
    Edit,
    Kind,
    MediaRef,
    Message,
    Notice,
    Party,
    Reaction,
    Unreadable,
    id_of,
    kind_of,
    location,
    parse_timestamp,
)

#: The fields that all events of an update share: `account`, `party`, `sent_at`.
Common = dict[str, Any]

#: Fields that contain a file, in order of precedence: an animation is sent as a document too.
FILES: Mapping[str, Kind | None] = {
    "animation": "video",
    "video": "video",
    "video_note": "video",
    "audio": "audio",
    "voice": "audio",
    "sticker": "sticker",
    "document": None,  # the kind follows from the type or the name
}
#: Fields of messages with content that Airlock cannot show.
UNSUPPORTED = (
    "checklist",
    "dice",
    "game",
    "invoice",
    "paid_media",
    "poll",
    "rich_message",
    "story",
)


def read_update(update: Any, bot: str) -> AnyEvent:
    """The one event of an update; `bot` is the account."""
    for kind, read in READERS.items():
        if update.get(kind):
            return read(update[kind], id_of(update["update_id"]), bot)
    raise Unreadable("unsupported kind of update")


def name_of(who: Any) -> str:
    """First and last name of a user or of a private chat."""
    return " ".join(part for part in (who["first_name"], who.get("last_name")) if part)


def _message(raw: Any, update: str, bot: str) -> AnyEvent:
    del update  # a message has its own id
    return Message(
        id=_id(raw),
        **_content(raw),
        reply_to=_id(raw["reply_to_message"]) if raw.get("reply_to_message") else None,
        forwarded=bool(raw.get("forward_origin")),
        **_common(raw, bot, raw["date"]),
    )


def _edit(raw: Any, update: str, bot: str) -> AnyEvent:
    common = _common(raw, bot, raw.get("edit_date") or raw["date"])
    return Edit(id=f"edit:{update}", target=_id(raw), **_content(raw), **common)


def _tap(raw: Any, update: str, bot: str) -> AnyEvent:
    del update  # as above
    question = raw["message"]
    rows = (question.get("reply_markup") or {}).get("inline_keyboard") or []
    labels = {key.get("callback_data"): key["text"] for row in rows for key in row}
    # The only timestamp is that of the question.
    common = _common(question, bot, None)
    return Message(
        id=f"tap:{id_of(raw['id'])}",
        text=labels.get(raw["data"]),
        choice=raw["data"],
        reply_to=_id(question),
        **common,
    )


def _reaction(raw: Any, update: str, bot: str) -> AnyEvent:
    now = raw["new_reaction"]
    emoji = now[0]["emoji"] if now else None
    common = _common(raw, bot, raw["date"])
    return Reaction(id=f"reaction:{update}", target=_id(raw), emoji=emoji, **common)


def _membership(raw: Any, update: str, bot: str) -> AnyEvent:
    # In a private chat, this update means that the bot was blocked or unblocked.
    common = _common(raw, bot, raw["date"])
    if raw["new_chat_member"]["status"] == "kicked":
        return Closed(id=f"blocked:{update}", **common)
    return Notice(id=f"unblocked:{update}", kind="unblocked", **common)


def _common(raw: Any, bot: str, timestamp: Any) -> Common:
    chat = raw["chat"]
    if chat["type"] != "private":
        raise Unreadable("group chats are not supported")
    party = Party(id_of(chat["id"]), name_of(chat))
    sent_at = None if timestamp is None else parse_timestamp(timestamp)
    return {"account": bot, "party": party, "sent_at": sent_at}


def _id(raw: Any) -> str:
    # Messages are numbered within their chat.
    return f"{id_of(raw['chat']['id'])}:{id_of(raw['message_id'])}"


def _content(raw: Any) -> dict[str, Any]:
    text, attachments = raw.get("text") or raw.get("caption"), _attachments(raw)
    if not (text or attachments):
        raise Unreadable("unsupported kind of message")
    return {"text": text or None, "attachments": attachments}


def _attachments(raw: Any) -> tuple[Attachment, ...]:
    if raw.get("photo"):
        # One photo in several sizes.
        largest = max(raw["photo"], key=lambda size: size["width"] * size["height"])
        return (_file(largest, "photo"),)
    for field, kind in FILES.items():
        if raw.get(field):
            return (_file(raw[field], kind, voice=field == "voice"),)
    if raw.get("location"):
        return (_location(raw["location"], raw.get("venue") or {}),)
    if raw.get("contact"):
        return (Attachment("contact", details={"cards": [raw["contact"]]}),)
    unsupported = [field for field in UNSUPPORTED if raw.get(field)]
    return tuple(Attachment("unsupported", details={"type": field}) for field in unsupported)


def _file(raw: Any, kind: Kind | None, *, voice: bool = False) -> Attachment:
    media_type = "image/jpeg" if kind == "photo" else raw.get("mime_type")
    ref = MediaRef(
        {"id": id_of(raw["file_id"])}, media_type, raw.get("file_name"), raw.get("file_size")
    )
    return Attachment(kind or kind_of(ref.media_type, ref.name), ref, voice=voice)


def _location(raw: Any, venue: Any) -> Attachment:
    described = {"name": venue.get("title"), "address": venue.get("address")}
    return location(raw["latitude"], raw["longitude"], **described)


READERS: Mapping[str, Callable[[Any, str, str], AnyEvent]] = {
    "message": _message,
    "edited_message": _edit,
    "callback_query": _tap,
    "message_reaction": _reaction,
    "my_chat_member": _membership,
}
