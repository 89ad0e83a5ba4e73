"""Messenger: messages with little, odd or unknown content are shown, or say that they cannot be."""

from typing import Any

import pytest

from connectors import Deletion, Echo, Edit, Message, Unknown
from connectors.recordings import Recording
from normalizer.events import AnyEvent

from .accounts import PAGE_ID, messenger
from .messenger_items import CONSUMER, echo_item, echoed, item, read, said, shared

PHOTO = {"type": "image", "payload": {"url": "https://scontent.xx.fbcdn.net/v/a.jpg"}}
THUMB = 369239263222822


def kinds(event: AnyEvent) -> list[str]:
    return [found.kind for found in getattr(event, "attachments", ())]


@pytest.mark.parametrize("message", [{}, {"text": ""}, {"text": " \n"}, {"attachments": []}])
def test_a_message_without_content_says_so(message: dict[str, Any]) -> None:
    for event in (said(**message), echoed(**message)):
        assert (event.text, kinds(event)) == (None, ["unsupported"])


def test_unknown_fields_of_a_message_reach_the_core() -> None:
    poll = {"question": "Which?", "options": ["blue", "red"]}
    assert said(poll=poll).extra == {"poll": poll}
    assert said(text="hello", commands=[{"name": "stock"}]).extra == {
        "commands": [{"name": "stock"}]
    }
    assert said(text="hello").extra is None


@pytest.mark.parametrize(
    "odd",
    [
        {"quick_reply": "yes"},
        {"quick_reply": ["yes"]},
        {"quick_reply": {"payload": {"a": 1}}},
        {"reply_to": "m_0"},
        {"reply_to": [1, 2]},
        {"reply_to": {"mid": []}},
    ],
)
def test_an_odd_field_never_costs_the_text(odd: dict[str, Any]) -> None:
    message = said(text="still here", **odd)
    assert (message.text, message.extra) == ("still here", odd)


@pytest.mark.parametrize("referral", ["r1", ["r1"], 7])
def test_an_odd_referral_is_kept(referral: Any) -> None:
    assert said(text="hi", referral=referral).referral == {"value": referral}


@pytest.mark.parametrize("time", ["soon", [], {}, True, 10**30, -(10**30)])
def test_an_odd_time_never_costs_the_text(time: Any) -> None:
    (event,) = read(item(message={"mid": "m_1", "text": "hi"}) | {"timestamp": time})
    assert isinstance(event, Message)
    assert event.text == "hi"


def test_numbers_in_place_of_texts_are_read() -> None:
    message = said(mid=17, text=42, quick_reply={"payload": 5})
    assert (message.id, message.text, message.choice) == ("17", "42", "5")


def test_objects_in_lists_of_one_are_read() -> None:
    (event,) = read(
        {
            "sender": [{"id": CONSUMER}],
            "recipient": [{"id": PAGE_ID}],
            "message": [{"mid": "m_1", "text": "hi", "quick_reply": [{"payload": "yes"}]}],
        }
    )
    assert isinstance(event, Message)
    assert (event.text, event.choice) == ("hi", "yes")


def test_a_payload_that_is_a_list_yields_every_file() -> None:
    urls = [f"https://scontent.xx.fbcdn.net/v/{name}.jpg" for name in "ab"]
    message = shared({"type": "image", "payload": [{"url": url} for url in urls]})
    assert [one.media.locator["url"] for one in message.attachments if one.media] == urls


@pytest.mark.parametrize("card", [None, 5, "x", [], {}, {"type": None}, {"type": []}, {"type": 7}])
def test_an_odd_attachment_leaves_its_neighbours_untouched(card: Any) -> None:
    message = said(text="look", attachments=[PHOTO, card, PHOTO])
    assert kinds(message) == ["photo", "unsupported", "photo"]
    assert message.extra == {"attachments": [card]}


def test_an_unknown_attachment_keeps_everything_known() -> None:
    card = {"type": "hologram", "title": "A room", "payload": {"url": "https://x.example/h"}}
    message = shared(card)
    assert kinds(message) == ["unsupported"]
    assert message.extra == {"attachments": [card]}


