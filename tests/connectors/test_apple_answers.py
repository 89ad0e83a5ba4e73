"""What consumers choose in Apple's pickers, forms and apps: in words, for machines, and once."""

import base64
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from connectors import Message

from .accounts import BUSINESS_ID, apple, delivery

APPLES = (
    "com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:"
    "com.apple.icloud.apps.messages.business.extension"
)
THANKS = {"replyMessage": {"title": "Thank you!", "subtitle": "See you soon"}}
REFERENCE = {
    "bid": APPLES,
    "owner": "M3a",
    "url": "https://p54-content.icloud.com/M1",
    "size": "10240",
    "signature-base64": "gQABAgMEBQYHCAkKCwwNDg8QERIT",
    "key": "00" + "8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a",
}


def message(type: str = "interactive", **fields: Any) -> Message:
    usual = {"id": "m-1", "sourceId": "urn:mbid:AQAAY", "destinationId": BUSINESS_ID}
    (event,) = apple().parse(delivery({"v": 1, "type": type, **usual, **fields}))
    assert isinstance(event, Message), event
    return event


def answer(data: Any, session: Any = "s-1", bid: str = APPLES, **more: Any) -> Message:
    return message(interactiveData={"bid": bid, "sessionIdentifier": session, "data": data, **more})


def slot(**fields: Any) -> dict[str, Any]:
    return {"event": {"timeslots": [{"identifier": "7", **fields}]}, **THANKS}


def page(title: Any, *items: Any) -> dict[str, Any]:
    return {"pageIdentifier": "0", "title": title, "items": list(items)}


def form(*pages: Any) -> dict[str, Any]:
    return {"dynamic": {"template": "messageForms", "version": "1.2", "selections": list(pages)}, **THANKS}  # fmt: skip


# Times --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "duration", "words"),
    [
        ("2026-04-02T08:30+0000", 3600, "2026-04-02 08:30 UTC, 1 hour"),
        ("2026-04-02T08:30-0700", 5400, "2026-04-02 08:30 UTC-07:00, 1 hour 30 minutes"),
        ("2026-04-02T08:30+05:30", "2700", "2026-04-02 08:30 UTC+05:30, 45 minutes"),
        ("2026-04-02T08:30:00.000Z", 7260, "2026-04-02 08:30 UTC, 2 hours 1 minute"),
        ("2026-04-02T08:30", None, "2026-04-02 08:30"),
        ("2026-04-02T08:30Z", "soon", "2026-04-02 08:30 UTC"),
        ("2026-04-02T08:30Z", -1, "2026-04-02 08:30 UTC"),
        ("2026-04-02T08:30Z", True, "2026-04-02 08:30 UTC"),
        ("next Tuesday", 60, "next Tuesday"),
        (None, None, "7"),
    ],
)
def test_a_chosen_time_is_shown_in_words(start: Any, duration: Any, words: str) -> None:
    event = answer(slot(startTime=start, duration=duration))
    assert (event.text, event.choice, event.attachments) == (words, "7", ())


def test_a_time_of_the_older_form_is_shown() -> None:
    inner = slot(startTime="2026-04-02T08:30Z")["event"]
    for data in ({"timePicker": {"event": inner}}, {"timePicker": inner}):
        assert answer(data).text == "2026-04-02 08:30 UTC"


def test_a_time_without_an_identifier_is_chosen_by_its_start() -> None:
    event = answer({"event": {"timeslots": [{"startTime": "2026-04-02T08:30Z"}]}})
    assert event.choice == "2026-04-02T08:30Z"


def test_no_courtesy_of_the_business_is_the_consumers_word() -> None:
    unknown: tuple[dict[str, Any], ...] = (
        {"event": {"timeslots": []}},
        {"listPicker": {"sections": []}},
        {"quick-reply": {"selectedIndex": 9, "items": []}},
        {"dynamic": {"selections": []}},
        {"authenticate": {"token": "secret"}},
    )
    for data in unknown:
        event = answer({**data, **THANKS})
        assert event.text is None
        assert [one.kind for one in event.attachments] == ["unsupported"]


