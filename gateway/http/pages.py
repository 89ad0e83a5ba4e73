"""What is served beside the named renditions: `page-1` and so on, slices of the stored PDF, and `text-cp1250`."""

from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from aiohttp import web

from normalizer.media import OTHER_TEXT
from normalizer.renditions.pdf_file import picture_of_page

from .conditional import File, select

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


def read_page(open_document: Callable[[], BinaryIO], name: str) -> bytes:
    """Return the picture of a page. Raise OSError or ValueError if the file does not hold it."""
    with open_document() as file:
        content = picture_of_page(file, int(name.removeprefix(_PAGE)))
    if content is None:
        raise ValueError("the file has fewer pages")
    return content


def page_response(request: web.Request, content: bytes, headers: dict[str, str]) -> web.Response:
    """Answer conditional requests and requests for a range."""
    selected = select(request, File(len(content), headers["etag"]))
    body = content[selected.start : selected.end] if selected.is_sent else b""
    return web.Response(status=selected.status, body=body, headers={**headers, **selected.headers})
