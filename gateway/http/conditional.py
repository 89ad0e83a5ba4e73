"""What of a stored file a request gets: all of it, a range, or only a status (RFC 9110, 13.2.2 and 14.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime

from aiohttp import hdrs, web

from .ranges import single_range


@dataclass(frozen=True, slots=True)
class File:
    """A stored file. `tag` is its entity tag with quotes; `modified` is None if that is unknown."""

    size: int
    tag: str
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """The answer's status, and the bytes from `start` to before `end` for 200 and 206."""

    status: int
    start: int
    end: int
    headers: Mapping[str, str]

    @property
    def is_sent(self) -> bool:
        return self.status in {200, 206}


def select(request: web.BaseRequest, file: File) -> Selection:
    """Choose the answer. Dates that cannot be read are ignored."""
    headers = {"accept-ranges": "bytes", "etag": file.tag}
    if file.modified is not None:
        headers["last-modified"] = format_datetime(file.modified, usegmt=True)
    status = _failed_condition(request, file)
    if status is not None:
        return Selection(status, 0, 0, headers)
    wanted = single_range(request) if _wants_range(request, file) else None
    if wanted is None:
        return Selection(200, 0, file.size, headers)
    start, end = _span(wanted, file.size)
    if start >= end:
        return Selection(416, 0, 0, {**headers, "content-range": f"bytes */{file.size}"})
    shown = f"bytes {start}-{end - 1}/{file.size}"
    return Selection(206, start, end, {**headers, "content-range": shown})


def _failed_condition(request: web.BaseRequest, file: File) -> int | None:
    matching = request.headers.get(hdrs.IF_MATCH)
    if matching is not None:
        if not _names(matching, file.tag, weakly=False):
            return 412
    elif _since(request, hdrs.IF_UNMODIFIED_SINCE, file) is False:
        return 412
    known = request.headers.get(hdrs.IF_NONE_MATCH)
    if known is not None:
        return 304 if _names(known, file.tag, weakly=True) else None
    return 304 if _since(request, hdrs.IF_MODIFIED_SINCE, file) else None


def _since(request: web.BaseRequest, header: str, file: File) -> bool | None:
    """Whether the file is unchanged since the date in a header; None if that cannot be said."""
    date = _date(request.headers.get(header, ""))
    if date is None or file.modified is None:
        return None
    return file.modified.replace(microsecond=0) <= date


def _wants_range(request: web.BaseRequest, file: File) -> bool:
    condition = request.headers.get(hdrs.IF_RANGE, "").strip()
    if not condition or condition == file.tag:
        return True
    return '"' not in condition and _since(request, hdrs.IF_RANGE, file) is True


def _names(header: str, tag: str, *, weakly: bool) -> bool:
    tags = [each.strip() for each in header.split(",")]
    if weakly:
        tags = [each.removeprefix("W/") for each in tags]
    return "*" in tags or tag in tags


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo is not None else None


def _span(wanted: str, size: int) -> tuple[int, int]:
    """Return start and end of `bytes=0-9`, `bytes=5-` or `bytes=-5`."""
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    if not first:
        return max(0, size - int(last)), size if int(last) else 0
    return int(first), min(int(last) + 1, size) if last else size
