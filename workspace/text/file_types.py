"""Words for the type and the size of a file, as the gateway found them in its bytes."""

from collections.abc import Mapping
from typing import Any

from .language import say
from .safe_text import clean_name
from .wording import format_size

#: The words for files, by the media type that the gateway found in their bytes: a key, or a name in every language.
_TYPES: Mapping[str, str] = {
    "application/pdf": "PDF",
    "application/zip": "type.zip",
    "application/x-7z-compressed": "type.7z",
    "application/vnd.rar": "type.rar",
    "application/gzip": "type.gzip",
    "application/msword": "type.word",
    "application/vnd.ms-excel": "type.excel",
    "application/vnd.ms-powerpoint": "type.powerpoint",
    "application/x-ole-storage": "type.office",
    "application/rtf": "type.rich_text",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "type.word",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "type.excel",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "type.powerpoint",
    "application/vnd.oasis.opendocument.text": "type.odt",
    "application/vnd.oasis.opendocument.spreadsheet": "type.ods",
    "application/vnd.oasis.opendocument.presentation": "type.odp",
    "application/json": "JSON",
    "application/xml": "XML",
    "application/x-msdownload": "type.windows_program",
    "application/x-executable": "type.program",
    "application/was": "type.animated_sticker",
    "application/x-archive": "type.archive",
    "application/x-shortcut": "type.shortcut",
    "application/x-disk-image": "type.disk_image",
    "application/x-active-document": "type.active_document",
    "application/x-encrypted": "type.encrypted",
    "text/plain": "type.text",
    "text/csv": "type.table",
    "text/xml": "XML",
    "text/x-script": "type.script",
    "text/html": "type.web_page",
    "text/rtf": "type.rich_text",
    "text/calendar": "type.calendar",
    "text/vcard": "type.contact_card",
    "image/svg+xml": "type.svg",
}

#: For other types, the first part of the media type decides.
_FAMILIES = frozenset({"image", "video", "audio"})


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
        return say("type.unknown")
    bare = media_type.partition(";")[0].strip().lower()
    family, _, subtype = bare.partition("/")
    if bare in _TYPES:
        return say(_TYPES[bare])
    if family not in _FAMILIES:
        return clean_name(bare) or say("type.unknown")
    format_name = clean_name(subtype.removeprefix("x-").upper()) or ""
    return say(f"type.{family}", format=format_name).strip()
