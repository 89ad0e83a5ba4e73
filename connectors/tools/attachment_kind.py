"""What kind of attachment a file is, from what the sender claims; only the sanitizer knows for sure."""

from collections.abc import Mapping

from normalizer.events import Kind

#: Types whose first half misleads.
_TYPES: Mapping[str, Kind] = {
    "text/vcard": "contact",
    "text/x-vcard": "contact",
    "text/x-vlocation": "location",
    "image/svg+xml": "document",
}

_FAMILIES: Mapping[str, Kind] = {"image": "photo", "video": "video", "audio": "audio"}

#: Where a platform tells no type, or the one that means "I do not know".
_SUFFIXES: Mapping[str, Kind] = {
    **dict.fromkeys(("jpg", "jpeg", "png", "gif", "webp", "heic", "heif", "avif", "tif", "tiff"), "photo"),
    **dict.fromkeys(("mp4", "m4v", "mov", "3gp", "3g2", "3gpp"), "video"),
    **dict.fromkeys(("m4a", "aac", "amr", "caf", "mp3", "ogg", "opus", "wav"), "audio"),
    "vcf": "contact",
}  # fmt: skip

_MEANINGLESS = frozenset({"", "application/octet-stream", "binary/octet-stream"})


def kind_of(media_type: str | None, name: str | None = None) -> Kind:
    """The kind a declared type stands for; without a telling type, the kind of the file name's ending."""
    plain_type = (media_type or "").partition(";")[0].strip().lower()
    if plain_type in _MEANINGLESS:
        return _SUFFIXES.get((name or "").rpartition(".")[2].lower(), "document")
    return _TYPES.get(plain_type) or _FAMILIES.get(plain_type.partition("/")[0], "document")
