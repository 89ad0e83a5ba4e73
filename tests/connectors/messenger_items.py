"""Items of a Messenger delivery, and the events that the connector makes of them."""

from typing import Any

from connectors import AnyEvent, Echo, Message
from connectors.recordings import Recording

from .accounts import PAGE_ID, messenger

CONSUMER = "24000000000000001"
SENT_AT = 1760000000001


def item(**content: Any) -> dict[str, Any]:
    """An item from the consumer."""
    return {
        "sender": {"id": CONSUMER},
        "recipient": {"id": PAGE_ID},
        "timestamp": SENT_AT,
        **content,
    }


def echo_item(**content: Any) -> dict[str, Any]:
    """An item from the Page."""
    return item(**content) | {"sender": {"id": PAGE_ID}, "recipient": {"id": CONSUMER}}


def read(*items: Any, name: str = "messaging") -> list[AnyEvent]:
    """The events of a delivery with these items."""
    content = {"object": "page", "entry": [{"id": PAGE_ID, "time": SENT_AT, name: list(items)}]}
    connector = messenger()
    return connector.parse(Recording("made", content).delivery(connector))


def said(**message: Any) -> Message:
    """The event of a message from the consumer."""
    (event,) = read(item(message={"mid": "m_1", **message}))
    assert isinstance(event, Message), event
    return event


def shared(card: Any) -> Message:
    """The event of a message that consists of one attachment."""
    return said(attachments=[card])


def echoed(**message: Any) -> Echo:
    """The event of a message from the Page."""
    (event,) = read(echo_item(message={"mid": "m_2", "is_echo": True, **message}))
    assert isinstance(event, Echo), event
    return event
