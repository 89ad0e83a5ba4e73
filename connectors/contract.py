"""The contract between the gateway and a connector: what a connector declares, maps and answers.

A connector is sans-I/O: it reads bytes and returns values. Whatever needs the network is a *flow*: a
generator that yields each `Call` it wants made and is sent the `Reply`; a step that needs no call simply
returns. The gateway makes the calls, adds credentials (`authorize`) and only for declared hosts, retries,
caps, downloads, decrypts and stores.

Errors a connector may raise:

    ConnectorError
      Forbidden        not from the platform; the outside hears 401 and nothing else
      Rejected         the platform refused a call: reason, whether and when to try again
"""

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, Literal, TypeVar, Union

from pydantic import BaseModel, ConfigDict, Field, HttpUrl

from normalizer.events import AnyEvent, MediaRef, Status

from .capabilities import Capabilities
from .errors import Rejected

#: Raised when an existing connector would break; the gateway refuses plugins made for another number.
API = 1

# inbound ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """A request exactly as it arrived, its size already capped."""

    method: str
    #: As the platform saw it, before any proxy: `public_url` + the raw request target. Some platforms sign it.
    url: str
    #: Lower-case names. A header that came twice holds both values joined by ", ".
    headers: Mapping[str, str]
    body: bytes
    #: The only clock a connector may read.
    received_at: datetime
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request that passed `verify`, decoded as `body` declares. Only the gateway makes one."""

    #: JSON value for "json" and "gzip-json"; `Mapping[str, str]` for "form" (blank values kept, last one wins).
    content: Any
    #: Only those named in `Connector.keeps`: what proved the request is not stored.
    headers: Mapping[str, str]
    query: Mapping[str, str]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Response:
    """What the platform is answered."""

    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain"


# outbound ---------------------------------------------------------------------------------------

#: What a call is for; lets `refusal` tell a refused look-up from a refused download.
Purpose = Literal["lookup", "download", "send", "check"]


@dataclass(frozen=True, slots=True)
class Call:
    """One request the gateway should make. At most one of `json`, `form`, `body`.

    `auth` asks for the headers of `Connector.authorize`; the gateway adds them only for the origin of
    `api_url` and for https on `Connector.hosts`, and drops them on any other hop. `expects` lists statuses
    of 300 and above that the flow wants to see itself; any other goes to `Connector.refusal`.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None
    body: bytes | None = None
    auth: bool = True
    expects: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: `content` is the JSON value, None where the body was no JSON (at most 1 MiB is read)."""

    status: int
    headers: Mapping[str, str]
    content: Any
    body: bytes = b""
    purpose: Purpose = "lookup"


@dataclass(frozen=True, slots=True)
class AesCtr:
    """AES in counter mode, 128-bit big-endian counter: `key` of 16, 24 or 32 bytes, `counter` of 16 bytes."""

    key: bytes = field(repr=False)
    counter: bytes = bytes(16)


@dataclass(frozen=True, slots=True)
class Download:
    """Where a file's bytes are and how to open them.

    `size` (bytes) and `sha256` (hex or base64, of the plaintext) are the platform's claims: a shorter or
    different file is fetched again. `media_type` and `name` likewise, where only the look-up tells them.
    """

    call: Call
    decrypt: AesCtr | None = None
    sha256: str | None = None
    size: int | None = None
    media_type: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """An agent's text. `key` is ours, URL-safe, the same for every attempt.

    `status_url` is where the platform may report what became of it; it carries `key` in its query.
    `silence` is how long ago the consumer last wrote (seconds), for platforms that want a late answer marked.
    """

    key: str
    account: str
    to: str
    text: str
    status_url: str
    reply_to: str | None = None
    silence: float = 0.0


@dataclass(frozen=True, slots=True)
class Typing:
    """An agent writes (`on`) or no longer does. `key` is another one each time, URL-safe.

    `message_id` is the consumer's latest message, which the agent has seen.
    """

    key: str
    account: str
    to: str
    message_id: str
    on: bool = True


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform took a message; `id` as its receipts will quote it."""

    id: str
    status: Status = "sent"


T = TypeVar("T")
#: A step that may need the network: a value, or a generator of calls that returns the value.
Flow = Union[T, Generator[Call, Reply, T]]  # noqa: UP007 - an alias with a type variable needs it


