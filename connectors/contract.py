"""The contract between the gateway and a connector: what a connector declares, converts and answers.

A connector does no I/O: it reads bytes and returns values. A step that needs the network is a *flow*: a generator that
yields each `Call` to make and receives the `Reply`; any other returns its value directly. The gateway makes the calls,
adds credentials (`authorize`, only for declared hosts), retries, limits sizes, downloads, decrypts and stores.

A connector may raise these errors:

    ConnectorError
      Forbidden        the request is not from the platform; the response is 401 and gives no reason
      Rejected         the platform refused a call: the reason, and whether and when to retry
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Generic, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, HttpUrl

from normalizer.events import AnyEvent, MediaRef

from .capabilities import Capabilities, TextLimits
from .errors import Rejected, words_in
from .values import (
    AesCtr,
    Call,
    Delivery,
    Download,
    Flow,
    Outcome,
    Purpose,
    Reply,
    Request,
    Response,
    Sent,
    Text,
    Token,
    Typing,
)

__all__ = [
    "API",
    "AesCtr",
    "Call",
    "Connector",
    "ConnectorConfig",
    "Delivery",
    "Download",
    "Flow",
    "Outcome",
    "Purpose",
    "Reply",
    "Request",
    "Response",
    "Sent",
    "Text",
    "TextLimits",
    "Token",
    "Typing",
    "by_status",
    "retry_after",
]

_SECONDS = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
#: Seconds. A longer pause is a mistake of the platform.
_LONGEST_PAUSE = 999_999.0
#: The version of the contract. It rises when existing connectors would break; the gateway refuses other versions.
API = 1

# settings ---------------------------------------------------------------------------------------


class ConnectorConfig(BaseModel):
    """The settings that every connector's section of connectors.yaml has. A connector adds its own fields."""

    #: A validation error never shows the value, which might be a secret.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    type: str = ""
    api_url: HttpUrl = Field(default=..., description="Address of the platform's API")
    photos: bool = Field(default=True, description="Whether photos are shown")
    videos: bool = Field(default=True, description="Whether videos are shown")
    audio: bool = Field(default=True, description="Whether voice messages and sound are shown")
    documents: bool = Field(default=True, description="Whether PDFs and other texts are shown")
    contacts: bool = Field(default=True, description="Whether contact cards are shown")
    signature: Literal["enforce", "report"] = Field(
        default="enforce",
        description="report only logs and counts deliveries with a wrong signature, and accepts them",
    )

    @property
    def api(self) -> str:
        """`api_url` without a trailing slash."""
        return str(self.api_url).rstrip("/")


C = TypeVar("C", bound=ConnectorConfig)


# the contract -----------------------------------------------------------------------------------


