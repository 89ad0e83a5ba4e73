"""What the parts of events are made of: ids, moments, keys that may be left out; and who is talking."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema


def id_of(prefix: str) -> Any:
    return Field(pattern=rf"^{prefix}_[A-Za-z0-9_-]+$")


def optional(description: str) -> Any:
    """A key that is left out where there is nothing to tell; it is never null."""
    return Field(default=None, description=description, json_schema_extra=_without_default)


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]


_MOMENT = (
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"(\.[0-9]{1,6})?Z$"
)

ConversationId = Annotated[str, id_of("conv")]
MessageId = Annotated[str, id_of("msg")]
AttachmentId = Annotated[str, id_of("att")]
Moment = Annotated[
    str,
    Field(pattern=_MOMENT),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": _MOMENT}),
]
Word = Annotated[str, Field(min_length=1)]
Pixels = Annotated[int, Field(ge=1)]
Open = dict[str, Any]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Consumer(Part):
    id: Word = Field(description="The platform's id of the consumer")
    name: str | None = Field(description="As the platform tells it, null where it does not")


class Conversation(Part):
    id: ConversationId
    connector: Word = Field(description="The connector's name in connectors.yaml")
    platform: Word = Field(description="the type of the connector")
    account: Word = Field(description="Our side: the number, page or business written to")
    consumer: Consumer
