"""The values that go into the journal and come out of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from normalizer.events import AnyEvent


@dataclass(frozen=True, slots=True)
class Accepted:
    """A proven delivery as the journal keeps it: the raw body and what parse needs beside it."""

    connector: str
    received_at: int
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """An attachment as it enters: `pending` with `media` (a MediaRef as JSON), or ended already."""

    kind: str
    state: str
    reason: str | None = None
    name: str | None = None
    media: bytes | None = None
    details: bytes | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One event read from a delivery, with what the gateway decided about its attachments."""

    connector: str
    platform: str
    received_at: int
    event: AnyEvent
    attachments: tuple[NewAttachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A delivery that held something unreadable, framed as in the intake."""

    connector: str
    received_at: int
    reason: str
    delivery: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What the reader made of some intake rows; recorded, and the rows removed, in one transaction."""

    intake: tuple[int, ...]
    readings: tuple[Reading, ...]
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(slots=True)
class Entry:
    """One event in the outbox. `body` is None while it is held, or while only the journal has it."""

    key: int
    conversation: int
    event_id: str
    hold_until: int | None
    body: bytes | None

    @property
    def held(self) -> bool:
        return self.hold_until is not None


@dataclass(frozen=True, slots=True)
class Job:
    """One attachment to fetch: due at `due` (ms)."""

    message: int
    position: int
    due: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a transaction put into the outbox, which held entries it froze, and which files to fetch now."""

    entries: tuple[Entry, ...] = ()
    frozen: tuple[Entry, ...] = ()
    jobs: tuple[Job, ...] = ()
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """An attachment as a worker or the API sees it."""

    id: str
    message: int
    position: int
    message_id: str
    conversation_id: str
    connector: str
    received_at: int
    kind: str
    state: str
    reason: str | None
    attempts: int
    due: int | None
    media: Any
    view: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attachment ended. `renditions` maps name to {media_type, bytes, sha256, width, height}."""

    state: str
    reason: str | None = None
    detail: str | None = None
    name: str | None = None
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    renditions: Any = None
