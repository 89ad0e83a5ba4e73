"""What is served beside the named renditions: `page-1` and so on, slices of the stored PDF, and `text-cp1250`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from normalizer.media import OTHER_TEXT
from normalizer.renditions.pdf_file import picture_of_page

from .ranges import with_single_range

_PAGE = "page-"
PAGE_TYPE = "image/jpeg"


def page_names(view: Mapping[str, Any]) -> list[str]:
    """Return the names under which the pages of an attachment are served."""
    pages = view.get("pages", 0) if "document" in view["renditions"] else 0
    return [f"{_PAGE}{number}" for number in range(1, pages + 1)]


def other_texts(view: Mapping[str, Any]) -> list[str]:
    """Return the names under which the text of an attachment is served in other charsets than the guessed one."""
    charsets = view.get("charsets", []) if "text" in view["renditions"] else []
    return [f"{OTHER_TEXT}{charset}" for charset in charsets[1:]]


def described_by(name: str, view: Mapping[str, Any]) -> str:
    """Return the rendition of the event that a name belongs to: pages are parts of the document."""
    if name in page_names(view):
        return "document"
    return "text" if name in other_texts(view) else name


def read_page(path: Path, name: str) -> bytes:
    """Return the picture of a page. Raise OSError or ValueError if the file does not hold it."""
    with path.open("rb") as file:
        content = picture_of_page(file, int(name.removeprefix(_PAGE)))
    if content is None:
        raise ValueError("the file has fewer pages")
    return content


def page_response(request: web.Request, content: bytes, headers: dict[str, str]) -> web.Response:
    """Answer conditional requests and requests for a range."""
    headers["accept-ranges"] = "bytes"
    known = request.headers.get("if-none-match", "")
    if headers["etag"] in [tag.strip().removeprefix("W/") for tag in known.split(",")]:
        return web.Response(status=304, headers=headers)
    if request.headers.get("if-range", headers["etag"]) != headers["etag"]:
        return web.Response(body=content, headers=headers)
    try:
        wanted = with_single_range(request).http_range
    except ValueError:
        wanted = slice(None, None, 1)
    if (wanted.start, wanted.stop) == (None, None):
        return web.Response(body=content, headers=headers)
    start, end, _ = wanted.indices(len(content))
    if start >= end:
        headers["content-range"] = f"bytes */{len(content)}"
        return web.Response(status=416, headers=headers)
    headers["content-range"] = f"bytes {start}-{end - 1}/{len(content)}"
    return web.Response(status=206, body=content[start:end], headers=headers)
