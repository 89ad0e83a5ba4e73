"""Types that all events use: ids, timestamps, and the conversation.

Events are TypedDicts: builders make plain dictionaries, mypy checks them, and `schemas` derives the JSON Schema from
the same definitions.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict  # pydantic needs this one on Python 3.11


def id_of(prefix: str) -> Any:
    return Field(pattern=rf"^{prefix}_[A-Za-z0-9_-]+$")


_TIMESTAMP = (
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"(\.[0-9]{1,6})?Z$"
)

ConversationId = Annotated[str, id_of("conv")]
MessageId = Annotated[str, id_of("msg")]
AttachmentId = Annotated[str, id_of("att")]
Timestamp = Annotated[
    str,
    Field(pattern=_TIMESTAMP),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": _TIMESTAMP}),
]
NonEmpty = Annotated[str, Field(min_length=1)]
Pixels = Annotated[int, Field(ge=1)]
AnyMapping = Mapping[str, Any]


class Explanation(TypedDict):
    """More about a reason, mostly what the platform said itself."""

    code: NotRequired[Annotated[str, Field(description="The platform's own error code")]]
    detail: NotRequired[
        Annotated[str, Field(description="The platform's words, at most 500 characters, or ours")]
    ]


class Consumer(TypedDict):
    id: Annotated[NonEmpty, Field(description="The address to which answers go now")]
    name: Annotated[str | None, Field(description="As the platform gives it; null if it does not")]
    aliases: NotRequired[
        Annotated[
            list[NonEmpty],
            Field(description="Further addresses of the same person, such as a user id"),
        ]
    ]


class Conversation(TypedDict):
    id: ConversationId
    connector: Annotated[NonEmpty, Field(description="The connector's name in connectors.yaml")]
    platform: Annotated[NonEmpty, Field(description="The type of the connector")]
    account: Annotated[
        NonEmpty,
        Field(
            description="The brand's side: the phone number, Page or business that the consumer writes to"
        ),
    ]
    consumer: Consumer
    reply_until: NotRequired[
        Annotated[
            Timestamp | None,
            Field(description="When the platform stops to accept answers; null if it never does"),
        ]
    ]


class ConversationSummary(Conversation):
    """A conversation in the API, with its state."""

    state: Literal["open", "closed"]
    opted_out: bool
    agents: list[str]
    last_message_at: Timestamp | None
    merged_into: NotRequired[ConversationId]
