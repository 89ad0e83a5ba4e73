"""PPTX: the text of each slide in order (ECMA-376, part 1, 19). Speakers' notes are left out."""

from normalizer.decoders.document.words import Words
from normalizer.media import MediaRejected

from .package import Package
from .relations import relations_of
from .xml import Attributes, Reader, read_part

_PRESENTATION = "ppt/presentation.xml"
_OFF = frozenset({"0", "false"})


class _Presentation(Reader):
    def __init__(self) -> None:
        super().__init__()
        self.slides: list[str] = []

    def opened(self, name: str, attributes: Attributes) -> None:
        if name == "sldId":
            self.slides.append(attributes.get("r:id", ""))


class _Slide(Reader):
    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words
        self._is_text = False
        self._cells = 0

    def skips(self, name: str, attributes: Attributes) -> bool:
        if name == "sld" and attributes.get("show") in _OFF:
            self._words.differs = True
            return True
        return name in {"Fallback", "extLst"}

    def opened(self, name: str, attributes: Attributes) -> None:
        del attributes
        match name:
            case "t":
                self._is_text = True
            case "br":
                self._words.add("\n")
            case "tc":
                self._cells += 1

    def closed(self, name: str) -> None:
        match name:
            case "t":
                self._is_text = False
            case "p":
                self._words.add(" " if self._cells else "\n")
            case "tc":
                self._cells -= 1
                self._words.end_cell()
            case "tr":
                self._words.end_line()
            case "sld":
                self._words.add("\n")

    def text(self, text: str) -> None:
        if self._is_text:
            self._words.add(text)


def read_slides(package: Package, words: Words) -> None:
    if _PRESENTATION not in package:
        raise MediaRejected("unsupported_type", "the presentation has no slides that can be read")
    presentation = _Presentation()
    read_part(package, _PRESENTATION, presentation)
    parts = relations_of(package, _PRESENTATION)
    words.differs |= any(
        name.startswith(("ppt/notesSlides/notesSlide", "ppt/comments/")) for name in package.names
    )
    for relation in presentation.slides:
        read_part(package, parts.get(relation, ""), _Slide(words))