@pytest.mark.parametrize("type", ["image", "video", "audio", "file"])
def test_a_file_without_an_address_is_gone_but_described(type: str) -> None:
    card = {"type": type, "payload": {"attachment_id": 77}}
    message = shared(card)
    assert [one.refused for one in message.attachments] == ["gone"]
    assert message.extra == {"attachments": [card]}


def test_attachments_of_every_kind_keep_their_order() -> None:
    url = "https://cdn.fbsbx.com/v/"
    message = said(
        attachments=[
            {"type": "audio", "payload": {"url": f"{url}voice.mp4"}},
            {"type": "file", "payload": {"url": f"{url}a%20bill.pdf?oe=1"}},
            {"type": "location", "payload": {"coordinates": {"lat": "51.05", "long": 3.72}}},
            {"type": "fallback", "title": "A page", "payload": {"url": "https://x.example/"}},
            {"type": "sticker", "payload": {"url": f"{url}s.png", "sticker_id": 77}},
            PHOTO,
        ]
    )
    assert kinds(message) == ["audio", "document", "location", "sticker", "photo"]
    assert message.text == "A page\nhttps://x.example/"
    assert message.attachments[2].details == {"latitude": 51.05, "longitude": 3.72}


def test_a_location_without_coordinates_is_described() -> None:
    card = {"type": "location", "title": "Home", "payload": {"coordinates": None}}
    message = shared(card)
    assert kinds(message) == ["unsupported"]
    assert message.extra == {"attachments": [card]}


@pytest.mark.parametrize(
    "message",
    [
        {"sticker_id": THUMB},
        {"attachments": [{"type": "sticker", "payload": {"sticker_id": str(THUMB)}}]},
        {"attachments": [{"type": "image", "payload": {"sticker_id": THUMB, "url": None}}]},
    ],
)
def test_a_thumb_without_an_address_is_its_character(message: dict[str, Any]) -> None:
    event = said(**message)
    assert (event.text, event.attachments) == ("👍", ())
    assert said(text="ok", **message).text == "ok\n👍"


def test_a_sticker_by_id_only_is_described() -> None:
    card = {"type": "sticker", "payload": {"sticker_id": 77}}
    message = shared(card)
    assert [(one.kind, one.refused) for one in message.attachments] == [("sticker", "gone")]
    assert message.extra == {"attachments": [card]}


def test_a_sticker_is_fetched_from_whichever_form_has_an_address() -> None:
    bare = {"type": "sticker", "payload": {"sticker_id": 77}}
    image = {"type": "image", "payload": {"sticker_id": 77, "url": PHOTO["payload"]["url"]}}  # type: ignore[index]  # an object
    for cards in ([bare, image], [image, bare]):
        (found,) = said(attachments=cards).attachments
        assert (found.kind, found.media is not None) == ("sticker", True)


def test_a_message_without_an_id_is_still_shown() -> None:
    content = item(message={"text": "hello"})
    (event,), (again,) = read(content), read(content)
    assert isinstance(event, Message)
    assert event.text == "hello"
    assert event.id == again.id


@pytest.mark.parametrize(
    "content",
    [{"message": "text"}, {"message": []}, {"hologram": {"x": 1}}, {"postback": [1, 2]}],
)
def test_an_unreadable_message_opens_its_conversation(content: dict[str, Any]) -> None:
    (event,) = read(item(**content))
    assert isinstance(event, Unknown)
    assert event.opens_window
    assert (event.account, event.party and event.party.id) == (PAGE_ID, CONSUMER)
    assert event.sent_at is not None
    assert event.raw == item(**content)


@pytest.mark.parametrize("content", [{"read": {}}, {"delivery": "x"}, {"read": {"watermark": []}}])
def test_an_unreadable_receipt_opens_nothing(content: dict[str, Any]) -> None:
    (event,) = read(item(**content))
    assert isinstance(event, Unknown)
    assert not event.opens_window


def test_what_the_page_did_opens_nothing() -> None:
    (event,) = read(echo_item(hologram={"x": 1}))
    assert isinstance(event, Unknown)
    assert not event.opens_window
    assert event.party is not None
    assert event.party.id == CONSUMER