# settings ---------------------------------------------------------------------------------------


class ConnectorConfig(BaseModel):
    """What every connector's section of connectors.yaml may say; a connector adds its own fields."""

    #: An error says which setting is wrong and why; its value might be a secret and is not repeated.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    type: str = ""
    api_url: HttpUrl = Field(default=..., description="Where the platform's API is")
    photos: bool = Field(default=True, description="Whether photos are fetched and shown")
    videos: bool = Field(default=True, description="Whether videos are fetched and shown")
    signature: Literal["enforce", "report"] = Field(
        default="enforce",
        description="report only logs and counts deliveries whose proof is wrong, and takes them",
    )

    @property
    def api(self) -> str:
        """`api_url` without a trailing slash."""
        return str(self.api_url).rstrip("/")


C = TypeVar("C", bound=ConnectorConfig)


# the contract -----------------------------------------------------------------------------------


class Connector(ABC, Generic[C]):
    """One platform. Attributes declare, methods map, the gateway acts.

    Instances hold nothing but their frozen settings, so that one may serve any number of requests at once.
    The conformance kit examines what is promised here.
    """

    #: The contract that a connector was made for. Say it (`api = 1`): what is inherited is always the newest.
    api: ClassVar[int] = API
    #: The `type:` in connectors.yaml, lower case.
    name: ClassVar[str]
    #: The name for people.
    label: ClassVar[str]
    #: The platform's own page.
    docs: ClassVar[str]
    #: How a verified body is decoded. "gzip-json" is told by its magic bytes, so an inflating proxy is no harm.
    body: ClassVar[Literal["json", "form", "gzip-json"]] = "json"
    #: The largest body taken, before and after inflating (bytes).
    max_body: ClassVar[int] = 4 * 1024 * 1024
    #: What `verify` proves: "body", "url", or "caller" where the proof says only who calls.
    covers: ClassVar[frozenset[str]] = frozenset({"body"})
    #: Headers that `parse` needs (lower case).
    keeps: ClassVar[frozenset[str]] = frozenset()
    #: The only hosts besides the origin of `api_url` to which credentials may go (exact names).
    hosts: ClassVar[frozenset[str]] = frozenset()
    #: Hosts that serve this platform's media: exact names, or suffixes that begin with a dot.
    media_hosts: ClassVar[frozenset[str]] = frozenset()
    #: Seconds after which a file that cannot be had is given up (how long the platform keeps it).
    media_patience: ClassVar[float] = 3600.0
    #: Whether sending a text again under the same `Text.key` cannot double it.
    resend_is_safe: ClassVar[bool] = False
    #: What the platform can do: a column of the chart.
    capabilities: ClassVar[Capabilities]
    #: The settings, made from `ConnectorConfig`.
    Config: ClassVar[type[ConnectorConfig]]

    def __init__(self, config: C) -> None:
        self.config = config

    @abstractmethod
    def verify(self, request: Request) -> None:
        """Return if the platform sent this, raise `Forbidden` if not.

        Called for every POST, before anything reads the body; its size is capped. Promises the same for the
        same request at any time: the only clock is `received_at`. Fails closed, for any bytes and headers.
        Must not raise anything else, decode before proving, compare with `==` (`constant_time_equal` and
        `matches_any` take as long for a wrong proof as for a right one), or put a secret or the right proof
        into the reason.
        """

    @abstractmethod
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        """Every fact of a delivery, as events in its order.

        Called once the delivery is on disk, and again whenever it is read anew, perhaps by a later version.
        Promises the same events each time, with ids that are the same for each repeat of a fact; one
        `Unknown` for an entry it cannot read (`read_each`, `open_each`), and all the others.
        Must not change its input, keep anything, drop an entry, or raise, whatever the content is.
        """

    def handshake(self, request: Request) -> Response | None:
        """Answer a GET that asks whether the address is ours; None where the platform has no such thing.

        Called for every GET, with the query. Promises the platform's challenge to whoever knows our word,
        and a status of 400 or above to everybody else.
        Must not answer before the word was compared in constant time.
        """
        del request
        return None

    def acknowledge(self) -> Response:
        """What a delivery is answered.

        Called when it is on disk and not yet read. Promises a status from 200 to 299 and the body that the
        platform takes for a success. Must not depend on the delivery, or hold anything that is not public.
        """
        return Response()

    def authorize(self, now: datetime) -> Mapping[str, str]:
        """Headers that prove who we are.

        Called by the gateway for each hop of a call with `auth`, to the origin of `api_url` or to `hosts`
        over https; never for any other. `now` is for tokens that tell their time.
        Promises lower-case names and printable ASCII. Must not be called by the connector itself.
        """
        del now
        return {}

    def media(self, ref: MediaRef) -> Flow[Download]:
        """Find a file's bytes: a flow that returns one `Download`.

        Called when a worker is ready to fetch what an event's `MediaRef` names, and again on every attempt.
        Promises an address asked for now, where addresses expire, and a `Rejected` for an answer that names
        none. Must not remember an address, ask again by itself, or see the bytes.
        """
        raise Rejected(
            "unsupported_type", detail=f"{self.name} fetches no media ({ref.media_type})"
        )

    @property
    def reply_window(self) -> float | None:
        """Seconds after the consumer's last message in which texts may be sent; None for no limit.

        Asked before each text. Overridden only where it depends on the settings.
        """
        return self.capabilities.reply_window

    def send_text(self, out: Text) -> Flow[Sent]:
        """Send an agent's text: a flow that returns the id by which receipts will name it.

        Called for each attempt, with a text of at most `capabilities.max_text` characters and the same `key`
        each time; after an answer that was lost only if `resend_is_safe`.
        Promises the same calls for the same `out`, and a `Rejected` for an answer that names no message.
        Must not change, split or cut the text, send more than one message, try again, or sleep.
        """
        raise Rejected("unsupported", detail=f"{self.name} sends no text (message {out.key})")

    def mark_read(self, account: str, to: str, message_id: str) -> Flow[None]:
        """Tell the platform that an agent has seen a message, where it can be told.

        Called when the core says so, if the chart offers `mark_read`. `account`, `to` and `message_id` are
        those of the consumer's message. May be called again for the same message.
        Must not tell more than that everything up to this message was seen.
        """
        del account, to, message_id
        return None

    def send_typing(self, out: Typing) -> Flow[None]:
        """Show the consumer that an agent is writing, or no longer is, where that can be shown.

        Called while an agent writes, every few seconds at most, if the chart offers `send_typing`.
        Promises one call at most; none where the platform ends it by itself. Must not send anything to read.
        """
        del out
        return None

    def check(self) -> Flow[str]:
        """A harmless call that proves the credentials: a flow that returns the account's own name.

        Called by `airlock check`, and by a running gateway every few minutes. Promises a name that an operator
        knows the account by, and a `Rejected` with `operator` for credentials that are refused.
        Must not change anything on the platform, and should make one call.
        """
        return self.label

    def refusal(self, reply: Reply) -> Rejected:
        """What an answer means that a flow or a download did not expect: may it be tried again, and when?

        Called for every status of 300 and above that is not in `Call.expects`; by flows themselves for a
        success that holds nothing of use. `reply.purpose` says what was asked for.
        Promises the platform's own codes where it tells them and HTTP otherwise, the seconds it wants us to
        wait, and for files one of the words of `Rejected`. Must not take silence for success, quote what
        people wrote, or raise.
        """
        return by_status(reply)


def by_status(reply: Reply) -> Rejected:
    """What HTTP alone tells about a refusal."""
    after = retry_after(reply)
    detail = f"HTTP {reply.status}"
    match reply.status:
        case 401 | 403:
            return Rejected("unauthorized", retry=True, after=after, detail=detail, operator=True)
        case 404 | 410:
            return Rejected("gone", detail=detail)
        case 413:
            return Rejected("too_large", detail=detail)
        case 408 | 425 | 429:
            return Rejected("unreachable", retry=True, after=after, detail=detail)
        case status if status >= 500:
            return Rejected("unreachable", retry=True, after=after, detail=detail)
        case _:
            return Rejected("unreachable", detail=detail)


def retry_after(reply: Reply) -> float | None:
    """The seconds a platform asks us to wait, None where it names none."""
    header = reply.headers.get("retry-after", "")
    return float(header) if header.isascii() and header.isdigit() else None
