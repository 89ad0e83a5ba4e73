"""Apple's encrypted objects: how an attachment is announced, and how its address is asked for."""

import base64
import os
from collections.abc import Mapping
from typing import Any, Literal

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from simulator.platform import fresh_id

Family = Literal["mmcs", "bare"]
Spelling = Literal["camel", "dashed"]
SignatureForm = Literal["both", "hex", "base64"]

#: Names of the three headers that name an object to preDownload, in the two families that are documented.
HEADERS: dict[Family, tuple[str, str, str]] = {
    "mmcs": ("MMCS-Url", "MMCS-Signature", "MMCS-Owner"),
    "bare": ("url", "signature", "owner"),
}

#: Older pages spell the members of an attachment with dashes.
_DASHED_NAMES = {
    "mimeType": "mime-type",
    "size": "file-size",
    "key": "decryption-key",
    "url": "mmcs-url",
    "owner": "mmcs-owner",
    "signature": "mmcs-signature-hex",
}


def encrypt(key: bytes, content: bytes) -> bytes:
    """AES-256 in counter mode from a counter of zeros; decrypting is the same."""
    encryptor = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    return encryptor.update(content) + encryptor.finalize()


class EncryptedObject:
    """What is known about one encrypted object."""

    def __init__(self, content: bytes) -> None:
        self.name = f"01USER{fresh_id()[:20].upper()}"
        self.key = os.urandom(32)
        self.signature = b"\x81" + os.urandom(20)
        self.owner = f"M{fresh_id()}"
        # Letters that quoting would change: the address has to come back byte for byte.
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
        """Whether a signature header is the object's, in base64."""
        try:
            return base64.b64decode(signature, validate=True) == self.signature
        except ValueError:
            return False


def rename_members(attachment: Mapping[str, Any], spelling: Spelling) -> dict[str, Any]:
    names = _DASHED_NAMES if spelling == "dashed" else {}
    return {names.get(name, name): value for name, value in attachment.items()}
