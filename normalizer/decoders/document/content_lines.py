r"""Content lines, the syntax that vCards and calendar entries share (RFC 6350, 3; RFC 5545, 3.1; vCard 2.1).

Lines may be folded. In vCard 2.1, values may be quoted-printable, in a charset of their own, with soft line breaks.
"""

import binascii
import mmap
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .charset import Charset, decode

#: Pictures, sounds and keys: skipped without being read.
_SKIPPED = frozenset({"PHOTO", "LOGO", "SOUND", "KEY", "ATTACH", "X-MS-CARDPICTURE"})

#: A longer value is cut here.
_VALUE_BYTES = 20_000
_NAME_BYTES = 2_000

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)

#: Charsets that properties may name: those that are loaded.
_KNOWN = {
    "UTF-8": "utf-8",
    "ISO-8859-1": "cp1252",
    "WINDOWS-1252": "cp1252",
    "US-ASCII": "cp1252",
    "WINDOWS-1250": "cp1250",
    "WINDOWS-1251": "cp1251",
    "SHIFT_JIS": "cp932",
    "EUC-JP": "euc_jp",
    "GB18030": "gb18030",
    "GBK": "gb18030",
    "GB2312": "gb18030",
    "BIG5": "big5",
    "EUC-KR": "cp949",
    "KOI8-R": "koi8_r",
}


@dataclass(frozen=True, slots=True)
class Property:
    """A property: group and name, parameters by upper-case name, and the value as it is written."""

    group: str
    name: str
    parameters: Mapping[str, str]
    value: str

    @property
    def text(self) -> str:
        """The value without its escapes."""
        return unescape(self.value).strip()

    @property
    def parts(self) -> list[str]:
        """The components of a structured value, which semicolons separate."""
        return [unescape(part).strip() for part in re.split(r"(?<!\\);", self.value)]


def unescape(text: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], text)


def properties(content: mmap.mmap, charset: Charset) -> Iterator[Property]:
    """Yield the properties of a file. Lines that are not properties are left out."""
    for line in _unfolded(content, charset):
        head, colon, value = _split(line)
        if not colon or len(head) > _NAME_BYTES:
            continue
        path, *written = decode(head, charset).split(";")
        group, _, name = path.strip().upper().rpartition(".")
        parameters = _parameters(written)
        yield Property(group, name, parameters, _value(value, parameters, charset))


def _unfolded(content: mmap.mmap, charset: Charset) -> Iterator[bytes]:
    """Yield whole lines, without those of skipped properties."""
    content.seek(0)
    if charset.name.startswith(("utf-16", "utf-32")):
        lines = iter(decode(content[:], charset).encode().splitlines(keepends=True))
    else:
        lines = iter(content.readline, b"")
    whole, is_open = bytearray(), False
    for line in lines:
        bare = line.rstrip(b"\r\n")
        if is_open or bare[:1] in {b" ", b"\t"}:
            piece = bare if is_open else bare[1:]
            if len(whole) < _VALUE_BYTES:
                whole += piece
        else:
            if whole:
                yield bytes(whole)
            whole = bytearray() if _is_skipped(bare) else bytearray(bare[:_VALUE_BYTES])
        is_open = _is_soft_break(bare, whole)
        if is_open and whole.endswith(b"="):
            del whole[-1:]
    if whole:
        yield bytes(whole)


def _is_soft_break(line: bytes, whole: bytearray) -> bool:
    return line.endswith(b"=") and b"QUOTED-PRINTABLE" in whole[:_NAME_BYTES].upper()


def _is_skipped(line: bytes) -> bool:
    name = re.split(rb"[;:]", line[:100], maxsplit=1)[0].upper().rpartition(b".")[2]
    return name.decode("latin-1") in _SKIPPED


def _split(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Split at the first colon that is not inside a quoted parameter."""
    for found in re.finditer(rb":", line[:_NAME_BYTES]):
        if line.count(b'"', 0, found.start()) % 2 == 0:
            return line[: found.start()], b":", line[found.end() :]
    return line, b"", b""


def _parameters(written: list[str]) -> dict[str, str]:
    """Return parameters; several values of one, and the bare values of vCard 2.1 as TYPE, are joined by commas."""
    found: dict[str, str] = {}
    for each in written:
        name, equals, value = each.partition("=")
        name = name.strip().upper()
        if not equals:
            plain = name in {"QUOTED-PRINTABLE", "BASE64", "8BIT", "7BIT"}
            name, value = ("ENCODING" if plain else "TYPE"), name
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _value(value: bytes, parameters: Mapping[str, str], charset: Charset) -> str:
    if parameters.get("ENCODING", "").upper() == "QUOTED-PRINTABLE":
        value = binascii.a2b_qp(value)
    stated = _KNOWN.get(parameters.get("CHARSET", "").strip('"').upper())
    return decode(value, Charset(stated) if stated else charset)
