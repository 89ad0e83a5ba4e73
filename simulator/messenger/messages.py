"""Contents of webhook events other than texts and files, under the names that they have in `messaging`."""

import time
from typing import Any

Event = dict[str, Any]

#: Ids of the thumbs-up sticker of the Like button, in its three sizes.
THUMB_STICKERS = (369239263222822, 369239343222814, 369239383222810)


def sticker(url: str, sticker_id: int, *, type: str = "sticker") -> dict[str, Any]:
    """Return an attachment. Until 30 August 2026 a second one, of type `image`, came with the same sticker."""
    return {"type": type, "payload": {"url": url, "sticker_id": sticker_id}}


def location(latitude: float, longitude: float, title: str = "Pinned location") -> dict[str, Any]:
    """Return an attachment, which only old apps send."""
    coordinates = {"lat": latitude, "long": longitude}
    return {"type": "location", "title": title, "payload": {"coordinates": coordinates}}


def link(url: str | None, title: str) -> dict[str, Any]:
    """Return the attachment of a link that was unfurled. It is a page, never a file."""
    return {"type": "fallback", "title": title, "payload": {"url": url} if url else None}


def quick_reply(title: str, payload: str = "q1") -> Event:
    return {"message": {"text": title, "quick_reply": {"payload": payload}}}


def reply(mid: str, text: str) -> Event:
    return {"message": {"text": text, "reply_to": {"mid": mid, "is_self_reply": False}}}


def postback(mid: str, title: str, payload: str = "start") -> Event:
    return {"postback": {"mid": mid, "title": title, "payload": payload}}


def reaction(mid: str, emoji: str, *, removed: bool = False) -> Event:
    names = {"❤": "love", "😆": "smile", "😮": "wow", "😢": "sad", "👍": "like", "👎": "dislike"}
    action = "unreact" if removed else "react"
    content = {"reaction": names.get(emoji, "other"), "emoji": emoji, "action": action, "mid": mid}
    return {"reaction": content}


def edit(mid: str, text: str, number: int = 1) -> Event:
    return {"message_edit": {"mid": mid, "text": text, "num_edit": number}}


def unsend(mid: str) -> Event:
    return {"message": {"mid": mid, "is_deleted": True}}


def referral(ref: str) -> Event:
    return {"referral": {"ref": ref, "source": "SHORTLINK", "type": "OPEN_THREAD"}}


def milliseconds() -> int:
    return time.time_ns() // 1_000_000
