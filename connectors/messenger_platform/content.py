"""The text and attachments of a message."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from connectors.tools.attachment_kind import kind_of
from connectors.tools.entries import attach_each, listed
from connectors.tools.location import location
from normalizer.events import Attachment, Kind, MediaRef

from .cards import (
    CARD_TYPES,
    address_of,
    card_lines,
    is_web,
    template_lines,
    with_absolute_address,
    without_address,
)
from .fields import mapping_of, name_of, object_of, type_of, words_of

_KINDS: Mapping[str, Kind] = {
    "audio": "audio",
    "file": "document",
    "image": "photo",
    "sticker": "sticker",
    "video": "video",
}
#: What the file of a card probably is; the sanitizer finds out.
_CARD_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("ig_post", "ig_story", "post", "share", "story", "story_mention"), "photo"),
    **dict.fromkeys(("ig_reel", "reel"), "video"),
}
_FILES = frozenset(_CARD_KINDS.values())
#: The thumbs-up sticker, in its three sizes.
_THUMB_STICKERS = frozenset({"369239263222822", "369239343222814", "369239383222810"})
_THUMB = "👍"
#: Instagram's heart, which is sent with a double tap and has no file.
_HEART = "❤️"
#: The fields of a message that its event holds already. All others are passed on as `extra`.
_HELD = frozenset(
    {
        *("attachment", "attachments", "is_deleted", "is_echo", "is_unsupported", "mid"),
        *("reply_to", "seq", "text"),
    }
)
_HELD_BY_MESSAGE = _HELD | {"quick_reply", "referral"}
_HELD_BY_ECHO = _HELD | {"app_id", "metadata"}


def _no_card(card: Any) -> bool:
    del card
    return False


@dataclass(frozen=True, slots=True)
class CardStyle:
    """How a platform's cards are shown."""

    #: Whether a card is shown as the file at its address.
    is_file: Callable[[Any], bool] = _no_card
    #: Words that say what was shared, by the type of the card.
    labels: Mapping[str, str] = field(default_factory=dict)


#: Every card is words: its address may lead anywhere.
WORDS = CardStyle()


def content_of(message: dict[str, Any], *, is_echo: bool, style: CardStyle) -> dict[str, Any]:
    """The fields `text`, `attachments` and `extra` of the event for a message.

    `extra` holds what agents cannot open: the cards that are shown as text, the attachments that cannot be shown,
    and the fields of the message that are not known.
    """
    cards = _cards(message)
    attached = attach_each(
        lambda pair: _attachment(*pair),
        [pair for pair in _deduplicated(cards) if style.is_file(pair[0]) or _is_attached(pair[0])],
    )
    return {
        "text": _text(message, cards, style),
        "attachments": attached,
        "extra": _extra(message, cards, style, _HELD_BY_ECHO if is_echo else _HELD_BY_MESSAGE),
    }


def _extra(
    message: dict[str, Any], cards: list[Any], style: CardStyle, held: frozenset[str]
) -> dict[str, Any] | None:
    extra = {k: v for k, v in message.items() if k not in held or not _is_readable(k, v)}
    # The address of a file is a signature, which only its attachment needs.
    shown = [without_address(card) if style.is_file(card) else card for card in cards]
    kept = [card for card in shown if not _is_openable(card)]
    return mapping_of(extra | ({"attachments": kept} if kept else {}))


def _is_readable(name: str, value: Any) -> bool:
    """Whether the field has a type from which the event could be built."""
    match name:
        case _ if value is None:
            return True
        case "text":
            return isinstance(value, str | int | float)
        case "mid" | "metadata" | "app_id":
            return name_of(value) is not None
        case "quick_reply":
            return words_of(object_of(value).get("payload")) is not None
        case "reply_to":
            return name_of(object_of(value).get("mid")) is not None
    return True


def _text(message: dict[str, Any], cards: list[Any], style: CardStyle) -> str | None:
    """The text of a message, followed by the words of its cards."""
    text = words_of(message.get("text"))
    lines = [] if text is None else [text]
    buttons = {name: message[name] for name in ("buttons", "quick_replies") if name in message}
    for found in (*(_card_words(card, style) for card in cards), list(template_lines(buttons))):
        known = tuple(lines)
        lines += [line for line in found if not _repeats(line, known)]
    thumbs = [card for card in cards if _is_thumb(card)]
    lines += [_HEART for card in cards if type_of(card) == "like_heart"]
    # With an address, the thumb is a sticker, and needs words only if there are no others.
    if thumbs and (not lines or not any(map(address_of, thumbs))):
        lines.append(_THUMB)
    return "\n".join(lines) or None


