"""The header Range: one range of bytes is answered with 206, everything else with the whole file (RFC 9110, 14.2)."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import hdrs, web

#: One range, perhaps among empty elements of the list (RFC 9110, 5.6.1).
_ONE_RANGE = re.compile(
    r"bytes=[\s,]*(?P<range>[0-9]{1,18}-[0-9]{0,18}|-[0-9]{1,18})[\s,]*", re.IGNORECASE
)


def single_range(request: web.BaseRequest) -> str | None:
    """Return the range that a request asks for, as `bytes=0-9`; None if the whole file is to be sent.

    A server may ignore several ranges, which no browser sends for pictures and videos; it must ignore unknown units
    and ranges in other requests than GET.
    """
    asked = request.headers.getall(hdrs.RANGE, [])
    found = _ONE_RANGE.fullmatch(asked[0].strip()) if len(asked) == 1 else None
    if found is None or request.method != hdrs.METH_GET:
        return None
    first, _, last = found["range"].partition("-")
    if first and last and int(last) < int(first):
        return None  # invalid, not merely beyond the end
    return f"bytes={first}-{last}"


def with_single_range(request: web.BaseRequest) -> web.BaseRequest:
    """Return the request with the header Range as `single_range` reads it."""
    if hdrs.RANGE not in request.headers:
        return request
    headers = request.headers.copy()
    wanted = single_range(request)
    headers.popall(hdrs.RANGE)
    if wanted is not None:
        headers[hdrs.RANGE] = wanted
    return request.clone(headers=headers)


class RangedFile(web.FileResponse):
    """A file of which a single range may be requested.

    aiohttp itself answers 416 to several, and does not compare an entity tag in If-Range with the file's.
    """

    def __init__(self, path: Path, headers: Mapping[str, str]) -> None:
        super().__init__(path, headers=headers)
        self._file = path

    async def prepare(self, request: web.BaseRequest) -> Any:
        condition = request.headers.get(hdrs.IF_RANGE, "")
        if '"' in condition and condition.strip() != self._entity_tag():
            return await super().prepare(_without_range(request))
        return await super().prepare(with_single_range(request))

    def _entity_tag(self) -> str | None:
        """The tag that aiohttp gives the file."""
        try:
            status = self._file.stat()
        except OSError:
            return None
        return f'"{status.st_mtime_ns:x}-{status.st_size:x}"'


def _without_range(request: web.BaseRequest) -> web.BaseRequest:
    headers = request.headers.copy()
    headers.popall(hdrs.RANGE, None)
    return request.clone(headers=headers)