class Connector(ABC, Generic[C]):
    """A connector to one platform. Attributes declare, methods convert, and the gateway acts.

    An instance holds only its frozen settings, so one instance can serve any number of requests at once.
    The conformance kit checks every rule stated here.
    """

    #: The contract version that a connector was written for. Declare it (`api = 1`): the default is the newest.
    api: ClassVar[int] = API
    #: The `type:` in connectors.yaml, lower case.
    name: ClassVar[str]
    #: The platform's name, as shown to people.
    label: ClassVar[str]
    #: The platform's own documentation.
    docs: ClassVar[str]
    #: The encoding of a body. "gzip-json" is detected by its magic bytes, so a proxy may have decompressed it.
    body: ClassVar[Literal["json", "form", "gzip-json"]] = "json"
    #: The largest body accepted, before and after decompression (bytes). Anybody may send as much.
    max_body: ClassVar[int] = 4 * 1024 * 1024
    #: What the signature covers: "body", "url", "part" (what `covered` names), or only "caller" if it identifies the
    #: caller and nothing else.
    covers: ClassVar[frozenset[str]] = frozenset({"body"})
    #: What is signed if `covers` has "part": fields of the body ("message.id", "items.0.text"), "header:x-time" and
    #: "query:id".
    covered: ClassVar[frozenset[str]] = frozenset()
    #: Headers that a proof needs (lower case) and their forms (regular expressions), checked before the body is read.
    proof: ClassVar[Mapping[str, str]] = {}
    #: The methods by which the platform asks whether the webhook is ours, if `handshake` answers.
    handshakes: ClassVar[frozenset[Literal["GET", "POST"]]] = frozenset({"GET", "POST"})
    #: The headers that `parse` needs (lower case).
    keeps: ClassVar[frozenset[str]] = frozenset()
    #: The parameters of the webhook's query that `parse` needs.
    keeps_query: ClassVar[frozenset[str]] = frozenset()
    #: The only hosts that may receive credentials, apart from the origin of `api_url` (exact names).
    hosts: ClassVar[frozenset[str]] = frozenset()
    #: Hosts that serve this platform's media: exact names, or suffixes that begin with a dot.
    media_hosts: ClassVar[frozenset[str]] = frozenset()
    #: Seconds after which the gateway gives up on a file: how long the platform keeps files.
    media_patience: ClassVar[float] = 3600.0
    #: How many texts a second the platform accepts from one account, None for no limit. Airlock keeps this rate.
    texts_per_second: ClassVar[float | None] = None
    #: Whether a text that is sent twice with the same `Text.key` still arrives once.
    resend_is_safe: ClassVar[bool] = False
    #: Whether a notice says that a consumer accepts texts again. If not, their next message shows it.
    reports_opt_in: ClassVar[bool] = False
    #: What the platform supports: one column of the capabilities chart.
    capabilities: ClassVar[Capabilities]
    #: The settings model, a subclass of `ConnectorConfig`.
    Config: ClassVar[type[ConnectorConfig]]

    def __init__(self, config: C) -> None:
        self.config = config

    def trusts(self, url: str) -> bool:
        """Whether the gateway would add the headers of `authorize` for a URL: `api_url`'s origin, and https on `hosts`.

        Called by connectors, for `Call.auth` where a platform names the addresses of its files itself. Must not be
        overridden: the gateway decides by its own rule.
        """
        target, api = urlsplit(url), urlsplit(self.config.api)
        if (target.scheme, target.netloc) == (api.scheme, api.netloc):
            return True
        return target.scheme == "https" and target.netloc in self.hosts

    @abstractmethod
    def verify(self, request: Request) -> None:
        """Return if the platform sent this request; raise `Forbidden` otherwise.

        Called for every POST before anything else reads the body; if the proof covers only the caller, first with an
        empty body. Must always answer the same request alike: the only clock is `received_at`. If in doubt, refuse.
        Must not raise anything else, whatever the bytes and headers; decode the body before verifying it; cost much
        more time or memory than the signature itself; compare with `==`; or put a secret into the reason.
        """

    @abstractmethod
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        """Return all facts of a delivery as events, in their order.

        Called once the delivery is on disk, and again whenever it is re-read, perhaps by a later version. Must return
        the same events each time, and the same id for every repeat of a fact. An entry that cannot be read becomes
        one `Unknown` (`read_each`, `open_each`). Must not change its input, keep state, drop an entry, or raise.
        """

    def handshake(self, request: Request) -> Response | None:
        """Answer a request that asks whether the webhook is ours; return None for any other request.

        Called for every GET, and for each POST of at most 16 KiB before `verify`, which it may call itself. A request
        that it answers with a status below 400 is not stored, and no event comes of it; any other POST goes to
        `verify`. Answer only if the request carries our verify token or another secret of the settings. If it has a
        body, the answer must depend on that. Must not answer before comparing the secret in constant time, or answer
        a delivery.
        """
        del request
        return None

    def acknowledge(self) -> Response:
        """Return the response to a delivery.

        Called when the delivery is on disk and not yet parsed. Return a status from 200 to 299, and the body
        that the platform requires of a success.
        Must not depend on the delivery, or contain anything that is not public.
        """
        return Response()

    def token(self, now: datetime) -> Flow[Token | None]:
        """Obtain the token that `authorize` needs: a flow that returns it; None if the settings are enough.

        Called when a call needs a token and there is none, shortly before the present one expires, and after a call
        was answered with 401: for all calls at once, and again only after a pause if it is refused. Its own calls get
        no headers from `authorize` and may hold the credentials of the settings, on declared hosts. Raise `Rejected`
        with `operator` if the credentials are refused. Must not keep the token, or read another clock than `now`.
        """
        del now
        return None

    def authorize(self, now: datetime, *args: Any) -> Mapping[str, str]:
        """Return the headers that authenticate our calls.

        Defined as `authorize(self, now)` or as `authorize(self, now, token, call)`. Called by the gateway for each hop
        of a call with `auth`, but only for the origin of `api_url` and for https on `hosts`. `token` is that of
        `token`; `call` has our account and the URL of the hop, for platforms that need another scheme or audience
        there. `now` is for headers that contain a time. Use lower-case names and printable ASCII.
        Must not be called by the connector itself, or sign anything that `token` could sign once for all calls.
        """
        del now, args
        return {}

    def media(self, ref: MediaRef) -> Flow[Download]:
        """Locate a file: a flow that returns one `Download`.

        Called when a worker is ready to fetch the file that an event's `MediaRef` describes, and again for every
        attempt. If addresses expire, ask for a new one every time. Raise `Rejected` if a reply has no address.
        Must not cache an address, retry, or fetch the file itself.
        """
        raise Rejected(
            "unsupported_type", detail=f"{self.name} fetches no media ({ref.media_type})"
        )

    @property
    def reply_window(self) -> float | None:
        """Seconds after the consumer's last message in which texts may be sent; None for no limit.

        Read by `limits`. Override it only if it depends on the settings.
        """
        return self.capabilities.reply_window

    def limits(self, account: str) -> TextLimits:
        """Return the limits for texts from one of our accounts, if they differ between accounts or channels.

        Called for each event, before a text is accepted, and before it is sent. `account` is that of the event: a
        number, a page, or an address in a channel. The default applies what the class declares to all of them.
        Must not return different limits for the same account.
        """
        del account
        can = self.capabilities
        return TextLimits(
            can.max_text, self.reply_window, self.texts_per_second, can.max_text_bytes
        )

    def send_text(self, out: Text) -> Flow[Sent]:
        """Send an agent's text: a flow that returns the id that receipts will use.

        Called for every attempt, with a text of at most `capabilities.max_text` characters and always the same
        `key`; after a lost reply, only if `resend_is_safe`. Make the same calls for the same `out`. Raise
        `Rejected` if a reply names no message.
        Must not change, split or truncate the text, send more than one message, retry, or sleep.
        """
        raise Rejected("unsupported", detail=f"{self.name} sends no text (message {out.key})")

    def mark_read(self, account: str, to: str, message_id: str) -> Flow[None]:
        """Report to the platform that an agent has read a message.

        Called when the core says so, if `capabilities` offers `mark_read`; perhaps more than once. `account`, `to` and
        `message_id` are those of the consumer's message. Must not report more than this message and the ones before it.
        """
        del account, to, message_id
        return None

    def send_typing(self, out: Typing) -> Flow[None]:
        """Show the consumer that an agent is typing, or has stopped.

        Called when the core says so, every few seconds at most, if `capabilities` offers `send_typing`. Make at
        most one call, and none if the platform hides the indicator automatically.
        Must not send anything that the consumer can read.
        """
        del out
        return None

    def tell_outcome(self, out: Outcome) -> Flow[None]:
        """Report to the platform what became of a file: shown to agents, or why not.

        Called when an attachment of a consumer's message has ended, if `capabilities` offers `outcome`; after a failure
        and a restart again, so the same outcome may come twice. The platform may free the original once it is "ready".
        Must not send anything that the consumer did not send, or fail for a file that the platform no longer knows.
        """
        del out
        return None

    def forget(self, account: str, to: str) -> Flow[None]:
        """Have the platform erase what it holds of a conversation.

        Called when a conversation was erased, if `capabilities` offers `forget`; perhaps more than once. It is the last
        call that names the consumer. Must not fail for a consumer whom the platform no longer knows.
        """
        del account, to
        return None

    def tell_closed(self, account: str, to: str) -> Flow[None]:
        """Report to the platform that an agent closed the conversation.

        Called when the core closed it, if `capabilities` offers `send_close`; perhaps more than once. The consumer
        opens it again by writing. Must not keep the consumer from writing.
        """
        del account, to
        return None

    def profile(self, account: str, party: str) -> Flow[str | None]:
        """Look up a consumer's name: a flow that returns it, or None if the platform does not reveal it.

        Called once for a conversation without a name, after its first message was recorded; again only after a
        refusal that can be retried. Implement it only if deliveries do not contain names. Raise `Rejected` with
        `operator` if the account lacks a permission. Must not make more than one call, or ask for more than the name.
        """
        del account, party
        return None

    def check(self) -> Flow[str]:
        """Test the credentials with a harmless call: a flow that returns the account's name.

        Called by `airlock check`, and by a running gateway every few minutes. Return a name by which an operator
        recognises the account. Raise `Rejected` with `operator` if the credentials are refused. Make one call for each
        account. Must not change anything on the platform.
        """
        return self.label

    def refusal(self, reply: Reply) -> Rejected:
        """Interpret a reply that a flow or a download did not expect: can the call be retried, and when?

        Called for every status of 300 and above that is not in `Call.expects`, and by flows themselves for a
        success without usable content. Go by the platform's error codes, or else by the HTTP status; pass on how
        long the platform asks us to wait. For a file, use one of the reasons that `Rejected` lists.
        Must not treat an empty reply as a success, blame anybody for an unknown code (`unknown`), or raise.
        """
        return by_status(reply)


