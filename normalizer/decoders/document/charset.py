"""The charset of a text: stated by a byte order mark, proved as UTF-8, or guessed."""

import codecs
from dataclasses import dataclass

from charset_normalizer import from_bytes

from normalizer.charsets import GUESSED, charset_of

#: Enough letters for a guess; more take longer and change nothing.
_SAMPLE_BYTES = 64 * 1024

#: If no candidate fits. Every byte of it is a letter, or replaced.
_LAST_RESORT = "cp1252"


@dataclass(frozen=True, slots=True)
class Charset:
    """The name of a charset, and whether it is a guess."""

    name: str
    guessed: bool = False


def find_charset(content: bytes, *, is_whole: bool = True) -> Charset:
    """Return the charset of a text that begins with `content`."""
    if proved := charset_of(content, is_whole=is_whole):
        return Charset(proved)
    best = from_bytes(content[:_SAMPLE_BYTES], cp_isolation=list(GUESSED)).best()
    return Charset(best.encoding if best else _LAST_RESORT, guessed=True)


def decode(content: bytes, charset: Charset) -> str:
    """Return the text; what cannot be decoded becomes U+FFFD, and a character that is cut off is dropped."""
    return codecs.getincrementaldecoder(charset.name)("replace").decode(content)


def others(content: bytes, guess: Charset) -> list[Charset]:
    """Return the other charsets that can be meant: every byte has a meaning in them."""
    return [
        Charset(name, guessed=True)
        for name in GUESSED
        if name != guess.name and _is_possible(content, name)
    ]


def _is_possible(content: bytes, name: str) -> bool:
    try:
        # The last character may be cut off.
        codecs.getincrementaldecoder(name)("strict").decode(content)
    except UnicodeDecodeError:
        return False
    return True


def warm_up() -> None:
    """Load every candidate: the isolation layers prevent loading it later."""
    for name in (*GUESSED, "utf-8-sig", "utf-16", "utf-32", "latin-1", "ascii"):
        codecs.getincrementaldecoder(name)("replace").decode("x".encode(name))
    for sample in (
        b"Gr\xfc\xdfe aus K\xf6ln, sch\xf6nen Tag noch. " * 20,
        b"\x82\xb1\x82\xf1" * 40,
    ):
        find_charset(sample)
