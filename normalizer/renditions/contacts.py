"""Contact cards from a sandbox, rebuilt field by field: only known fields with plain texts are passed on."""

import json
from typing import Any

from .answers import invalid_answer
from .plain_text import clean_line

_CARDS, _VALUES, _LETTERS = 50, 20, 2_000

_NAME = ("formatted_name", "first_name", "last_name", "middle_name", "prefix", "suffix")
_ORG = ("company", "department", "title")

#: The fields of a card that hold lists, and the fields of their entries.
_LISTS: dict[str, tuple[str, ...]] = {
    "phones": ("phone", "type", "wa_id"),
    "emails": ("email", "type"),
    "urls": ("url", "type"),
    "addresses": ("street", "city", "state", "zip", "country", "type"),
}


def parse_cards(content: bytes) -> list[dict[str, Any]]:
    """Return the cards that a sandbox wrote as JSON. Raise MediaFailed if they have another shape."""
    try:
        cards = json.loads(content)
        if not isinstance(cards, list):
            raise TypeError("the cards are not a list")
        return [_card(each) for each in cards[:_CARDS]]
    except (ValueError, TypeError, AttributeError, RecursionError) as exc:
        raise invalid_answer(type(exc).__name__) from None


def _card(given: dict[str, Any]) -> dict[str, Any]:
    card: dict[str, Any] = {"name": {"formatted_name": "", **_texts(given.get("name", {}), _NAME)}}
    for name, fields in _LISTS.items():
        entries = [_texts(each, fields) for each in given.get(name, [])[:_VALUES]]
        if any(entries):
            card[name] = [entry for entry in entries if entry]
    if org := _texts(given.get("org", {}), _ORG):
        card["org"] = org
    return {**card, **_texts(given, ("birthday",))}


def _texts(given: dict[str, Any], fields: tuple[str, ...]) -> dict[str, str]:
    """Return the fields that hold text."""
    found = {
        field: clean_line(value, _LETTERS)
        for field, value in given.items()
        if field in fields and isinstance(value, str)
    }
    return {field: text for field, text in found.items() if text}
