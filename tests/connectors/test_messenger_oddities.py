"""Messenger: whatever a single field holds, the consumer's text and the neighbours arrive."""

from typing import Any

import pytest

from connectors import Echo, Message
from connectors.kit.paths import changed, fields

from .messenger_items import echo_item, item, read

ODD: tuple[Any, ...] = (
    *(None, [], {}, "", "x", 5, -1, 1.5, True, [1], [None], [[]], [{}], {"x": {}}, [{"x": 1}, 2]),
    *("\u0000", "x" * 100_000, 2**62, {"type": {}}, {"url": []}),
)
TEXT = "is it still there?"
MESSAGE = {
    "mid": "m_1",
    "text": TEXT,
    "quick_reply": {"payload": "YES"},
    "reply_to": {"mid": "m_0", "is_self_reply": False},
    "referral": {"product": {"id": "P-77"}},
    "attachments": [
        {"type": "image", "payload": {"url": "https://scontent.xx.fbcdn.net/a.jpg"}},
        {"type": "sticker", "payload": {"url": "https://x.example/s.png", "sticker_id": 77}},
        {"type": "location", "title": "Home", "payload": {"coordinates": {"lat": 1, "long": 2}}},
        {"type": "fallback", "title": "A page", "url": "https://x.example/", "payload": None},
        {"type": "ig_reel", "payload": {"url": "/reel/1/", "reel_video_id": 1}},
        {
            "type": "template",
            "payload": {
                "template_type": "generic",
                "product": {"elements": [{"id": "1", "title": "Mug", "subtitle": "EUR 9"}]},
                "elements": [
                    {"buttons": [{"type": "web_url", "title": "Buy", "url": "https://x"}]}
                ],
            },
        },
    ],
    "nlp": {"entities": {}},
    "app_id": 1,
    "metadata": "msg_1",
}
NEIGHBOUR = item(message={"mid": "m_9", "text": "me too"})
#: Without these, an item is not a message of this consumer.
ESSENTIAL = {("message",), ("message", "text"), ("sender",), ("sender", "id")}


def paths(content: dict[str, Any]) -> list[Any]:
    return [path for path in fields(content) if path not in ESSENTIAL]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_no_odd_field_costs_the_text_of_a_message(odd: Any) -> None:
    content = item(message=MESSAGE)
    for path in paths(content):
        first, event, last = read(NEIGHBOUR, changed(content, path, odd), NEIGHBOUR)
        assert isinstance(event, Message), (path, event)
        assert event.text is not None
        assert event.text.startswith(TEXT), path
        assert [first.type, last.type] == ["message", "message"]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_no_odd_field_costs_the_text_of_an_echo(odd: Any) -> None:
    content = echo_item(message={**MESSAGE, "is_echo": True})
    for path in fields(content):
        if path[0] == "recipient" or path in {("message",), ("message", "text")}:
            continue
        (event,) = read(changed(content, path, odd))
        assert isinstance(event, Echo), (path, event)
        assert event.text is not None
        assert event.text.startswith(TEXT), path


@pytest.mark.parametrize("key", ["postback", "reaction", "message_edit", "delivery", "read"])
@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_an_odd_item_leaves_its_neighbours_untouched(key: str, odd: Any) -> None:
    events = read(NEIGHBOUR, item(**{key: odd}), NEIGHBOUR)
    assert len(events) == 3
    assert [events[0].type, events[2].type] == ["message", "message"]
