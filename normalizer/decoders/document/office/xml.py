"""XML as a stream of elements by their local names, without entities, document types or anything outside the part."""

from collections.abc import Iterable, Mapping
from typing import Any, Never
from xml.parsers import expat

from normalizer.media import MediaRejected

from .package import Package

Attributes = Mapping[str, str]

#: Deeper than any document, and shallow enough for readers that keep a state for each level.
_MAX_DEPTH = 400


class Reader:
    """Receives the elements of a part. What is inside a `skips` element is left out."""

    def __init__(self) -> None:
        self.depth = 0
        self._skipped_from: int | None = None

    def skips(self, name: str, attributes: Attributes) -> bool:
        """Whether an element and all that it contains is left out."""
        del name, attributes
        return False

    def opened(self, name: str, attributes: Attributes) -> None:
        """An element begins."""

    def closed(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """Letters between two tags."""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise MediaRejected("corrupt", "the document is nested too deeply")
        if self._skipped_from is not None:
            return
        local = _local(name)
        plain = {_attribute(key): value for key, value in attributes.items()}
        if self.skips(local, plain):
            self._skipped_from = self.depth
        else:
            self.opened(local, plain)

    def _end(self, name: str) -> None:
        if self._skipped_from is None:
            self.closed(_local(name))
        elif self._skipped_from == self.depth:
            self._skipped_from = None
        self.depth -= 1

    def _text(self, text: str) -> None:
        if self._skipped_from is None:
            self.text(text)


def read_part(package: Package, name: str, reader: Reader) -> None:
    """Pass a part to a reader. A part that is missing is empty."""
    if name in package:
        read_xml(package.pieces(name), reader)


def read_xml(pieces: Iterable[bytes], reader: Reader) -> None:
    """Pass XML to a reader. Raise MediaRejected for damage, document types and entities."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartElementHandler = reader._start  # noqa: SLF001  # the other half of this module
    parser.EndElementHandler = reader._end  # noqa: SLF001
    parser.CharacterDataHandler = reader._text  # noqa: SLF001
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as exc:
        raise MediaRejected("corrupt", f"a part is not XML: error {exc.code}") from None


def _refuse(*_: Any) -> Never:
    raise MediaRejected("corrupt", "a part has a document type, which office programs never write")


def _attribute(name: str) -> str:
    """Return the local name, and for relations, which share it with other ids, the usual prefix before it."""
    return ("r:" if "relationships " in name else "") + _local(name)


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
