"""XLSX: the cells of each visible sheet, a row a line (ECMA-376, part 1, 18)."""

import re

from normalizer.decoders.document.words import Words
from normalizer.media import MediaRejected

from .dates import DateStyles, as_date
from .package import Package
from .relations import relations_of
from .xml import Attributes, Reader, read_part

_WORKBOOK = "xl/workbook.xml"
_TRUE = frozenset({"1", "true"})
_COLUMN = re.compile(r"[A-Z]{1,3}")

#: More empty cells in a row are not shown as tabs.
_MAX_GAP = 50


class _Workbook(Reader):
    def __init__(self) -> None:
        super().__init__()
        #: Name, relation and whether it is shown, of each sheet.
        self.sheets: list[tuple[str, str, bool]] = []
        self.from_1904 = False

    def opened(self, name: str, attributes: Attributes) -> None:
        if name == "sheet":
            shown = attributes.get("state", "visible") == "visible"
            self.sheets.append((attributes.get("name", ""), attributes.get("r:id", ""), shown))
        elif name == "workbookPr":
            self.from_1904 = attributes.get("date1904") in _TRUE


class _Strings(Reader):
    """Collects the strings that cells share. Phonetic guides of Japanese are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.strings: list[str] = []
        self._parts: list[str] = []
        self._is_text = False

    def skips(self, name: str, attributes: Attributes) -> bool:
        del attributes
        return name == "rPh"

    def opened(self, name: str, attributes: Attributes) -> None:
        del attributes
        self._is_text = name == "t"

    def closed(self, name: str) -> None:
        self._is_text = False
        if name == "si":
            self.strings.append("".join(self._parts))
            self._parts.clear()

    def text(self, text: str) -> None:
        if self._is_text:
            self._parts.append(text)


class _Sheet(Reader):
    def __init__(
        self, words: Words, strings: list[str], dates: DateStyles, *, from_1904: bool
    ) -> None:
        super().__init__()
        self._words, self._strings, self._dates, self._from_1904 = words, strings, dates, from_1904
        self._hidden: list[tuple[int, int]] = []
        self._column, self._written, self._type, self._style = 0, 0, "n", 0
        self._value: list[str] = []
        self._is_value = False

    def skips(self, name: str, attributes: Attributes) -> bool:
        if name == "row" and attributes.get("hidden") in _TRUE:
            self._words.differs = True
            return True
        return name in {"rPh", "extLst"}

    def opened(self, name: str, attributes: Attributes) -> None:
        match name:
            case "col" if attributes.get("hidden") in _TRUE:
                self._hidden.append((_number(attributes, "min"), _number(attributes, "max")))
            case "row":
                self._column = self._written = 0
            case "c":
                self._column = _column_of(attributes.get("r", "")) or self._column + 1
                self._type = attributes.get("t", "n")
                self._style = _number(attributes, "s")
                self._value.clear()
            case "v" | "t":
                self._is_value = True

    def closed(self, name: str) -> None:
        self._is_value = False
        if name == "c" and self._value:
            self._add_cell("".join(self._value))
        elif name == "row":
            self._words.end_line()

    def text(self, text: str) -> None:
        if self._is_value:
            self._value.append(text)

    def _add_cell(self, value: str) -> None:
        if any(first <= self._column <= last for first, last in self._hidden):
            self._words.differs = True
            return
        for _ in range(min(_MAX_GAP, self._column - max(1, self._written))):
            self._words.end_cell()
        self._written = self._column
        self._words.add(self._shown(value))

    def _shown(self, value: str) -> str:
        match self._type:
            case "s":
                at = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else -1
                return self._strings[at] if 0 <= at < len(self._strings) else ""
            case "b":
                return "TRUE" if value == "1" else "FALSE"
            case "n" if self._dates.is_date(self._style):
                return as_date(value, from_1904=self._from_1904)
            case _:
                return value


def read_sheets(package: Package, words: Words) -> None:
    if _WORKBOOK not in package:
        raise MediaRejected("unsupported_type", "the workbook is not stored as XML")
    workbook, strings, dates = _Workbook(), _Strings(), DateStyles()
    read_part(package, _WORKBOOK, workbook)
    read_part(package, "xl/sharedStrings.xml", strings)
    read_part(package, "xl/styles.xml", dates)
    parts = relations_of(package, _WORKBOOK)
    words.differs |= any(name.startswith("xl/comments") for name in package.names)
    for title, relation, shown in workbook.sheets:
        if not shown:
            words.differs = True
            continue
        words.add(f"{title}\n")
        sheet = _Sheet(words, strings.strings, dates, from_1904=workbook.from_1904)
        read_part(package, parts.get(relation, ""), sheet)
        words.add("\n")


def _number(attributes: Attributes, name: str) -> int:
    value = attributes.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def _column_of(reference: str) -> int:
    """Return the number of a column by its letters: 1 for A, 28 for AB."""
    letters = _COLUMN.match(reference)
    number = 0
    for letter in letters[0] if letters else "":
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
