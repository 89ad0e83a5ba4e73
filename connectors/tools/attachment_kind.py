"""The kind of an attachment, from the type and name that the sender claims. Only the sanitizer checks the file."""

from collections.abc import Mapping

from normalizer.events import Kind

#: Types whose family (the part before the slash) is misleading.
_TYPES: Mapping[str, Kind] = {
    "text/vcard": "contact",
    "text/x-vcard": "contact",
    "text/x-vlocation": "location",
    "image/svg+xml": "document",
}

_FAMILIES: Mapping[str, Kind] = {"image": "photo", "video": "video", "audio": "audio"}

#: For files without a type, or with a type that means "unknown".
_SUFFIXES: Mapping[str, Kind] = {
    **dict.fromkeys(("jpg", "jpeg", "png", "gif", "webp", "heic", "heif", "avif", "tif", "tiff"), "photo"),
    **dict.fromkeys(("mp4", "m4v", "mov", "3gp", "3g2", "3gpp"), "video"),
    **dict.fromkeys(("m4a", "aac", "amr", "caf", "mp3", "ogg", "opus", "wav"), "audio"),
    "vcf": "contact",
}  # fmt: skip

#: Media types that say no more than "bytes".
UNINFORMATIVE_TYPES = frozenset({"", "application/octet-stream", "binary/octet-stream"})


def kind_of(media_type: str | None, name: str | None = None) -> Kind:
    """Return the kind for a declared media type. If the type says nothing, go by the file name's extension."""
    plain_type = (media_type or "").partition(";")[0].strip().lower()
    if plain_type in UNINFORMATIVE_TYPES:
        return _SUFFIXES.get((name or "").rpartition(".")[2].lower(), "document")
    return _TYPES.get(plain_type) or _FAMILIES.get(plain_type.partition("/")[0], "document")
