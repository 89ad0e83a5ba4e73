"""The files of the page, read and compressed once: the first view is light only if it travels compressed.

Scripts are served without their comments, which are a quarter of their weight. Lines keep their numbers.
"""

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from aiohttp import web

from .problems import not_found
from .views import STATIC


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as browsers get it."""

    content: bytes
    compressed: bytes
    etag: str
    media_type: str

    def response(
        self, request: web.Request, headers: Mapping[str, str] | None = None
    ) -> web.Response:
        own = {
            "ETag": self.etag,
            "Vary": "Accept-Encoding",
            "Content-Type": self.media_type,
            **(headers or {}),
        }
        if request.headers.get("If-None-Match") == self.etag:
            return web.Response(status=304, headers=own)
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=self.compressed, headers={**own, "Content-Encoding": "gzip"})
        return web.Response(body=self.content, headers=own)


async def serve(request: web.Request) -> web.Response:
    """Serve `/static/{name}`."""
    return static_file(request.match_info["name"]).response(request)


def static_file(name: str) -> StaticFile:
    """Return a file of the page; raises Problem 404 for any other name."""
    found = _files().get(name)
    if found is None:
        not_found("file")
    return found


@cache
def _files() -> dict[str, StaticFile]:
    # Names are looked up here, never on the disk.
    return {
        path.relative_to(STATIC).as_posix(): prepare(path.read_bytes(), path.suffix)
        for path in sorted(STATIC.rglob("*"))
        if path.is_file() and path.suffix in _TYPES
    }


def prepare(content: bytes, suffix: str) -> StaticFile:
    """Compress a file's content; the suffix gives its type."""
    if suffix == ".js":
        content = _COMMENT.sub(lambda found: b"\n" * found[0].count(b"\n"), content)
    digest = hashlib.sha256(content).hexdigest()[:32]
    return StaticFile(content, gzip.compress(content, mtime=0), f'"{digest}"', _TYPES[suffix])


#: A comment that is a line of its own, or a block for the type checker.
_COMMENT = re.compile(rb"^[ \t]*//[^\n]*|/\*\*.*?\*/ ?", re.MULTILINE | re.DOTALL)

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
