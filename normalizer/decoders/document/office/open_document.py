"""ODT, ODS, ODP: the text of the body (OpenDocument 1.3, part 3). Hidden sheets, rows and texts are left out."""

from normalizer.decoders.document.words import Words
from normalizer.media import MediaRejected

from .package import Package
from .xml import Attributes, Reader, read_part

_BODY = "content.xml"

#: Repetitions of a cell or row beyond these are not shown: sheets are filled up to their end with empty ones.
_MAX_REPEATED_CELLS, _MAX_SPACES = 50, 100

#: Elements that are not shown where they are written, and say something.
_ASIDE = frozenset({"notes", "annotation", "tracked-changes", "hidden-text", "hidden-paragraph"})
#: Elements without text of the document.
_NOT_TEXT = frozenset({"forms", "event-listeners", "settings", "desc", "title", "binary-data"})


class _Manifest(Reader):
    def __init__(self) -> None:
        super().__init__()
        self.is_encrypted = False

    def opened(self, name: str, attributes: Attributes) -> None:
        del attributes
        self.is_encrypted |= name == "encryption-data"


class _HiddenStyles(Reader):
    """Collects styles that hide a text, a sheet or a slide; they precede the body."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden_styles: set[str] = set()
        self._style = ""

    def opened(self, name: str, attributes: Attributes) -> None:
        if name == "style":
            self._style = attributes.get("name", "")
        hides = (
            (name == "text-properties" and attributes.get("display") == "none")
            or (name == "table-properties" and attributes.get("display") == "false")
            or (name == "drawing-page-properties" and attributes.get("visibility") == "hidden")
        )
        if hides:
            self.hidden_styles.add(self._style)


class _Body(_HiddenStyles):
    def __init__(self, words: Words, hidden_styles: set[str]) -> None:
        super().__init__()
        self.hidden_styles |= hidden_styles
        self._words = words
        self._in_body = False
        self._paragraphs = self._cells = 0
        self._gap = 0

    def skips(self, name: str, attributes: Attributes) -> bool:
        hidden = name in _ASIDE or (
            self._in_body
            and (
                attributes.get("style-name") in self.hidden_styles
                or (name == "table-row" and attributes.get("visibility") in {"collapse", "filter"})
            )
        )
        self._words.differs |= hidden
        return hidden or name in _NOT_TEXT

    def opened(self, name: str, attributes: Attributes) -> None:
        super().opened(name, attributes)
        match name:
            case "body":
                self._in_body = True
            case "p" | "h":
                self._paragraphs += 1
            case "tab":
                self._words.add("\t")
            case "line-break":
                self._words.add("\n")
            case "s" if self._paragraphs:
                self._words.add(" " * min(_MAX_SPACES, _count(attributes, "c")))
            case "table" if "name" in attributes and not self._cells:
                self._words.add(f"{attributes['name']}\n")
            case "table-cell" | "covered-table-cell":
                self._cells += 1
                self._gap = min(_MAX_REPEATED_CELLS, _count(attributes, "number-columns-repeated"))

    def closed(self, name: str) -> None:
        match name:
            case "p" | "h":
                self._paragraphs -= 1
                self._words.add(" " if self._cells else "\n")
            case "table-cell" | "covered-table-cell":
                self._cells -= 1
                for _ in range(self._gap):
                    self._words.end_cell()
            case "table-row":
                self._words.end_line()
            case "page":
                self._words.add("\n")

    def text(self, text: str) -> None:
        if self._paragraphs:
            self._words.add(text)


def read_open_document(package: Package, words: Words) -> None:
    manifest, styles = _Manifest(), _HiddenStyles()
    read_part(package, "META-INF/manifest.xml", manifest)
    if manifest.is_encrypted:
        raise MediaRejected("protected", "the document needs a password")
    if _BODY not in package:
        raise MediaRejected("corrupt", "the document has no body")
    read_part(package, "styles.xml", styles)
    read_part(package, _BODY, _Body(words, styles.hidden_styles))


def _count(attributes: Attributes, name: str) -> int:
    value = attributes.get(name, "1")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 1