# Lists, quick replies and forms --------------------------------------------------------------------


def test_a_list_is_its_chosen_items() -> None:
    items = [{"identifier": "a", "title": "Arm", "subtitle": "EUR 9"}, {"title": "Leg"}, "Seat"]
    event = answer({"listPicker": {"sections": [{"items": items[:1]}, {"items": items[1:]}]}, **THANKS})  # fmt: skip
    assert (event.text, event.choice) == ("Arm (EUR 9), Leg, Seat", "a")


def test_a_quick_reply_is_its_chosen_item() -> None:
    items = [{"identifier": "y", "title": "Yes"}, {"identifier": "n", "title": "No"}]
    event = answer({"quick-reply": {"selectedIndex": 1, "items": items}, **THANKS})
    assert (event.text, event.choice) == ("No", "n")
    event = answer({"quick-reply": {"selectedIdentifier": "maybe", "items": items}})
    assert (event.text, event.choice) == ("maybe", "maybe")


def test_a_form_is_one_line_for_each_page() -> None:
    data = form(
        page("Full name", {"title": "Full name", "value": "Ann Example"}),
        page("Colour", {"identifier": "1", "title": "Blue", "value": "1"}),
        page("Extras", {"title": "Gift", "value": "gift"}, {"title": "Card", "value": "C-2"}),
        page("Not answered"),
        page("", {"value": "2026-04-02"}),
    )
    event = answer(data)
    assert event.text is not None
    assert event.text.splitlines() == [
        "Full name: Ann Example",
        "Colour: Blue",
        "Extras: Gift, Card (C-2)",
        "2026-04-02",
    ]
    assert orjson.loads(event.choice or "") == data["dynamic"]


def test_a_form_of_another_shape_is_shown_in_words() -> None:
    inside = {"dynamic": {"data": {"selections": [page("Size", {"value": "M"})]}}}
    assert answer(inside).text == "Size: M"
    assert answer({"dynamic": {"data": {"size": "M"}, "template": "x"}}).text == "size: M"
    assert answer({"dynamic": {"selections": [{"title": "Size", "value": "M"}]}}).text == "Size: M"


# Authentication, payments and apps -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"authenticate": {"status": "authenticated", "token": "hunter2"}}, "Authentication: authenticated"),
        ({"payment": {"state": "paid", "token": {"data": "hunter2"}, "billingContact": "hunter2"}}, "Payment: paid"),
    ],
)  # fmt: skip
def test_an_outcome_is_shown_without_its_secrets(data: Any, words: str) -> None:
    event = answer({**data, **THANKS})
    assert event.text == words
    assert "hunter2" not in repr(event)


def test_an_app_answers_with_its_fields() -> None:
    bid = "com.apple.messages.MSMessageExtensionBalloonPlugin:ABC:com.example.seats"
    more: dict[str, Any] = {"bid": bid, "appId": 1, "appName": "Seats", "URL": "?seat=12A"}
    event = answer({"seat": "12A"}, **more)
    assert event.text == "seat: 12A"
    assert event.extra is not None
    assert event.extra["interactiveData"]["URL"] == "?seat=12A"
    assert answer({"seat": "12A", **THANKS}, **more).text == "Thank you!\nSee you soon"
    (attachment,) = answer({}, **more).attachments
    assert attachment.details == {"interactive": [], "app": "Seats"}


def test_an_answer_without_its_envelope_is_read() -> None:
    event = message(interactiveData={"quick-reply": {"selectedIndex": 0, "items": ["Yes"]}})
    assert event.text == "Yes"
    assert message(interactiveData={"replyMessage": {"title": "Blue"}}).text == "Blue"


def test_an_archived_answer_is_decoded() -> None:
    list_picker = {"sections": [{"items": [{"identifier": "blue", "title": "Blue?>"}]}]}
    encoded = base64.b64encode(orjson.dumps(list_picker)).decode()
    objects = ["$null", {"title": "x"}, "?" + urlencode({"listPicker": encoded, "x": "%%%"})]
    event = message(interactiveData={"bid": APPLES, "$objects": objects})
    assert (event.text, event.choice) == ("Blue?>", "blue")


