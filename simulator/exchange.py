"""What passes between an emulated platform and a gateway, as tests look at it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from multidict import CIMultiDictProxy

from .samples import Sample

Site = Literal["api", "cdn"]


@dataclass(frozen=True, slots=True)
class Consumer:
    """Somebody who writes: `id` as the platform calls them.

    `user_id` is WhatsApp's business-scoped id; whoever hides the number has only that one.
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
    """What the webhook answered to one delivery (the last time, if repeated), and the messages it held."""

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
    """A text that the gateway sent through the platform; `raw` is the request as it was written."""

    id: str
    to: str
    text: str
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Action:
    """Something other than a text that the gateway asked for, such as `read` or `typing_on`."""

    kind: str
    to: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that reached the platform. `target` is path and query as they were written."""

    site: Site
    method: str
    target: str
    headers: CIMultiDictProxy[str]
    body: bytes
