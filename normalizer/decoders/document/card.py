"""vCards 2.1, 3 and 4, read into the shape of the cards that WhatsApp sends."""

import mmap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .charset import find_charset
from .content_lines import Property, properties, unescape

_CARDS, _VALUES, _LETTERS = 50, 20, 2_000

#: Types that say nothing about a number or an address.
_USELESS_TYPES = frozenset(
    {"PREF", "VOICE", "INTERNET", "X-INTERNET", "TEXT", "X400", "DOM", "INTL"}
)

#: The charset is guessed from so many bytes.
_START_BYTES = 256 * 1024

#: More properties are not read: each card needs only a few.
_MAX_PROPERTIES = 20_000

#: The name's components in the order of vCard's N, and the address's in that of ADR (RFC 6350, 6.2.2 and 6.3.1).
_NAME_PARTS = ("last_name", "first_name", "middle_name", "prefix", "suffix")
_ADDRESS_PARTS = (None, None, "street", "city", "state", "zip", "country")


@dataclass(slots=True)
class _Card:
    """One card while it is read. `labels` are Apple's names for groups of properties."""

    fields: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    #: The entries of lists by their group, to label them at the end.
    grouped: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    complete: bool = True

    def add(self, name: str, entry: dict[str, str], source: Property) -> None:
        entries = self.fields.setdefault(name, [])
        if len(entries) >= _VALUES:
            self.complete = False
            return
        if type := _type_of(source):
            entry["type"] = type
        entries.append(entry)
        if source.group:
            self.grouped.append((source.group, entry))

    def finished(self) -> dict[str, Any]:
        for group, entry in self.grouped:
            if label := self.labels.get(group):
                entry["type"] = label
        name = self.fields.setdefault("name", {})
        if not name.get("formatted_name"):
            known = (
                name.get(part) for part in ("prefix", "first_name", "middle_name", "last_name")
            )
            company = self.fields.get("org", {}).get("company", "")
            name["formatted_name"] = " ".join(part for part in known if part) or company
        return self.fields


def read_cards(content: mmap.mmap) -> tuple[list[dict[str, Any]], bool, bool]:
    """Return the cards, whether they are complete, and whether their charset is a guess."""
    start = content[:_START_BYTES]
    charset = find_charset(start, is_whole=len(start) == len(content))
    cards: list[dict[str, Any]] = []
    complete = True
    for card in _cards(properties(content, charset)):
        if len(cards) == _CARDS:
            return cards, False, charset.guessed
        finished = card.finished()
        complete = complete and card.complete
        if finished != {"name": {"formatted_name": ""}}:
            cards.append(finished)
    return cards, complete, charset.guessed


def _cards(found: Iterator[Property]) -> Iterator[_Card]:
    """Yield each card. A card inside a card, the agent of vCard 2.1, is left out."""
    card, depth = _Card(), 0
    for count, each in enumerate(found):
        if count > _MAX_PROPERTIES:
            card.complete = False
            break
        kind = each.value.strip().upper()
        if each.name == "BEGIN" and kind == "VCARD":
            depth += 1
            if depth == 1:
                card = _Card()
        elif each.name == "END" and kind == "VCARD":
            depth = max(0, depth - 1)
            if depth == 0:
                yield card
                card = _Card()
        elif depth == 1 and each.name in _READERS:
            _READERS[each.name](card, each)
    if depth:
        card.complete = False
        yield card


def _cut(text: str) -> str:
    return text[:_LETTERS]


def _type_of(source: Property) -> str | None:
    types = (type.strip(' "').upper() for type in source.parameters.get("TYPE", "").split(","))
    return next((_cut(type) for type in types if type and type not in _USELESS_TYPES), None)


def _formatted_name(card: _Card, source: Property) -> None:
    card.fields.setdefault("name", {}).setdefault("formatted_name", _cut(source.text))


def _name(card: _Card, source: Property) -> None:
    name = card.fields.setdefault("name", {})
    for part, value in zip(_NAME_PARTS, source.parts, strict=False):
        if value:
            name.setdefault(part, _cut(value))


def _phone(card: _Card, source: Property) -> None:
    entry = {"phone": _cut(source.text.removeprefix("tel:"))}
    if id := source.parameters.get("WAID"):
        entry["wa_id"] = _cut(id)
    card.add("phones", entry, source)


def _list_of(name: str, field: str) -> Callable[[_Card, Property], None]:
    return lambda card, source: card.add(name, {field: _cut(source.text)}, source)


def _address(card: _Card, source: Property) -> None:
    pairs = zip(_ADDRESS_PARTS, source.parts, strict=False)
    entry = {part: _cut(value) for part, value in pairs if part and value}
    if entry:
        card.add("addresses", entry, source)


def _company(card: _Card, source: Property) -> None:
    company, *departments = source.parts
    org = card.fields.setdefault("org", {})
    org.setdefault("company", _cut(company))
    if departments and departments[0]:
        org.setdefault("department", _cut(departments[0]))


def _title(card: _Card, source: Property) -> None:
    card.fields.setdefault("org", {}).setdefault("title", _cut(source.text))


def _birthday(card: _Card, source: Property) -> None:
    card.fields.setdefault("birthday", _cut(source.text))


def _label(card: _Card, source: Property) -> None:
    """Read Apple's label of a group, written as `_$!<Home>!$_` if it is not the user's own."""
    text = unescape(source.value).strip()
    card.labels.setdefault(
        source.group, _cut(text.removeprefix("_$!<").removesuffix(">!$_")).upper()
    )


_READERS: dict[str, Callable[[_Card, Property], None]] = {
    "FN": _formatted_name,
    "N": _name,
    "TEL": _phone,
    "EMAIL": _list_of("emails", "email"),
    "URL": _list_of("urls", "url"),
    "ADR": _address,
    "ORG": _company,
    "TITLE": _title,
    "BDAY": _birthday,
    "X-ABLABEL": _label,
}
