"""Messages, deliveries and requests between an emulated platform and a gateway, as tests inspect them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from multidict import CIMultiDictProxy

from .samples import Sample

Site = Literal["api", "cdn"]


@dataclass(frozen=True, slots=True)
class Consumer:
    """A person who writes to the business; `id` is the platform's id for that person.

    `user_id` is WhatsApp's business-scoped id; a person who hides the phone number has only that id.
    """

    id: str
    name: str
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class ConsumerMessage:
    """A message for the gateway from a consumer: a text, files, or both.

    Each of its deliveries is posted `times` times; with `forged` its signature or token is invalid.
    """

    consumer: Consumer
    text: str | None = None
    files: tuple[Sample, ...] = ()
    times: int = 1
    forged: bool = False


@dataclass(frozen=True, slots=True)
class Delivered:
    """The webhook's answer to one delivery (the last answer, if it was retried), and the ids of its messages."""

    status: int
    body: bytes
    ids: tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 1

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class SentText:
    """A text that the gateway sent through the platform; `raw` is the content of the request."""

    id: str
    to: str
    text: str
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Action:
    """An action other than a text that the gateway requested, such as `read` or `typing_on`."""

    kind: str
    to: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that the platform received; `target` is the path and the query, exactly as sent."""

    site: Site
    method: str
    target: str
    headers: CIMultiDictProxy[str]
    body: bytes
