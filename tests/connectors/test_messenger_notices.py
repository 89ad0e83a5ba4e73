"""Messenger: what is not a message becomes a notice, which opens the reply window if the consumer acted."""

from typing import Any

import pytest

from connectors import Message, Notice, Reaction, Receipt

from .messenger_items import CONSUMER, echo_item, item, read


def noticed(**content: Any) -> Notice:
    (event,) = read(item(**content))
    assert isinstance(event, Notice), event
    assert event.party is not None
    assert event.party.id == CONSUMER
    return event


LINK = {"ref": "summer", "source": "SHORTLINK", "type": "OPEN_THREAD"}
AD = {"source": "ADS", "type": "OPEN_THREAD", "ads_context_data": {"ad_title": "Mugs"}}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"referral": LINK}, "The customer opened this conversation through a link or an ad"),
        ({"referral": AD}, "The customer opened this conversation through the ad “Mugs”"),
        (
            {"optin": {"ref": "cart"}},
            "The customer opened this conversation through a button on a website",
        ),
        (
            {"account_linking": {"status": "linked", "authorization_code": "secret-1"}},
            "The customer linked their account",
        ),
        ({"account_linking": {"status": "unlinked"}}, "The customer unlinked their account"),
        ({"game_play": {"game_id": "1"}}, "The customer played a game"),
    ],
)
def test_an_act_of_the_consumer_opens_the_window(content: dict[str, Any], text: str) -> None:
    notice = noticed(**content)
    assert (notice.text, notice.opens_window) == (text, True)
    assert "secret-1" not in repr(notice)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (
            {"optin": {"type": "notification_messages", "notification_messages_token": "secret-1"}},
            "The customer agreed to notifications from the Page",
        ),
        (
            {"optin": {"type": "one_time_notif_req", "one_time_notif_token": "secret-1"}},
            "The customer agreed to notifications from the Page",
        ),
        (
            {"optin": {"notification_messages_status": "STOP_NOTIFICATIONS", "type": ["x"]}},
            "The customer stopped notifications from the Page",
        ),
        (
            {"pass_thread_control": {"new_owner_app_id": "1"}},
            "An app passed on control of this conversation",
        ),
        (
            {"take_thread_control": {"previous_owner_app_id": "1"}},
            "An app took control of this conversation",
        ),
        (
            {"request_thread_control": {"requested_owner_app_id": "1"}},
            "An app asked for control of this conversation",
        ),
        ({"policy_enforcement": {"action": "block", "reason": "spam"}}, None),
    ],
)
def test_other_notices_open_no_window(content: dict[str, Any], text: str | None) -> None:
    notice = noticed(**content)
    assert not notice.opens_window
    assert notice.text == (text or "Meta restricted the Page: spam")
    assert "secret-1" not in repr(notice)


@pytest.mark.parametrize(
    ("action", "text"),
    [
        ("block", "Meta restricted the Page: too fast"),
        ("unblock", "Meta lifted the Page's restriction: too fast"),
        ("warning", "Meta warned the Page: too fast"),
    ],
)
@pytest.mark.parametrize("key", ["policy_enforcement", "policy-enforcement"])
def test_decisions_about_the_page_have_no_conversation(key: str, action: str, text: str) -> None:
    (event,) = read({"recipient": {"id": "1"}, key: {"action": action, "reason": "too fast"}})
    assert isinstance(event, Notice)
    assert (event.party, event.text, event.opens_window) == (None, text, False)


@pytest.mark.parametrize("value", [[], {}, "r", ["r"], 5, [{"ref": "r"}, {"ref": "s"}]])
def test_an_odd_referral_still_opens_the_window(value: Any) -> None:
    assert noticed(referral=value).opens_window


def test_a_postback_is_its_title_with_the_payload_as_choice() -> None:
    (event,) = read(item(postback={"mid": "m_1", "title": "Start", "payload": "START"}))
    assert isinstance(event, Message)
    assert (event.text, event.choice, event.extra) == ("Start", "START", None)


@pytest.mark.parametrize("payload", [{"a": 1}, ["a"], True])
def test_an_odd_postback_keeps_its_payload(payload: Any) -> None:
    (event,) = read(item(postback={"title": "Start", "payload": payload, "referral": "r"}))
    assert isinstance(event, Message)
    assert (event.text, event.choice, event.extra) == ("Start", None, {"payload": payload})
    assert event.referral == {"value": "r"}


def test_a_message_on_standby_is_marked() -> None:
    (event,) = read(item(message={"mid": "m_1", "text": "hi"}), name="standby")
    assert isinstance(event, Message)
    assert event.extra == {"standby": True}


def test_a_hand_over_on_standby_is_a_notice() -> None:
    (event,) = read(item(pass_thread_control={"new_owner_app_id": "1"}), name="standby")
    assert isinstance(event, Notice)


def test_a_reaction_of_the_page_is_a_notice() -> None:
    reaction = {"mid": "m_1", "action": "react", "emoji": "👍"}
    (event,) = read(echo_item(reaction=reaction))
    assert isinstance(event, Notice)
    assert (event.party and event.party.id, event.details) == (CONSUMER, reaction)


def test_a_reaction_without_an_action_is_added() -> None:
    (event,) = read(item(reaction={"mid": "m_1", "reaction": "love"}))
    assert isinstance(event, Reaction)
    assert event.emoji == "❤️"


def test_a_receipt_with_an_odd_time_applies_to_its_messages() -> None:
    (event,) = read(item(delivery={"mids": ["m_1", None, 7], "watermark": "soon"}))
    assert isinstance(event, Receipt)
    assert (event.message_ids, event.watermark) == (("m_1", "7"), None)


def test_a_receipt_may_name_one_message() -> None:
    (event,) = read(item(read={"mid": "m_1"}))
    assert isinstance(event, Receipt)
    assert (event.status, event.message_ids) == ("read", ("m_1",))


def test_changes_of_the_page_feed_are_notices_about_the_account() -> None:
    (event,) = read({"field": "feed", "value": {"item": "comment"}}, name="changes")
    assert isinstance(event, Notice)
    assert (event.kind, event.party, event.opens_window) == ("feed", None, False)
