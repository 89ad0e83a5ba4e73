"""Contents of webhook events other than texts and files, under the names that they have in `messaging`."""

from collections.abc import Mapping, Sequence
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


def reel(url: str, reel_id: int) -> dict[str, Any]:
    """Return the attachment of an Instagram reel. Its URL is relative to Instagram's own pages."""
    return {"type": "ig_reel", "payload": {"url": url, "reel_video_id": reel_id}}


def product(title: str, *, id: str, subtitle: str = "", retailer_id: str = "") -> dict[str, Any]:
    """Return the attachment of a product, about which the consumer asks."""
    element = {
        "id": id,
        "retailer_id": retailer_id or f"SKU-{id}",
        "title": title,
        "subtitle": subtitle,
        "image_url": f"https://images.example.com/products/{id}.jpg",
    }
    return {"type": "template", "payload": {"product": {"elements": [element]}}}


def buttons(text: str, titles: Sequence[str]) -> dict[str, Any]:
    """Return the attachment of a button template, as it comes back in an echo."""
    tappable = [{"type": "postback", "title": title, "payload": title} for title in titles]
    return {
        "type": "template",
        "payload": {"template_type": "button", "text": text, "buttons": tappable},
    }


def with_attachments(*attachments: dict[str, Any], text: str | None = None) -> Event:
    words = {} if text is None else {"text": text}
    return {"message": {**words, "attachments": list(attachments)}}


def feedback(scores: Mapping[str, str], *, comment: str = "") -> Event:
    """Return the answers to a customer feedback template: scores by the ids of their questions.

    https://developers.facebook.com/docs/messenger-platform/send-messages/templates/customer-feedback-template
    """
    questions: dict[str, Any] = {
        id: {"type": "csat", "payload": score} for id, score in scores.items()
    }
    if comment:
        for answer in questions.values():
            answer["follow_up"] = {"type": "free_form", "payload": comment}
    return {"messaging_feedback": {"feedback_screens": [{"screen_id": 0, "questions": questions}]}}


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


def referral(ref: str, **more: str) -> Event:
    """Return the opening of the conversation through a link; with `ad_id` in `more`, through an advertisement."""
    source = "ADS" if "ad_id" in more else "SHORTLINK"
    return {"referral": {"ref": ref, "source": source, "type": "OPEN_THREAD", **more}}
