"""Bodies of the calls to `/v1`."""

from pydantic import BaseModel, ConfigDict, Field


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Assignment(Body):
    """Who is assigned to a conversation."""

    agents: tuple[str, ...] = Field(max_length=100)


class LinkRequest(Body):
    """For whom links are made."""

    agent: str = Field(min_length=1, max_length=200)


class ErasureOrder(Body):
    """Whom to erase."""

    consumer: str = Field(
        min_length=1,
        max_length=500,
        description="Any id of the person: a phone number, a platform's id, or another of their aliases",
    )
    connector: str | None = Field(
        default=None, min_length=1, max_length=200, description="Erase them at this connector only"
    )


class ReplayOrder(Body):
    """Which events to send again."""

    since: str = Field(min_length=1, description="Events that the core took since then (RFC 3339)")
    until: str | None = Field(default=None, description="Leave out events from after then")
    conversation: str | None = Field(
        default=None, max_length=200, description="Only the events of this conversation"
    )