def test_deeply_nested_data_never_costs_the_text() -> None:
    deep: Any = "x"
    for _ in range(400):
        deep = {"title": deep} if len(str(deep)) % 2 else [deep]
    message = said(text="hi", surprise=deep, attachments=[{"type": "template", "payload": deep}])
    assert message.text is not None
    assert message.text.startswith("hi")


# echoes -------------------------------------------------------------------------------------------


def test_an_echo_carries_its_files_and_its_app() -> None:
    echo = echoed(attachments=[PHOTO], app_id=263902037430900, metadata="msg_1")
    (found,) = echo.attachments
    assert found.media is not None
    assert (echo.sender_app, echo.key) == ("263902037430900", "msg_1")
    assert (echo.party.id, echo.extra) == (CONSUMER, None)


def test_an_echo_without_a_mark_belongs_to_the_recipient() -> None:
    (event,) = read(echo_item(message_edit={"mid": "m_2", "text": "corrected", "num_edit": 1}))
    assert isinstance(event, Edit)
    assert (event.party.id, event.target, event.text) == (CONSUMER, "m_2", "corrected")


@pytest.mark.parametrize("build", [item, echo_item])
def test_an_unsent_message_is_deleted_on_either_side(build: Any) -> None:
    echo = {"is_echo": True} if build is echo_item else {}
    (event,) = read(build(message={"mid": "m_2", "is_deleted": True, **echo}))
    assert isinstance(event, Deletion)
    assert (event.party.id, event.target) == (CONSUMER, "m_2")


def test_an_edit_to_nothing_has_no_text() -> None:
    (event,) = read(item(message_edit={"mid": "m_1", "text": " ", "num_edit": 2}))
    assert isinstance(event, Edit)
    assert event.text is None


def test_words_of_the_page_without_a_mark_are_an_echo() -> None:
    (event,) = read(echo_item(message={"mid": "m_2", "text": "We are on it"}))
    assert isinstance(event, Echo)
    assert (event.party.id, event.text) == (CONSUMER, "We are on it")


@pytest.mark.parametrize(("mark", "type"), [("true", "echo"), (1, "echo"), ("false", "message")])
def test_flags_may_be_texts_or_numbers(mark: Any, type: str) -> None:
    person = {"recipient": {"id": CONSUMER}, "sender": {"id": "the Page's other id"}}
    content = item(message={"mid": "m_2", "text": "hi", "is_echo": mark}) | person
    assert [event.type for event in read(content)] == [type]


def test_fields_beside_a_message_reach_the_core() -> None:
    prior = {"source": "checkbox_plugin", "identifier": "ref-77"}
    content = item(message={"mid": "m_1", "text": "hi"}, prior_message=prior, referral={"ref": "r"})
    (event,) = read(content)
    assert isinstance(event, Message)
    assert event.extra == {"prior_message": prior, "referral": {"ref": "r"}}
    assert event.referral == {"ref": "r"}


@pytest.mark.parametrize("build", [item, echo_item])
def test_an_entry_without_an_id_is_read_by_its_items(build: Any) -> None:
    echo = {"is_echo": True} if build is echo_item else {}
    items = [None, build(message={"mid": "m_1", "text": "hi", **echo})]
    connector = messenger()
    content = {"object": "page", "entry": [{"messaging": items}]}
    events = connector.parse(Recording("made", content).delivery(connector))
    assert [event.account for event in events] == [PAGE_ID, PAGE_ID]
    assert isinstance(events[1], Message | Echo)
    assert events[1].party.id == CONSUMER


def test_one_bad_item_never_costs_its_neighbours() -> None:
    good = item(message={"mid": "m_1", "text": "hi"})
    bad: list[Any] = [None, 5, [], {"message": {}}, item(message={"attachments": {"type": {}}})]
    for odd in bad:
        events = read(good, odd, good)
        assert [event.type for event in (events[0], events[-1])] == ["message", "message"]
        assert len(events) == 3


@pytest.mark.parametrize(
    ("url", "is_fetched"),
    [("https://cdn.fbsbx.com/v/h", True), ("javascript:x", False), ("", False), (None, False)],
)
def test_an_attachment_of_an_unknown_type_is_fetched(url: str | None, is_fetched: bool) -> None:
    (attachment,) = shared({"type": "hologram", "payload": {"url": url}}).attachments
    assert (attachment.media is not None) is is_fetched
