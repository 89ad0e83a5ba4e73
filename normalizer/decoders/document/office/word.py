"""DOCX: the text of the body, then of notes, headers and footers (ECMA-376, part 1, 17)."""

import re

from normalizer.decoders.document.words import Words
from normalizer.media import MediaRejected

from .package import Package
from .xml import Attributes, Reader, read_part

_BODY = "word/document.xml"
_MORE = re.compile(r"word/(footnotes|endnotes|header\d*|footer\d*)\.xml")
#: Shown at the margin or not at all.
_COMMENTS = "word/comments.xml"

_OFF = frozenset({"0", "false", "off", "none"})

_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}


def _is_on(attributes: Attributes) -> bool:
    return attributes.get("val", "true") not in _OFF


class _Styles(Reader):
    """Collects the styles whose text is hidden."""

    def __init__(self) -> None:
        super().__init__()
        self._style = ""
        self.hidden: set[str] = set()

    def opened(self, name: str, attributes: Attributes) -> None:
        if name == "style":
            self._style = attributes.get("styleId", "")
        elif name == "vanish" and _is_on(attributes):
            self.hidden.add(self._style)


class _Body(Reader):
    def __init__(self, words: Words, hidden_styles: set[str]) -> None:
        super().__init__()
        self._words, self._hidden_styles = words, hidden_styles
        #: Whether each run that is open, one inside the other, is hidden.
        self._runs: list[bool] = []
        self._is_text = self._is_hidden_paragraph = False
        self._cells = 0

    def skips(self, name: str, attributes: Attributes) -> bool:
        del attributes
        if name in {"del", "moveFrom"}:
            self._words.differs = True
        # A fallback repeats the text of the choice before it.
        return name in {"Fallback", "del", "moveFrom", "sectPr"}

    def opened(self, name: str, attributes: Attributes) -> None:
        match name:
            case "p":
                self._is_hidden_paragraph = False
            case "pStyle":
                self._is_hidden_paragraph = attributes.get("val") in self._hidden_styles
            case "r":
                self._runs.append(self._is_hidden_paragraph)
            case "rStyle" if self._runs:
                self._runs[-1] |= attributes.get("val") in self._hidden_styles
            case "vanish" | "webHidden" if self._runs:
                self._runs[-1] = _is_on(attributes)
            case "tc":
                self._cells += 1
            case "t":
                self._is_text = True
            case _ if name in _BREAKS and self._runs:
                self._add(_BREAKS[name])

    def closed(self, name: str) -> None:
        match name:
            case "r" if self._runs:
                self._runs.pop()
            case "t":
                self._is_text = False
            case "p":
                self._words.add(" " if self._cells else "\n")
            case "tc":
                self._cells -= 1
                self._words.end_cell()
            case "tr":
                self._words.end_line()

    def text(self, text: str) -> None:
        if self._is_text:
            self._add(text)

    def _add(self, text: str) -> None:
        if any(self._runs):
            self._words.differs = True
        else:
            self._words.add(text)


def read_word(package: Package, words: Words) -> None:
    if _BODY not in package:
        raise MediaRejected("unsupported_type", "the document has no body that can be read")
    styles = _Styles()
    read_part(package, "word/styles.xml", styles)
    words.differs |= _COMMENTS in package
    for part in (_BODY, *sorted(filter(_MORE.fullmatch, package.names))):
        read_part(package, part, _Body(words, styles.hidden))
