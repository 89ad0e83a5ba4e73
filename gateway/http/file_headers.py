"""The headers and the name with which a rendition is served."""

from typing import Any

from gateway.journal import AttachmentRow
from gateway.media.suffixes import SUFFIXES
from normalizer.file_type import ORIGINAL_ENDINGS
from normalizer.media import OTHER_TEXT

#: Renditions that a browser saves instead of opening them: its own viewers are not ours to vouch for.
_SAVED = frozenset({"document", "text", "original"})


def download_name(row: AttachmentRow, rendition: str, view: dict[str, Any]) -> str:
    """Return a file name of our own: the customer's may contain anything."""
    suffix = SUFFIXES[view["media_type"]]
    if rendition == "original":
        suffix = ORIGINAL_ENDINGS.get(row.view.get("source", {}).get("media_type"), suffix)
    return f"{row.kind}-{row.id.removeprefix('att_')[:12]}-{rendition}.{suffix}"


def file_headers(rendition: str, media_type: str, name: str) -> dict[str, str]:
    """Return headers that let a browser display the file, or save a document, and do nothing else with it."""
    is_saved = rendition in _SAVED or rendition.startswith(OTHER_TEXT)
    disposition = "attachment" if is_saved else "inline"
    return {
        "content-type": media_type,
        "content-disposition": f'{disposition}; filename="{name}"',
        "cache-control": "private, no-cache",
        "content-security-policy": "default-src 'none'; sandbox",
        "cross-origin-resource-policy": "cross-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
