"""The text and attachments of a Messenger message."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from connectors.tools.attachment_kind import kind_of
from connectors.tools.entries import attach_each, listed
from connectors.tools.location import location
from normalizer.events import Attachment, Kind, MediaRef

_KINDS: Mapping[str, Kind] = {
    "audio": "audio",
    "file": "document",
    "image": "photo",
    "sticker": "sticker",
    "video": "video",
}
#: Cards that link to a page. Their URLs may lead anywhere, so they are shown as text and never fetched.
_LINK_CARDS = frozenset(
    {"appointment_booking", "fallback", "ig_post", "ig_reel", "post", "reel", "share", "template"}
)
#: The thumbs-up sticker, in its three sizes.
_THUMB_STICKERS = frozenset({"369239263222822", "369239343222814", "369239383222810"})


def text_of(message: Any) -> str | None:
    """The text of a message, followed by the titles and URLs of its link cards."""
    lines = [message["text"]] if message.get("text") else []
    for card in _cards(message):
        # The preview card of a link repeats the URL in the text.
        lines += [line for line in _link_lines(card) if not any(line in known for known in lines)]
        if not lines and str(_payload(card).get("sticker_id")) in _THUMB_STICKERS:
            lines = ["👍"]
    return "\n".join(lines) or None


def attachments_of(message: Any) -> tuple[Attachment, ...]:
    """The attachments of a message, without link cards."""
    cards = [card for card in _cards(message) if not _link_lines(card)]
    found = attach_each(lambda pair: _attachment(*pair), _deduplicated(cards))
    return found or ((Attachment("unsupported"),) if message.get("is_unsupported") else ())


def _cards(message: Any) -> list[Any]:
    """The raw attachments. One that is not an object counts as an attachment of unknown type."""
    cards = listed(message, "attachments")
    return [card if isinstance(card, dict) else {} for card in cards]


def _deduplicated(cards: list[Any]) -> Iterator[tuple[Any, bool]]:
    """Each attachment once, and whether it is a sticker: in 2026, stickers arrive as an image, a sticker, or both."""
    stickers = {name for card in cards if _is_sticker(card) for name in _identifiers(card)}
    seen: set[Any] = set()
    for card in cards:
        identifiers = _identifiers(card)
        sticker = not stickers.isdisjoint(identifiers)
        if not (sticker and identifiers & seen):
            yield card, sticker
        seen |= identifiers


def _attachment(card: Any, sticker: bool) -> Attachment:
    type, url = card.get("type"), _url(card)
    if type == "location":
        return _location(card)
    if type not in _KINDS:
        return Attachment("unsupported", details={"type": type})
    # A file's name is the last part of its URL. For other types that part is meaningless.
    name = _file_name(url) if url and type == "file" else None
    kind = "sticker" if sticker else _KINDS[type]
    if name is not None:
        kind = kind_of(None, name)
    if not url:
        return Attachment(kind, refused="gone")
    return Attachment(kind, MediaRef({"url": url}, name=name))


def _url(card: Any) -> str | None:
    url = _payload(card).get("url")
    return url if isinstance(url, str) else None


def _file_name(url: str) -> str | None:
    return unquote(url.partition("?")[0].rpartition("/")[2]) or None


def _location(card: Any) -> Attachment:
    at = _payload(card)["coordinates"]
    return location(at["lat"], at["long"], name=card.get("title"), url=card.get("url"))


def _link_lines(card: Any) -> list[str]:
    """The lines of text for a link card; none for any other attachment."""
    if card.get("type") not in _LINK_CARDS:
        return []
    title = card.get("title") or _payload(card).get("title")
    address = card.get("url") or _payload(card).get("url") or ""
    web = address.lower().startswith(("https://", "http://"))
    return [line for line in (title, address if web else None) if line]


def _payload(card: Any) -> Any:
    payload = card.get("payload")
    return payload if isinstance(payload, dict) else {}


def _identifiers(card: Any) -> set[str | None]:
    return {_url(card), str(_payload(card).get("sticker_id"))} - {None, "None"}


def _is_sticker(card: Any) -> bool:
    return card.get("type") == "sticker" or _payload(card).get("sticker_id") is not None
