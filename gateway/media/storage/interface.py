"""The promises of a store of renditions, which every store keeps.

A file that `put` returned is whole and durable. Processing an attachment again stores its files again; none is left of
a try whose outcome was not recorded. An operation that the store cannot do now raises StoreUnavailable.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from gateway.events.attachments import RenditionOfAnyType
from normalizer.media import Rendition


class StoreUnavailable(Exception):
    """Renditions cannot be written or read at the moment. The text names cause and remedy, and no secrets."""


class FileMissing(LookupError):
    """The store does not hold the file."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored rendition, with its description in events."""

    name: str
    view: RenditionOfAnyType
    token: str = ""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The file of a rendition. `token` names the try that stored it; it is "" where tries share names."""

    attachment: str
    rendition: str
    media_type: str
    token: str
    #: Bytes.
    size: int


@dataclass(slots=True)
class StoreTry:
    """One try to make and store an attachment's files."""

    attachment: str
    #: Later tries have greater tokens.
    token: str
    #: Whether an earlier try, or this one, may have left files.
    may_have_left_files: bool


class Store(ABC):
    """A store of renditions."""

    #: Whether deliveries are accepted although files cannot be stored: the disk has room for the journal.
    accepts_deliveries_without = False

    @abstractmethod
    def begin(self, attachment: str, *, is_first: bool) -> StoreTry:
        """Begin a try. `is_first` says that nobody can have tried before."""

    @abstractmethod
    async def put(self, attempt: StoreTry, renditions: Sequence[Rendition]) -> tuple[Stored, ...]:
        """Store the renditions of an attachment durably, and remove those of earlier tries."""

    @abstractmethod
    async def clear(self, attempt: StoreTry) -> None:
        """Remove what this try and earlier ones stored, before the attachment ends without files."""

    @abstractmethod
    async def discard(self, attempt: StoreTry, *, is_shown: bool) -> None:
        """Remove what this try stored, because its outcome was not recorded.

        `is_shown` says that the journal shows files of the attachment, stored by another try.
        """

    @abstractmethod
    async def remove(self, attachment: str) -> None:
        """Remove all files of an attachment durably."""

    @abstractmethod
    def path(self, file: StoredFile) -> Path | None:
        """Return the path of a file on this machine; None if it has to be read. Raises LookupError for no rendition."""

    @abstractmethod
    def modified(self, file: StoredFile) -> datetime:
        """Return when a file was stored, by this machine's clock; it may raise FileMissing."""

    @abstractmethod
    async def read(self, file: StoredFile, start: int, end: int) -> bytes:
        """Return the bytes from `start` to before `end`; raise FileMissing."""

    @abstractmethod
    def reader(self, file: StoredFile) -> Callable[[], BinaryIO]:
        """Return what opens a file for reading in a thread. Reading raises OSError."""

    @abstractmethod
    async def unavailable_reason(self) -> str | None:
        """Return why renditions cannot be stored at the moment; None if they can."""
