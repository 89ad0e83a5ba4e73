"""Apple's attachments: encrypted objects, whose field names differ between versions of the documentation."""

import base64
import re
from collections.abc import Mapping
from typing import Any

from connectors.contract import AesCtr
from connectors.errors import Rejected
from connectors.tools.attachment_kind import kind_of
from normalizer.events import Attachment, MediaRef

#: Our name for each field, and the names that Apple uses for it.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "name": ("name",),
    "media_type": ("mimeType", "mime-type"),
    "size": ("size", "file-size"),
    "url": ("url", "mmcs-url"),
    "owner": ("owner", "mmcs-owner"),
    "key": ("key", "decryption-key", "dataRefSig"),
    "signature_base64": ("signature-base64",),
    "signature": ("signature", "mmcs-signature-hex"),
}

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_KEY = re.compile(r"(?:00)?([0-9A-Fa-f]{64})")


def attachment(raw: Any, business: str) -> Attachment:
    """Read one of `attachments`. If a field that the download needs is missing, the attachment is `gone`."""
    fields = {name: _first(raw, names) for name, names in _NAMES.items()}
    kind = kind_of(fields["media_type"], fields["name"])
    locator = {
        "business": business,
        "url": fields["url"],
        "owner": fields["owner"],
        "key": fields["key"],
        "signature": fields["signature_base64"] or _base64(fields["signature"]),
    }
    if not all(_is_valid_header(value) for value in locator.values()):
        return Attachment(kind, refused="gone")
    ref = MediaRef(locator, fields["media_type"], fields["name"], _size(fields["size"]))
    return Attachment(kind, ref, voice=_is_voice_message(ref))


def _is_voice_message(ref: MediaRef) -> bool:
    """Whether a file is a recording of Messages: only that app sends Core Audio files."""
    media_type, name = str(ref.media_type).lower(), str(ref.name).lower()
    return media_type.partition(";")[0].strip() == "audio/x-caf" or name.endswith(".caf")


def object_headers(locator: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The headers for preDownload. Apple's sample code prefixes the names with `mmcs-`; older pages do not."""
    named = {f"{prefix}{name}": locator[name] for name in ("url", "signature", "owner")}
    return {"source-id": locator["business"], **named}


def cipher(key: str) -> AesCtr:
    """AES-256 in counter mode, from Apple's key: hexadecimal, with or without 00 in front."""
    found = _KEY.fullmatch(key)
    if found is None:
        raise Rejected("corrupt", detail="the attachment's key is not 32 bytes in hexadecimal")
    return AesCtr(bytes.fromhex(found[1]))


def _base64(signature: Any) -> Any:
    """Convert hexadecimal to Base64. Hexadecimal is also valid Base64, but of different bytes."""
    if not (isinstance(signature, str) and _HEX.fullmatch(signature)):
        return signature
    return base64.b64encode(bytes.fromhex(signature)).decode()


def _is_valid_header(value: Any) -> bool:
    return isinstance(value, str) and value != "" and value.isascii() and value.isprintable()


def _first(raw: Any, names: tuple[str, ...]) -> Any:
    return next((raw[name] for name in names if raw.get(name)), None)


def _size(size: Any) -> int | None:
    """The size: a number or a decimal string. Counter mode keeps the length, so it is the size of the file."""
    return int(size) if str(size).isdecimal() else None
