"""Charsets: those that the bytes of a text prove, by a mark at the start or as UTF-8, and those that are guessed."""

import codecs

#: UTF-32 comes first: its mark begins like that of UTF-16.
_BYTE_ORDER_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

#: What programs on desktops and phones still write. Fewer candidates are guessed right more often.
GUESSED: tuple[str, ...] = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949", "koi8_r", "mac_roman"),
)


def charset_of(start: bytes, *, is_whole: bool) -> str | None:
    """Return the charset that a text states or proves; None if it can only be guessed."""
    for mark, charset in _BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return charset
    return "utf-8" if _is_utf8(start, is_whole=is_whole) else None


def _is_utf8(start: bytes, *, is_whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start, final=is_whole)
    except UnicodeDecodeError:
        return False
    return True
