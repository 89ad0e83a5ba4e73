"""Whether an office document holds more than a document: macros, controls, embedded files, or parts from elsewhere.

What is found here decides only whether agents are offered the file itself; the text is read without any of it.
"""

import mmap
import re
from typing import Any

from normalizer.sandbox.job import JobRequest

from .office.package import Package
from .office.xml import Attributes, Reader, read_part

#: Parts of OOXML (ECMA-376, part 1, and MS-OFFMACRO2) and of OpenDocument (1.3, part 2) that programs run or open.
_ACTIVE_NAME = re.compile(
    r"vba|macro|activex|/embeddings/|oleobject|/ctrlprops/|customui|webextension|afchunk|externallinks"
    r"|^basic/|^scripts/|^dialogs/",
    re.IGNORECASE,
)
_ACTIVE_TYPE = re.compile(r"macro|vba|activex|oleobject|control|afchunk", re.IGNORECASE)

#: The only relation to something outside of a document that opens nothing by itself.
_LINK = "/hyperlink"

#: Elements of OpenDocument that run scripts or open what is linked.
_ACTIVE_ELEMENTS = frozenset(
    {"event-listeners", "event-listener", "dde-source", "dde-connection-decl"}
)


#: Fields of Word that start a program (Dynamic Data Exchange). A field may be cut into several pieces.
_STARTS_PROGRAM = re.compile(r"\bDDE(?:AUTO)?\b", re.IGNORECASE)
_FIELD_LETTERS = 10_000

#: Parts of Word that hold fields: the document, headers, footers and notes.
_WORDS = re.compile(r"word/[a-z]+\d*\.xml", re.IGNORECASE)


class _Types(Reader):
    """Reads content types and relations."""

    def __init__(self) -> None:
        super().__init__()
        self.is_active = False

    def opened(self, name: str, attributes: Attributes) -> None:
        kind = attributes.get("Type", "")
        outside = attributes.get("TargetMode", "") == "External" and not kind.endswith(_LINK)
        named = f"{kind} {attributes.get('ContentType', '')}"
        self.is_active |= outside or bool(_ACTIVE_TYPE.search(named)) or name in _ACTIVE_ELEMENTS


class _Fields(Reader):
    """Reads the instructions of fields."""

    def __init__(self) -> None:
        super().__init__()
        self.is_active = False
        self._is_inside = False
        self._letters = ""

    def opened(self, name: str, attributes: Attributes) -> None:
        self._is_inside = name == "instrText"
        if name == "fldChar" and attributes.get("fldCharType") == "begin":
            self._letters = ""
        self.is_active |= bool(_STARTS_PROGRAM.search(attributes.get("instr", "")))

    def closed(self, name: str) -> None:
        del name
        self._is_inside = False

    def text(self, text: str) -> None:
        if self._is_inside:
            self._letters = (self._letters + text)[-_FIELD_LETTERS:]
            self.is_active |= bool(_STARTS_PROGRAM.search(self._letters))


def active(request: JobRequest) -> dict[str, Any]:
    """Say whether a document holds anything that a program could run."""
    (source,) = request.files
    content = mmap.mmap(source, request.message["bytes"], access=mmap.ACCESS_READ)
    return {"active": is_active(Package(content))}


def is_active(package: Package) -> bool:
    if any(_ACTIVE_NAME.search(name) for name in package.names):
        return True
    types, fields = _Types(), _Fields()
    for name in package.names:
        if name.endswith(".rels") or name in {"[Content_Types].xml", "content.xml", "styles.xml"}:
            read_part(package, name, types)
        elif _WORDS.fullmatch(name):
            read_part(package, name, fields)
    return types.is_active or fields.is_active
