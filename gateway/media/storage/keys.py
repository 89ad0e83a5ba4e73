"""Keys of objects, and tokens that tell the tries to store an attachment apart."""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from .description import check_rendition, suffix
from .interface import StoredFile

#: Digits in their order as characters, so that tokens sort by time.
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_DIGITS = 9
_RANDOM_DIGITS = 7


def new_token() -> str:
    """Return a token that is greater than those of tries that began a millisecond or more before."""
    now = time.time_ns() // 1_000_000
    begun = "".join(_DIGITS[now >> 5 * place & 31] for place in reversed(range(_TIME_DIGITS)))
    return begun + "".join(secrets.choice(_DIGITS) for _ in range(_RANDOM_DIGITS))


def begun_at(token: str) -> datetime:
    """Return when the try of a token began."""
    milliseconds = 0
    for digit in token[:_TIME_DIGITS]:
        milliseconds = milliseconds << 5 | _DIGITS.index(digit)
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def token_of(key: str) -> str:
    """Return the token in the key of a rendition."""
    return key.rpartition("/")[2].rpartition(".")[0].rpartition("-")[2]


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys below a prefix, which is empty or ends with a slash."""

    prefix: str

    @property
    def probe(self) -> str:
        """The key of an object that does not exist."""
        return f"{self.prefix}airlock-probe"

    @property
    def originals(self) -> str:
        """The folder of originals that wait until they can be made safe."""
        return f"{self.prefix}quarantine/"

    def original(self, attachment: str) -> str:
        return f"{self.originals}{_first_letters(attachment)}/{attachment}"

    def folder(self, attachment: str) -> str:
        return f"{self.prefix}att/{_first_letters(attachment)}/{attachment}/"

    def rendition(self, file: StoredFile) -> str:
        """Return the key of a rendition. The caller has checked the attachment against the journal."""
        check_rendition(file.rendition)
        return (
            f"{self.folder(file.attachment)}{file.rendition}-{file.token}.{suffix(file.media_type)}"
        )


def _first_letters(attachment: str) -> str:
    return attachment.removeprefix("att_")[:2]