def test_machine_readable_data_are_kept_without_pictures() -> None:
    data = {"quick-reply": {"selectedIndex": 0, "items": [{"title": "Yes"}]}, "images": ["A" * 99]}
    event = answer(data)
    assert event.extra is not None
    kept = event.extra["interactiveData"]
    assert kept["sessionIdentifier"] == "s-1"
    assert kept["data"] == {"quick-reply": data["quick-reply"]}


@pytest.mark.parametrize("odd", ["x", 7, True, [], ["x"], [[]], {}, {"x": None}])
@pytest.mark.parametrize(
    "name",
    ["event", "timePicker", "listPicker", "quick-reply", "dynamic", "authenticate", "payment"],
)
def test_a_malformed_answer_costs_no_words(name: str, odd: Any) -> None:
    for data in ({name: odd}, {name: {"items": odd, "sections": odd, "timeslots": odd}}):
        event = answer({**data, "replyMessage": odd}, body="words")
        assert event.text or event.attachments


def test_an_answer_nested_too_deep_is_cut() -> None:
    deep: Any = "x"
    for _ in range(200):
        deep = {"a": [deep]}
    event = message(interactiveData={"data": {"custom": deep}}, body="words")
    assert event.text == "words"


# References ----------------------------------------------------------------------------------------


def test_a_reference_with_a_title_is_its_title() -> None:
    event = message(interactiveDataRef={**REFERENCE, "title": "Selected 12 chairs"})
    assert (event.text, event.attachments) == ("Selected 12 chairs", ())
    assert event.extra is not None
    assert event.extra["interactiveDataRef"]["title"] == "Selected 12 chairs"


def test_a_reference_without_a_title_is_kept() -> None:
    event = message(interactiveDataRef=REFERENCE)
    (attachment,) = event.attachments
    assert (attachment.kind, attachment.refused) == ("unsupported", "unsupported_type")
    assert attachment.media is not None
    assert attachment.media.locator["url"] == REFERENCE["url"]
    assert REFERENCE["key"] not in repr(event.extra)
    assert REFERENCE["key"] not in repr(attachment.details)


def test_a_form_beside_its_reference_is_read() -> None:
    data = {"data": form(page("Size", {"value": "M"}))}
    copy = {**REFERENCE, "name": "answer"}
    event = message(interactiveData=data, interactiveDataRef=REFERENCE, attachments=[copy])
    assert (event.text, event.attachments) == ("Size: M", ())


def test_a_photo_beside_an_answer_is_kept() -> None:
    photo = {**REFERENCE, "url": "https://p54-content.icloud.com/M2", "mimeType": "image/jpeg"}
    event = message(
        interactiveData={"data": form(page("Size", {"value": "M"}))}, attachments=[photo]
    )
    assert event.text == "Size: M"
    assert [one.kind for one in event.attachments] == ["photo"]


# Repeats -------------------------------------------------------------------------------------------


def test_a_repeated_answer_has_the_same_key() -> None:
    data = slot(startTime="2026-04-02T08:30Z")
    reordered = dict(reversed(data.items()))
    assert answer(data).repeat_key == answer(reordered).repeat_key is not None


def test_another_answer_has_another_key() -> None:
    first = answer(slot(startTime="2026-04-02T08:30Z"))
    later = answer(slot(startTime="2026-04-02T09:30Z"))
    elsewhere = answer(slot(startTime="2026-04-02T08:30Z"), session="s-2")
    another = message(
        sourceId="urn:mbid:BQAAY",
        interactiveData={"sessionIdentifier": "s-1", "data": slot(startTime="2026-04-02T08:30Z")},
    )
    assert len({one.repeat_key for one in (first, later, elsewhere, another)}) == 4


def test_an_answer_without_a_session_has_no_key() -> None:
    assert answer(slot(), session=None).repeat_key is None
    assert message("text", body="hello").repeat_key is None
