"""Events as the core gets them: CloudEvents 1.0 in structured mode (contract, section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.timestamps import rfc3339

MEDIA_TYPE = "application/cloudevents+json"


@dataclass(frozen=True, slots=True)
class Conversation:
    """What every event says about the conversation it belongs to."""

    id: str
    connector: str
    platform: str
    account: str
    consumer: str
    name: str | None

    def view(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "connector": self.connector,
            "platform": self.platform,
            "account": self.account,
            "consumer": {"id": self.consumer, "name": self.name},
        }


def render(
    id: str, type: str, *, source: str, subject: str | None, time: int, data: Mapping[str, Any]
) -> bytes:
    """The body of one POST. `time` is in milliseconds; `subject` is the conversation, if there is one."""
    event = {
        "specversion": "1.0",
        "id": id,
        "type": type,
        "source": source,
        "subject": subject,
        "time": rfc3339(time),
        "datacontenttype": "application/json",
        "data": data,
    }
    if subject is None:
        del event["subject"]
    return orjson.dumps(event)


def about(
    id: str, type: str, conversation: Conversation, time: int, data: Mapping[str, Any]
) -> bytes:
    """An event about a conversation: its data begin with who is talking to whom."""
    return render(
        id,
        type,
        source=conversation.connector,
        subject=conversation.id,
        time=time,
        data={"conversation": conversation.view(), **data},
    )
