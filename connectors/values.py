"""The values that pass between the gateway and a connector: requests, calls, replies, and results of flows."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar, Union

from normalizer.events import Kind, Status

# inbound ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """A request exactly as it arrived. Its size is already limited."""

    method: str
    #: As the platform sees it, before any proxy: `public_url` + the raw request target. Some platforms sign it.
    url: str
    #: Lower-case names. The values of a repeated header are joined by ", ".
    headers: Mapping[str, str]
    body: bytes
    #: The only clock a connector may read.
    received_at: datetime
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request that passed `verify`, decoded as `Connector.body` declares. Only the gateway creates deliveries."""

    #: A JSON value for "json" and "gzip-json"; a `Mapping[str, str]` for "form" (blank values kept, the last wins).
    content: Any
    #: Only the headers named in `Connector.keeps`: signatures and tokens are not stored.
    headers: Mapping[str, str]
    #: Only the parameters named in `Connector.keeps_query`, for the same reason.
    query: Mapping[str, str]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Response:
    """The response that the platform receives."""

    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain"


# outbound ---------------------------------------------------------------------------------------

OutcomeState = Literal["ready", "rejected", "failed"]
#: What a call is for. `refusal` uses it to distinguish, for example, a refused look-up from a refused download.
Purpose = Literal["lookup", "download", "send", "check", "profile"]


@dataclass(frozen=True, slots=True)
class Call:
    """A request for the gateway to make, with at most one of `json`, `form` and `body`.

    `auth` requests the headers of `Connector.authorize`. The gateway adds them only for the origin of `api_url`
    and for https on `Connector.hosts`, and drops them on any other hop. `expects` lists the statuses of 300 and
    above that the flow handles itself; all others go to `Connector.refusal`. `account` is ours that makes the call.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None
    body: bytes | None = None
    auth: bool = True
    expects: frozenset[int] = frozenset()
    account: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a call. `content` is the JSON value, or None if the body is not JSON (at most 1 MiB is read)."""

    status: int
    headers: Mapping[str, str]
    content: Any
    body: bytes = b""
    purpose: Purpose = "lookup"
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AesCtr:
    """AES in counter mode with a 128-bit big-endian counter: `key` of 16, 24 or 32 bytes, `counter` of 16 bytes."""

    key: bytes = field(repr=False)
    counter: bytes = bytes(16)


@dataclass(frozen=True, slots=True)
class Download:
    """A file to download: the call that returns its bytes, and how to decrypt and check them.

    `size` (bytes) and `sha256` (hex or base64, of the plaintext) are the platform's claims: a file that is
    shorter or different is fetched again. Set `media_type` and `name` if only the look-up returns them.
    """

    call: Call
    decrypt: AesCtr | None = None
    sha256: str | None = None
    size: int | None = None
    media_type: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """An agent's text. `key` is our own id for the text: URL-safe, and the same for every attempt.

    `status_url` is the address for the platform's delivery reports on this text; its query contains `key`.
    `silence` is the time since the consumer's last message (seconds): some platforms require late answers to be
    marked. `route` is the latest `route` of the conversation's events.
    """

    key: str
    account: str
    to: str
    text: str
    status_url: str
    reply_to: str | None = None
    silence: float = 0.0
    route: str | None = None


@dataclass(frozen=True, slots=True)
class Typing:
    """An agent is typing (`on`), or has stopped. `key` is URL-safe and different every time.

    `message_id` is the consumer's latest message, which the agent has read.
    """

    key: str
    account: str
    to: str
    message_id: str
    on: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one attachment of a consumer's message, the one at `position` (0, 1, …).

    `state` is "ready", "rejected" or "failed", and `reason` says why a file is not shown, with the platform's own
    `code` if it has one. `kind` is what the bytes are, and `renditions` names what agents can see of it. Lengths are
    in pixels and seconds. After an agent's retry there is another outcome; the last one counts. `grant` lets a platform
    show the consumer their own sanitized file: `POST /v1/consumer-links` returns links for it.
    """

    account: str
    to: str
    message_id: str
    position: int
    state: OutcomeState
    kind: Kind
    reason: str | None = None
    code: str | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    renditions: tuple[str, ...] = ()
    grant: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform accepted a message. `id` is the id that the platform's receipts will use."""

    id: str
    status: Status = "sent"


@dataclass(frozen=True, slots=True)
class Token:
    """A token that authenticates our calls until it expires.

    `expires` is when the platform stops accepting it, with a time zone; None if it says nothing: the token is then used
    until a call is answered with 401. `others` are further tokens that expire with it, by names of your own: of a
    second scheme, or of each host.
    """

    value: str = field(repr=False)
    expires: datetime | None = None
    others: Mapping[str, str] = field(default_factory=dict, repr=False)


T = TypeVar("T")
#: A step that may need the network: either a value, or a generator that yields calls and returns the value.
Flow = Union[T, Generator[Call, Reply, T]]  # noqa: UP007 - an alias with a type variable needs it
