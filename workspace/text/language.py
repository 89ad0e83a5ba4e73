"""The languages of the pages: which one a request gets, and every word that people read in it.

`languages/` holds one table of words for each language. Templates, scripts and the server's own sentences all read it.
A value is a text, or a text for each plural form (CLDR); `{name}` is replaced by a value.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files

import orjson

#: Each language with its own name for itself.
LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch", "ar": "العربية"}
DEFAULT = "en"
_RIGHT_TO_LEFT = frozenset({"ar"})

#: The signs between thousands and before decimals. Arabic keeps the digits and signs that telephone numbers, file names
#: and customers' messages have.
_SIGNS: Mapping[str, tuple[str, str]] = {"en": (",", "."), "de": (".", ","), "ar": (",", ".")}

#: First-strong isolate and its end: a name keeps its own direction, and moves nothing beside it.
_ISOLATE, _END = "\u2068", "\u2069"

#: Beginnings of the keys that only the server says.
_FOR_SERVER = (
    *("assign.", "error.", "file.", "gateway.", "notice.", "plural.", "problem.", "reason."),
    *("sign_in.", "size.", "status.", "type."),
)

_PLACEHOLDER = re.compile(r"\{(\w+)\}")

_language: ContextVar[str] = ContextVar("language", default=DEFAULT)

Word = str | Mapping[str, str]


def use_language(language: str) -> None:
    """Speak this language for the rest of the request."""
    _language.set(language)


def current_language() -> str:
    return _language.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    before = _language.set(language)
    try:
        yield
    finally:
        _language.reset(before)


def direction() -> str:
    return "rtl" if current_language() in _RIGHT_TO_LEFT else "ltr"


def accepted_language(header: str) -> str | None:
    """Return our language that an Accept-Language header wants most (RFC 9110, 12.5.4), or None."""
    wanted = [_preference(part) for part in header[:1000].split(",")]
    known = [(weight, tag) for weight, tag in wanted if weight > 0 and tag in LANGUAGES]
    return max(known, key=lambda one: one[0])[1] if known else None


def _preference(part: str) -> tuple[float, str]:
    tag, _, parameter = part.partition(";")
    name, _, value = parameter.strip().partition("=")
    try:
        weight = float(value) if name.strip() == "q" else 1.0
    except ValueError:
        weight = 0.0
    return weight, tag.strip().lower().partition("-")[0]


def say(key: str, /, **values: str | float) -> str:
    """Return the text of a key in the language of the request, with numbers written as it writes them."""
    word = words(current_language()).get(key, key)
    return _fill(word if isinstance(word, str) else word["other"], values)


def say_count(key: str, count: int, /, **values: str | float) -> str:
    """Return the text of a key for a number of things, which it calls `{count}`."""
    word = words(current_language()).get(key, key)
    if not isinstance(word, str):
        word = word.get(plural_form(count), word["other"])
    return _fill(word, {"count": count, **values})


def say_one_of(kind: str, name: str, other: str = "other", /, **values: str | float) -> str:
    """Return the text for one name of a kind, or that of all others of the kind."""
    key = f"{kind}.{name}"
    return say(key if is_said(key) else f"{kind}.{other}", **values)


def is_said(key: str) -> bool:
    return key in words(DEFAULT)


def plural_form(count: int) -> str:
    """Return the plural form of a number by the rules of CLDR."""
    if current_language() != "ar":
        return "one" if count == 1 else "other"
    if count in _ARABIC_FORMS:
        return _ARABIC_FORMS[count]
    rest = count % 100
    if rest < 3:
        return "other"
    return "few" if rest <= 10 else "many"


_ARABIC_FORMS: Mapping[int, str] = {0: "zero", 1: "one", 2: "two"}


def write_number(number: float) -> str:
    """Write a number with at most one decimal."""
    thousands, decimal = _SIGNS[current_language()]
    text = f"{number:,.1f}".removesuffix(".0")
    return text.translate({ord(","): thousands, ord("."): decimal})


def _fill(text: str, values: Mapping[str, str | float]) -> str:
    return _PLACEHOLDER.sub(lambda found: _write(values.get(found[1], "")), text)


def _write(value: str | float) -> str:
    if not isinstance(value, str):
        return write_number(value)
    return f"{_ISOLATE}{value}{_END}" if value and direction() == "rtl" else value


@cache
def words(language: str) -> Mapping[str, Word]:
    """Return the table of a language. A word that it lacks is there in English."""
    if language == DEFAULT:
        return _read(DEFAULT)
    return {**_read(DEFAULT), **_read(language)}


@cache
def page_words(language: str) -> str:
    """Return what scripts say, and the languages to choose from, as JSON that can stand inside a script element."""
    said = {key: word for key, word in words(language).items() if not key.startswith(_FOR_SERVER)}
    page = {"languages": LANGUAGES, "words": said}
    return orjson.dumps(page).decode().replace("<", "\\u003c")


def _read(language: str) -> Mapping[str, Word]:
    table = files("workspace.text").joinpath("languages", f"{language}.json").read_bytes()
    found: Mapping[str, Word] = orjson.loads(table)
    return found
