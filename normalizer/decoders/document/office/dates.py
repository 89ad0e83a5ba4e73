"""Dates in cells: numbers of days that only their format shows as dates (ECMA-376, part 1, 18.8.30)."""

import re
from datetime import datetime, timedelta

from .xml import Attributes, Reader

#: Formats that need no definition and show a date or a time.
_BUILT_IN = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})

#: Letters of a date format, outside of literals, conditions and colours.
_LITERALS = re.compile(r'"[^"]*"|\\.|\[(?!h|m|s)[^\]]*\]|_.|\*.', re.IGNORECASE)
_LETTERS = re.compile(r"[ymdhs]", re.IGNORECASE)

#: Excel takes 1900 for a leap year, so that day 60 does not exist, and later days count from one day earlier.
_FIRST_1900, _FIRST_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001  # cells have no zone
_MOST_DAYS = 2_958_465  # the end of the year 9999


class DateStyles(Reader):
    """Collects which styles of cells show dates."""

    def __init__(self) -> None:
        super().__init__()
        self._formats: dict[str, bool] = {}
        self._styles: list[bool] = []
        self._in_cells = False

    def is_date(self, style: int) -> bool:
        return style < len(self._styles) and self._styles[style]

    def opened(self, name: str, attributes: Attributes) -> None:
        if name == "numFmt":
            code = _LITERALS.sub("", attributes.get("formatCode", "")[:255])
            self._formats[attributes.get("numFmtId", "")] = bool(_LETTERS.search(code))
        elif name == "cellXfs":
            self._in_cells = True
        elif name == "xf" and self._in_cells:
            id = attributes.get("numFmtId", "")
            built_in = id.isascii() and id.isdigit() and len(id) < 4 and int(id) in _BUILT_IN
            self._styles.append(self._formats.get(id, built_in))

    def closed(self, name: str) -> None:
        if name == "cellXfs":
            self._in_cells = False


def as_date(value: str, *, from_1904: bool) -> str:
    """Return the date of a cell as ISO 8601; a value that is not a date as it is."""
    try:
        days = float(value)
    except ValueError:
        return value
    if not 0 <= days <= _MOST_DAYS - 1462:
        return value
    moment = (_FIRST_1904 if from_1904 else _FIRST_1900) + timedelta(seconds=round(days * 86_400))
    if days < 1:
        return moment.strftime("%H:%M:%S")
    return moment.strftime("%Y-%m-%d" if days == int(days) else "%Y-%m-%d %H:%M:%S")
