"""The JSON of the consumer's API: bodies that are read, and answers. `/openapi.json` is made from them."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# pydantic needs this one before Python 3.12.
from typing_extensions import TypedDict

#: Ids that clients choose: 128 random bits in hex.
ClientId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
#: Ids of messages of either side.
MessageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,200}$")]

AttachmentState = Literal["checking", "ready", "rejected", "failed"]
MessageState = Literal["sent", "received", "delivered", "read", "failed"]


class _Body(BaseModel):
    # Unknown members are ignored, so that an older server accepts a newer app.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Work(_Body):
    """The solution of a puzzle: `nonce` for which SHA-256 of `challenge` and `nonce` begins with enough zero bits."""

    challenge: str = Field(max_length=500)
    nonce: str = Field(max_length=64)


class BeginSession(_Body):
    """`carry: header` returns the token in the answer, for apps and for frames without cookies.

    `resume` is what an earlier answer gave for this, or the code of a window: it continues that conversation.
    """

    site: str = Field(max_length=100)
    kind: Literal["frame", "page", "app"] = "page"
    carry: Literal["cookie", "header"] = "cookie"
    identity: str | None = Field(default=None, max_length=8192)
    join: bool = False
    resume: str | None = Field(default=None, max_length=100)
    work: Work | None = None
    language: str | None = Field(default=None, max_length=35)


class PutMessage(_Body):
    """A message: a text, files, or both. `uploads` are the client's ids, in order."""

    text: str | None = None
    reply_to: MessageId | None = None
    uploads: tuple[ClientId, ...] = Field(default=(), max_length=100)


class Receipts(_Body):
    """The latest message of an agent that has arrived, and the latest that was seen."""

    delivered_to: MessageId | None = None
    read_to: MessageId | None = None


class Typing(_Body):
    """Whether the consumer is writing."""

    on: bool


class Puzzle(TypedDict):
    """Find a `nonce` for which SHA-256 of `challenge` + `nonce` begins with `bits` zero bits."""

    challenge: str
    bits: int


class ConsumerView(TypedDict):
    """`id` belongs into the keys of everything that a client caches."""

    id: str
    name: str | None
    verified: bool


class LimitsView(TypedDict):
    """What the server accepts from this consumer. `uploads` says whether files may be sent at present."""

    text: int
    file_bytes: int
    part_bytes: int
    files: int
    at_once: int
    uploads: bool


class SessionView(TypedDict):
    """A session that has begun or was resumed. `accept` are media types for a file input.

    `resume` is for the page around a frame, if the site's settings say `remember: page`: it continues the conversation
    once, after a reload.
    """

    consumer: ConsumerView
    limits: LimitsView
    accept: list[str]
    words: str
    token: NotRequired[str]
    resume: NotRequired[str]


class CodeView(TypedDict):
    """A code that continues the conversation elsewhere: once, within a minute, as `resume`."""

    code: str


class AttachmentView(TypedDict):
    """A file of a message. `upload` is the client's id; `renditions` are the sanitized files, once `ready`."""

    id: str
    upload: str
    kind: str
    media_type: str
    name: str | None
    bytes: int
    state: AttachmentState
    reason: str | None
    width: int | None
    height: int | None
    seconds: float | None
    renditions: list[str]


class MessageView(TypedDict):
    """A message as it is now: `in` from the consumer, `out` from an agent."""

    id: str
    direction: Literal["in", "out"]
    position: int
    text: str | None
    reply_to: str | None
    state: MessageState
    at: str
    attachments: list[AttachmentView]


class ConversationView(TypedDict):
    """The conversation. `uploads` says whether files may be sent at present."""

    state: Literal["open", "closed"]
    uploads: bool


class HistoryView(TypedDict):
    """A page of messages, the newest first. `before` asks for the next page; null if there is none.

    `revision` is the `since` from which changes follow this page.
    """

    messages: list[MessageView]
    before: int | None
    conversation: ConversationView
    revision: int


class ChangesView(TypedDict):
    """What has changed up to `revision`; members without news are absent.

    `reset` asks the client to forget what it shows of the conversation, and to load the history again.
    """

    revision: int
    messages: NotRequired[list[MessageView]]
    conversation: NotRequired[ConversationView]
    typing: NotRequired[bool]
    reset: NotRequired[bool]


class AddressView(TypedDict):
    """Where a sanitized file is, for some minutes."""

    url: str


class ProblemView(TypedDict):
    """A refusal (RFC 9457). Clients decide by `code`."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    puzzle: NotRequired[Puzzle]
    uploads: NotRequired[list[str]]
    offset: NotRequired[int]
    retry_after: NotRequired[int]


Json = dict[str, Any]
