"""Apple's encrypted objects: how a message describes an attachment, and how its address is requested."""

import base64
import os
from collections.abc import Mapping
from typing import Any, Literal

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from simulator.platform import fresh_id

Family = Literal["mmcs", "bare"]
Spelling = Literal["camel", "dashed"]
SignatureForm = Literal["both", "hex", "base64"]

#: The three headers that identify an object to preDownload, in the two families of names that are documented.
HEADERS: dict[Family, tuple[str, str, str]] = {
    "mmcs": ("MMCS-Url", "MMCS-Signature", "MMCS-Owner"),
    "bare": ("url", "signature", "owner"),
}

#: Older pages of the documentation spell the members of an attachment with dashes.
_DASHED_NAMES = {
    "mimeType": "mime-type",
    "size": "file-size",
    "key": "decryption-key",
    "url": "mmcs-url",
    "owner": "mmcs-owner",
    "signature": "mmcs-signature-hex",
}


def encrypt(key: bytes, content: bytes) -> bytes:
    """Encrypt with AES-256 in counter mode from a counter of zeros; decrypting is the same operation."""
    encryptor = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    return encryptor.update(content) + encryptor.finalize()


class EncryptedObject:
    """One encrypted object, with the values that identify and decrypt it."""

    def __init__(self, content: bytes) -> None:
        self.name = f"01USER{fresh_id()[:20].upper()}"
        self.key = os.urandom(32)
        self.signature = b"\x81" + os.urandom(20)
        self.owner = f"M{fresh_id()}"
        # Quoting would change some of these characters: the address must come back byte for byte.
        self.url = (
            f"https://p54-content.icloud.com/{self.name}.C01%2F{fresh_id()[:8]}?o=Az+b%3D&v=1"
        )
        self.content = encrypt(self.key, content)

    def describe(self, form: SignatureForm) -> dict[str, str]:
        signatures = {
            "signature": self.signature.hex().upper(),
            "signature-base64": base64.b64encode(self.signature).decode(),
        }
        left_out = {"hex": "signature-base64", "base64": "signature"}.get(form, "")
        return {
            "size": str(len(self.content)),
            "url": self.url,
            "owner": self.owner,
            "key": "00" + self.key.hex().upper(),
            **{name: value for name, value in signatures.items() if name != left_out},
        }

    def matches(self, signature: str) -> bool:
        """Return whether a signature header is this object's signature, in base64."""
        try:
            return base64.b64decode(signature, validate=True) == self.signature
        except ValueError:
            return False


def rename_members(attachment: Mapping[str, Any], spelling: Spelling) -> dict[str, Any]:
    names = _DASHED_NAMES if spelling == "dashed" else {}
    return {names.get(name, name): value for name, value in attachment.items()}