def _card_words(card: Any, style: CardStyle) -> list[str]:
    """The words of a card. The address of a file is not for reading."""
    label = style.labels.get(type_of(card) or "")
    lines = card_lines(without_address(card) if style.is_file(card) else card)
    return lines if label is None else [label, *lines]


def _repeats(line: str, known: tuple[str, ...]) -> bool:
    """Whether a line was said before: the preview card of a link repeats the address in the text."""
    return line in known or (is_web(line) and any(line in earlier for earlier in known))


def _cards(message: dict[str, Any]) -> list[Any]:
    """The raw attachments, each with one payload."""
    raw = [*listed(message, "attachments"), *listed(message, "attachment")]
    if not raw and message.get("sticker_id") is not None:
        raw = [{"type": "sticker", "payload": {"sticker_id": message["sticker_id"]}}]
    return [with_absolute_address(card) for one in raw for card in _split(one)]


def _split(card: Any) -> list[Any]:
    payload = card.get("payload") if isinstance(card, dict) else None
    if not isinstance(payload, list) or not payload:
        return [card]
    return [{**card, "payload": part} for part in payload]


def _is_attached(card: Any) -> bool:
    """Whether a card is an attachment of the event, rather than words of its text."""
    if type_of(card) == "like_heart":
        return False
    return not card_lines(card) and not (_is_thumb(card) and address_of(card) is None)


def _is_openable(card: Any) -> bool:
    """Whether an agent can open the attachment, or read all that it says."""
    type = type_of(card)
    if type == "location":
        return _attached_kind(card) == "location"
    return (
        type == "like_heart" or _is_thumb(card) or (type in _KINDS and address_of(card) is not None)
    )


def _attached_kind(card: Any) -> Kind:
    (found,) = attach_each(lambda one: _attachment(one, False), [card])
    return found.kind


def _deduplicated(cards: list[Any]) -> Iterator[tuple[Any, bool]]:
    """Each attachment once, and whether it is a sticker: in 2026, stickers arrive as an image, a sticker, or both."""
    stickers = {name for card in cards if _is_sticker(card) for name in _identifiers(card)}
    found = {_sticker_id(card) for card in cards if address_of(card)} - {None}
    seen: set[Any] = set()
    for card in cards:
        if address_of(card) is None and _sticker_id(card) in found:
            continue
        identifiers = _identifiers(card)
        sticker = not stickers.isdisjoint(identifiers)
        # Until April 2026, Instagram sent a shared post as a `share` and an `ig_post`.
        may_repeat = sticker or type_of(card) in CARD_TYPES
        if not (may_repeat and identifiers & seen):
            yield card, sticker
        seen |= identifiers


def _attachment(card: Any, sticker: bool) -> Attachment:
    type = type_of(card)
    if type == "location":
        return _location(card)
    if type is None or type not in _KINDS:
        # What is at the address decides whether it can be shown.
        url = address_of(card)
        media = MediaRef({"url": url}) if is_web(url) else None
        kind = _CARD_KINDS.get(type or "", "unsupported") if media else "unsupported"
        return Attachment(kind, media, details=None if kind in _FILES else {"type": type})
    return _file(type, address_of(card), sticker)


def _file(type: str, url: str | None, sticker: bool) -> Attachment:
    # A file's name is the last part of its URL. For other types that part is meaningless.
    name = _file_name(url) if url and type == "file" else None
    kind = "sticker" if sticker else _KINDS[type]
    found = Attachment(kind if name is None else kind_of(None, name), refused="gone")
    return replace(found, media=MediaRef({"url": url}, name=name), refused=None) if url else found


def _file_name(url: str) -> str | None:
    return unquote(url.partition("?")[0].rpartition("/")[2]) or None


def _location(card: Any) -> Attachment:
    at = _payload(card)["coordinates"]
    name, url = words_of(card.get("title")), card.get("url")
    return location(at["lat"], at["long"], name=name, url=url if is_web(url) else None)


def _payload(card: Any) -> dict[str, Any]:
    return object_of(object_of(card).get("payload"))


def _sticker_id(card: Any) -> str | None:
    return name_of(_payload(card).get("sticker_id"))


def _identifiers(card: Any) -> set[str | None]:
    return {
        address_of(card),
        _sticker_id(card),
        name_of(_payload(card).get("ig_post_media_id")),
    } - {None}


def _is_sticker(card: Any) -> bool:
    return type_of(card) == "sticker" or _sticker_id(card) is not None


def _is_thumb(card: Any) -> bool:
    return _sticker_id(card) in _THUMB_STICKERS