def by_status(reply: Reply) -> Rejected:
    """Interpret a refusal by its HTTP status alone. What the status does not explain is `unknown`."""
    after = retry_after(reply)
    detail = words_in(reply.content, reply.body) or f"HTTP {reply.status}"
    is_file = reply.purpose in {"lookup", "download"}
    match reply.status:
        case 401 | 403:
            return Rejected("unauthorized", retry=True, after=after, detail=detail, operator=True)
        case 404 | 410:
            return Rejected("gone" if is_file else "undeliverable", detail=detail)
        case 413:
            return Rejected("too_large", detail=detail)
        case status if status in {408, 425, 429} or status >= 500 or is_file:
            return Rejected("unreachable", retry=True, after=after, detail=detail)
        case _:
            return Rejected("unknown", detail=detail)


def retry_after(reply: Reply) -> float | None:
    """The seconds that the platform asks us to wait (`Retry-After`), None if it does not say.

    A date is compared with the reply's own `Date`, which has the same clock, or else with `Reply.received_at`.
    """
    header = reply.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(header):
        return min(float(header), _LONGEST_PAUSE)
    until = _date(header)
    now = _date(reply.headers.get("date", "")) or reply.received_at
    if until is None or now is None:
        return None
    return min(max(0.0, (until - now).total_seconds()), _LONGEST_PAUSE)


def _date(header: str) -> datetime | None:
    """A date in a header (RFC 9110, section 5.6.7); None if it cannot be read."""
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
