"""Words for the type and the size of a file, as the gateway found them in its bytes."""

from collections.abc import Mapping
from typing import Any

from .safe_text import clean_name
from .wording import format_size

#: What files are called, by the media type that the gateway found in their bytes.
_TYPES: Mapping[str, str] = {
    "application/pdf": "PDF",
    "application/zip": "ZIP archive",
    "application/x-7z-compressed": "7z archive",
    "application/vnd.rar": "RAR archive",
    "application/gzip": "gzip archive",
    "application/msword": "Word document",
    "application/vnd.ms-excel": "Excel workbook",
    "application/vnd.ms-powerpoint": "PowerPoint presentation",
    "application/x-ole-storage": "older Office document",
    "application/rtf": "rich text",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel workbook",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "PowerPoint presentation",
    "application/vnd.oasis.opendocument.text": "OpenDocument text",
    "application/vnd.oasis.opendocument.spreadsheet": "OpenDocument spreadsheet",
    "application/vnd.oasis.opendocument.presentation": "OpenDocument presentation",
    "application/json": "JSON",
    "application/xml": "XML",
    "application/x-msdownload": "Windows program",
    "application/x-executable": "program",
    "application/was": "animated sticker",
    "application/x-archive": "archive",
    "application/x-shortcut": "shortcut",
    "application/x-disk-image": "disk image",
    "application/x-active-document": "document with programs",
    "application/x-encrypted": "encrypted file",
    "text/plain": "text",
    "text/csv": "table (CSV)",
    "text/xml": "XML",
    "text/x-script": "script",
    "text/html": "web page",
    "text/rtf": "rich text",
    "text/calendar": "calendar",
    "text/vcard": "contact card",
    "image/svg+xml": "SVG drawing",
}

#: For other types, the first part of the media type decides.
_FAMILIES: Mapping[str, str] = {"image": "image", "video": "video", "audio": "audio"}


def describe_file(attachment: Mapping[str, Any]) -> str | None:
    """Describe the file that the customer sent: its type and its size, as far as they are known."""
    source = attachment.get("source")
    if not isinstance(source, Mapping):
        return None
    size = source.get("bytes")
    words = format_size(size) if isinstance(size, int | float) and 0 <= size < 1e15 else None
    parts = (_type(source.get("media_type")), words)
    return " · ".join(part for part in parts if part) or None


def _type(media_type: object) -> str:
    if not isinstance(media_type, str):
        return "unknown type"
    bare = media_type.partition(";")[0].strip().lower()
    family, _, subtype = bare.partition("/")
    if bare in _TYPES or family not in _FAMILIES:
        return _TYPES.get(bare) or clean_name(bare) or "unknown type"
    return clean_name(f"{subtype.removeprefix('x-').upper()} {_FAMILIES[family]}") or family
