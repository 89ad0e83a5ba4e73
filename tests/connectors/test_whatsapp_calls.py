"""WhatsApp: calls are lines in the conversation, and the consumer's calls open the reply window."""

from typing import Any

import pytest

from normalizer.events import Notice, Party, Unknown

from .whatsapp_deliveries import ANN, BUSINESS, NUMBER, USER_ID, change, read


def called(event: str = "connect", **more: Any) -> Any:
    raw = {"id": "wacid.1", "from": NUMBER, "to": BUSINESS, "timestamp": "1760000000"}
    raw |= {"event": event, "direction": "USER_INITIATED", **more}
    (found,) = read(change("calls", contacts=[ANN], calls=[raw]))
    return found


def test_a_consumers_call_is_a_line_and_opens_the_window() -> None:
    event = called()
    assert isinstance(event, Notice)
    assert event.party == Party(NUMBER, "Ann", (USER_ID,))
    assert (event.kind, event.text) == ("call.connect", "A call from the consumer.")
    assert event.opens_window


def test_a_calls_begin_and_end_are_two_lines() -> None:
    assert called().id != called("terminate").id


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"duration": 75}, "The call from the consumer ended after 1:15 minutes."),
        ({"duration": "5"}, "The call from the consumer ended after 0:05 minutes."),
        ({"status": "FAILED"}, "The call from the consumer was not answered."),
        (
            {"errors": [{"code": 1, "title": "Busy"}]},
            "The call from the consumer was not answered. Busy",
        ),
    ],
)
def test_the_end_of_a_call_says_how_it_went(more: dict[str, Any], text: str) -> None:
    assert called("terminate", **more).text == text


def test_the_businesss_call_opens_no_window() -> None:
    ids = {"from": BUSINESS, "to": NUMBER}
    event = called("terminate", direction="BUSINESS_INITIATED", **ids)
    assert (event.party.id, event.opens_window) == (NUMBER, False)
    assert event.text == "The call to the consumer was not answered."


def test_the_direction_of_a_call_follows_from_its_numbers() -> None:
    assert called(direction=None).opens_window
    ids = {"from": BUSINESS, "to": NUMBER}
    assert not called(direction=None, **ids).opens_window


def test_a_calls_session_keys_are_dropped() -> None:
    session = {"sdp_type": "offer", "sdp": "a=ice-pwd:secret"}
    assert "session" not in called(session=session).details


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("RINGING", "The call to the consumer is ringing."),
        ("REJECTED", "The consumer rejected the call."),
        ("HELD", "Call to the consumer: held."),
    ],
)
def test_the_status_of_a_call_is_not_a_receipt(status: str, text: str) -> None:
    raw = {"id": "wacid.1", "type": "call", "status": status, "recipient_id": NUMBER}
    (event,) = read(change("calls", statuses=[{**raw, "timestamp": "1760000000"}]))
    assert isinstance(event, Notice)
    assert (event.party, event.text, event.opens_window) == (Party(NUMBER), text, False)


def test_a_damaged_call_costs_only_itself() -> None:
    good = {"id": "wacid.2", "from": NUMBER, "event": "connect", "direction": "USER_INITIATED"}
    events = read(change("calls", calls=[None, {"id": "wacid.1"}, good]))
    assert [type(event) for event in events] == [Unknown, Unknown, Notice]
