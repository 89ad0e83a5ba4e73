"""Contents of Instagram's webhook events other than texts and files, under the names that they have in `messaging`.

https://developers.facebook.com/documentation/business-messaging/instagram-messaging/webhooks
"""

from typing import Any

Event = dict[str, Any]


def with_attachments(*attachments: dict[str, Any], text: str | None = None) -> Event:
    words = {} if text is None else {"text": text}
    return {"message": {**words, "attachments": list(attachments)}}


def heart() -> Event:
    """Return the heart that a double tap sends. It has no payload."""
    return with_attachments({"type": "like_heart"})


def story_mention(url: str) -> Event:
    """Return the mention of the account in the consumer's story, which is served until the story ends."""
    return with_attachments({"type": "story_mention", "payload": {"url": url}})


def story_reply(text: str, url: str, story_id: str = "18040000000000001") -> Event:
    """Return a text that replies to a story of the account."""
    return {"message": {"text": text, "reply_to": {"story": {"id": story_id, "url": url}}}}


def shared_post(url: str, title: str, media_id: str = "18139494541428835") -> Event:
    """Return a shared post, as since 27 April 2026."""
    payload = {"ig_post_media_id": media_id, "title": title, "url": url}
    return with_attachments({"type": "ig_post", "payload": payload})


def shared_reel(url: str, title: str, video_id: str = "17990000000000001") -> Event:
    payload = {"reel_video_id": video_id, "title": title, "url": url}
    return with_attachments({"type": "ig_reel", "payload": payload})


def unsupported() -> Event:
    """Return a message of a type that Instagram does not pass on."""
    return {"message": {"is_unsupported": True}}


def quick_reply(title: str, payload: str = "q1") -> Event:
    return {"message": {"text": title, "quick_reply": {"payload": payload}}}


def reply(mid: str, text: str) -> Event:
    return {"message": {"text": text, "reply_to": {"mid": mid}}}


def postback(mid: str, title: str, payload: str = "ice-1") -> Event:
    """Return a tap on an ice breaker, or on a button of a generic template."""
    return {"postback": {"mid": mid, "title": title, "payload": payload}}


def reaction(mid: str, emoji: str = "❤️", *, removed: bool = False) -> Event:
    if removed:
        return {"reaction": {"mid": mid, "action": "unreact"}}
    named = {"❤️": "love"}.get(emoji, "other")
    return {"reaction": {"mid": mid, "action": "react", "reaction": named, "emoji": emoji}}


def unsend(mid: str) -> Event:
    return {"message": {"mid": mid, "is_deleted": True}}


def untold(mid: str) -> Event:
    """Return the announcement of a message without its content, as apps in development mode receive it."""
    return {"message_edit": {"mid": mid, "num_edit": 0}}


def edit(mid: str, text: str, number: int = 1) -> Event:
    return {"message_edit": {"mid": mid, "text": text, "num_edit": number}}


def referral(ref: str) -> Event:
    """Return the opening of the conversation through an ig.me link."""
    return {"referral": {"ref": ref, "source": "IGME-SOURCE-LINK", "type": "OPEN_THREAD"}}
