"""Contact cards from any platform or file, as named fields of text."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .language import say
from .safe_text import clean_name

#: A card with more fields would fill the transcript.
_MAX_FIELDS = 60

#: More cards in one attachment are not shown.
_MAX_CARDS = 50

Card = Mapping[str, Any]


def contact_cards(cards: object) -> list[Card]:
    """Return the cards of an attachment's `contacts`, in the shape of WhatsApp's own cards."""
    return [_contact_card(card) for card in _mappings(cards)[:_MAX_CARDS]]


def _contact_card(card: Card) -> Card:
    fields = [field for read in _CONTACT_FIELDS for field in read(card)]
    return {"name": _contact_name(card) or say("contact"), "fields": fields[:_MAX_FIELDS]}


def _contact_name(card: Card) -> str | None:
    name = card.get("name")
    if not isinstance(name, Mapping):
        return _clean(name)
    parts = ("prefix", "first_name", "middle_name", "last_name", "suffix")
    return _clean(name.get("formatted_name")) or _joined((name.get(part) for part in parts), " ")


def _group(group: str, key: str, label: str) -> Callable[[Card], list[Card]]:
    """Return a reader of one list of a card. Its entries are texts, or have a type beside the text."""

    def read(card: Card) -> list[Card]:
        found = [
            _field(_label(entry, label), entry.get(key) if isinstance(entry, Mapping) else entry)
            for entry in _entries(card.get(group))
        ]
        return [field for field in found if field["value"]]

    return read


def _addresses(card: Card) -> list[Card]:
    parts = ("street", "zip", "city", "state", "country")
    found = []
    for entry in _entries(card.get("addresses")):
        value = (
            _clean(entry.get("formatted")) or _joined((entry.get(part) for part in parts), ", ")
            if isinstance(entry, Mapping)
            else entry
        )
        found.append(_field(_label(entry, "contact.address"), value))
    return [field for field in found if field["value"]]


def _organisation(card: Card) -> list[Card]:
    org = card.get("org")
    words = (
        _joined((org.get(part) for part in ("title", "department", "company")), ", ")
        if isinstance(org, Mapping)
        else _clean(org)
    )
    return [_field(say("contact.work"), words, copy=False)] if words else []


def _single(key: str, label: str) -> Callable[[Card], list[Card]]:
    def read(card: Card) -> list[Card]:
        value = _clean(card.get(key))
        return [_field(say(label), value, copy=False)] if value else []

    return read


_CONTACT_FIELDS: tuple[Callable[[Card], list[Card]], ...] = (
    _organisation,
    _group("phones", "phone", "contact.phone"),
    _group("emails", "email", "contact.email"),
    _addresses,
    _group("urls", "url", "contact.web"),
    _single("birthday", "contact.birthday"),
    _single("note", "contact.note"),
)


def _field(label: str, value: object, *, copy: bool = True) -> Card:
    return {"label": label, "value": _clean(value), "copy": copy}


def _label(entry: object, label: str) -> str:
    """Return the label of a field, with the type that the sender gave it, such as CELL or HOME."""
    type = _clean(entry.get("type")) if isinstance(entry, Mapping) else None
    return f"{say(label)} ({type.lower()})" if type else say(label)


def _joined(parts: Iterable[object], separator: str) -> str | None:
    return separator.join(words for part in parts if (words := _clean(part))) or None


def _clean(value: object) -> str | None:
    if isinstance(value, list | tuple):
        return _joined(value, ", ")
    return clean_name(str(value)) if isinstance(value, str | int | float) else None


def _entries(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _mappings(value: object) -> list[Card]:
    return [entry for entry in _entries(value) if isinstance(entry, Mapping)]
