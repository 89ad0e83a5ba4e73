"""Sending texts, marking messages as read, authentication, and checking the account."""

import base64
import uuid
from dataclasses import replace
from typing import Any

import jwt
import pytest

from connectors import Call, Text, Typing

from .accounts import (
    ACCESS_TOKEN,
    ACCOUNT_SID,
    AUTH_TOKEN,
    BUSINESS_ID,
    MSP_ID,
    MSP_SECRET,
    NOW,
    PAGE_ID,
    PHONE_NUMBER_ID,
    apple,
    instagram,
    messenger,
    twilio,
    whatsapp,
)
from .run_flow import drive, ok, refused

GRAPH = "https://graph.facebook.com/v25.0"
STATUS_URL = "https://chat.example.com/webhooks/sms/status?m=msg_1"


def text(account: str = "", to: str = "15550001111", **more: Any) -> Text:
    return Text("msg_1", account, to, "Good morning 🙂", STATUS_URL, **more)


# WhatsApp -----------------------------------------------------------------------------------------


def test_whatsapp_receives_a_text_with_our_key() -> None:
    connector = whatsapp(appsecret_proof=False)
    answer = {"messages": [{"id": "wamid.BBB=", "message_status": "accepted"}]}
    (call,), sent = drive(connector.send_text(text()), ok(answer))
    assert call == Call(
        "POST",
        f"{GRAPH}/{PHONE_NUMBER_ID}/messages",
        json={
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "15550001111",
            "type": "text",
            "text": {"body": "Good morning 🙂", "preview_url": False},
            "biz_opaque_callback_data": "msg_1",
        },
    )
    assert (sent.id, sent.status) == ("wamid.BBB=", "sent")


@pytest.mark.parametrize("shown", [True, False])
def test_whatsapp_shows_previews_of_links_by_setting(shown: bool) -> None:
    connector = whatsapp(preview_url=shown)
    (call,), _ = drive(connector.send_text(text()), ok({"messages": [{"id": "wamid.BBB="}]}))
    assert call.json["text"]["preview_url"] is shown


def test_whatsapp_replies_from_the_number_that_received_the_message() -> None:
    call = next(whatsapp(appsecret_proof=False).send_text(text("200000000000001")))
    assert call.url == f"{GRAPH}/200000000000001/messages"


def test_whatsapp_users_without_a_number_are_addressed_by_id() -> None:
    call = next(whatsapp().send_text(text(to="US.13491208655302741918")))
    assert call.json["recipient"] == "US.13491208655302741918"
    assert "to" not in call.json


def test_whatsapp_receives_the_message_that_a_text_quotes() -> None:
    call = next(whatsapp().send_text(text(reply_to="wamid.AAA=")))
    assert call.json["context"] == {"message_id": "wamid.AAA="}


def test_whatsapp_receives_read_status() -> None:
    connector = whatsapp(appsecret_proof=False)
    (call,), result = drive(connector.mark_read("1", "2", "wamid.AAA="), ok({"success": True}))
    assert call.url == f"{GRAPH}/1/messages"
    assert call.json == {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.AAA=",
    }
    assert result is None


def test_whatsapp_receives_typing_with_read_status_and_no_end() -> None:
    connector = whatsapp(appsecret_proof=False)
    writing = Typing("typing_1", "1", "2", "wamid.AAA=")
    (call,), _ = drive(connector.send_typing(writing), ok({"success": True}))
    assert call.json == {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.AAA=",
        "typing_indicator": {"type": "text"},
    }
    assert not list(connector.send_typing(replace(writing, on=False)))


# Messenger ----------------------------------------------------------------------------------------


def test_messenger_receives_a_text_with_our_key() -> None:
    connector = messenger(appsecret_proof=False)
    answer = {"recipient_id": "24", "message_id": "m_xyz"}
    (call,), sent = drive(connector.send_text(text(to="24", reply_to="m_1")), ok(answer))
    assert call == Call(
        "POST",
        f"{GRAPH}/{PAGE_ID}/messages",
        json={
            "recipient": {"id": "24"},
            "messaging_type": "RESPONSE",
            "message": {"text": "Good morning 🙂", "metadata": "msg_1"},
        },
    )
    assert sent.id == "m_xyz"


def test_messenger_receives_mark_seen() -> None:
    (call,), _ = drive(messenger(appsecret_proof=False).mark_read("", "24", "m_1"), ok({}))
    assert call.url == f"{GRAPH}/{PAGE_ID}/messages"
    assert call.json == {"recipient": {"id": "24"}, "sender_action": "mark_seen"}


HOUR = 3600.0


@pytest.mark.parametrize(
    ("human_agent", "silence", "tag"),
    [(False, 30 * HOUR, None), (True, 23 * HOUR, None), (True, 30 * HOUR, "HUMAN_AGENT")],
)
@pytest.mark.parametrize("make", [instagram, messenger])
def test_the_human_agent_tag_needs_the_setting_and_silence(
    make: Any, human_agent: bool, silence: float, tag: str | None
) -> None:
    connector = make(human_agent=human_agent)
    assert connector.reply_window == (7 * 24 if human_agent else 24) * HOUR
    (call,), _ = drive(connector.send_text(text(silence=silence)), ok({"message_id": "m_1"}))
    assert call.json.get("tag") == tag
    assert call.json["messaging_type"] == ("MESSAGE_TAG" if tag else "RESPONSE")


@pytest.mark.parametrize(("on", "action"), [(True, "typing_on"), (False, "typing_off")])
def test_messenger_receives_typing_on_and_typing_off(on: bool, action: str) -> None:
    writing = Typing("typing_1", "", "24", "m_1", on=on)
    (call,), _ = drive(messenger().send_typing(writing), ok({}))
    assert call.json == {"recipient": {"id": "24"}, "sender_action": action}


@pytest.mark.parametrize("connector", [messenger(), whatsapp()], ids=["messenger", "whatsapp"])
def test_meta_receives_the_access_token_in_a_header(connector: Any) -> None:
    assert connector.authorize(NOW) == {"authorization": f"Bearer {ACCESS_TOKEN}"}


# Twilio -------------------------------------------------------------------------------------------

MESSAGES = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
CREATED = {"sid": "SM1", "status": "queued", "error_code": None, "error_message": None}


def test_twilio_receives_a_form_with_a_status_url() -> None:
    (call,), sent = drive(twilio().send_text(text(to="+15550001111")), ok(CREATED, 201))
    assert call == Call(
        "POST",
        MESSAGES,
        form={
            "To": "+15550001111",
            "From": "+15550002222",
            "Body": "Good morning 🙂",
            "StatusCallback": STATUS_URL,
        },
    )
    assert sent.id == "SM1"


@pytest.mark.parametrize("account", ["+15550003333", "whatsapp:+15550002222"])
def test_twilio_replies_from_the_number_that_received_the_message(account: str) -> None:
    form = next(twilio().send_text(text(account))).form or {}
    assert form["From"] == account


def test_twilio_receives_a_messaging_service_instead_of_a_number() -> None:
    connector = twilio(sender=None, messaging_service_sid="MG1")
    form = next(connector.send_text(text("+15550002222"))).form or {}
    assert form["MessagingServiceSid"] == "MG1"
    assert "From" not in form


def test_twilio_errors_in_a_success_are_refusals() -> None:
    answer = {"sid": "SM1", "status": "failed", "error_code": 21610}
    assert refused(twilio().send_text(text()), ok(answer, 201, "send")).reason == "opted_out"


def test_twilio_receives_the_first_auth_token_or_the_api_key() -> None:
    assert basic(twilio()) == f"{ACCOUNT_SID}:{AUTH_TOKEN}"
    assert basic(twilio(api_key="SK1", api_secret="key-secret")) == "SK1:key-secret"


def basic(connector: Any) -> str:
    scheme, _, pair = connector.authorize(NOW)["authorization"].partition(" ")
    assert scheme == "Basic"
    return base64.b64decode(pair).decode()


def test_twilio_deliveries_are_acknowledged_with_empty_twiml() -> None:
    answer = twilio().acknowledge()
    assert (answer.status, answer.media_type) == (200, "text/xml")
    assert answer.body == b'<?xml version="1.0" encoding="UTF-8"?><Response/>'


# Apple --------------------------------------------------------------------------------------------


def test_apple_receives_a_text_with_our_message_id() -> None:
    to = "urn:mbid:AQAAYexample/+="
    (call,), sent = drive(apple().send_text(text(to=to)), ok())
    assert (call.method, call.url) == ("POST", "https://mspgw.push.apple.com/v1/message")
    assert call.headers == {"id": sent.id, "source-id": BUSINESS_ID, "destination-id": to}
    assert call.json == {
        "v": 1,
        "type": "text",
        "id": sent.id,
        "sourceId": BUSINESS_ID,
        "destinationId": to,
        "body": "Good morning 🙂",
    }
    assert str(uuid.UUID(sent.id)) == sent.id


def test_apple_receives_one_id_for_all_attempts_of_a_text() -> None:
    first, again = (drive(apple().send_text(text()), ok())[1].id for _ in range(2))
    assert first == again
    other = Text("msg_2", "", "15550001111", "Good morning 🙂", STATUS_URL)
    assert drive(apple().send_text(other), ok())[1].id != first


def test_apple_texts_come_from_the_business_that_received_the_message() -> None:
    call = next(apple().send_text(text("another-business")))
    assert call.headers["source-id"] == call.json["sourceId"] == "another-business"


def test_apple_receives_a_freshly_issued_token() -> None:
    scheme, _, bearer = apple().authorize(NOW)["authorization"].partition(" ")
    assert scheme == "Bearer"
    assert jwt.get_unverified_header(bearer)["alg"] == "HS256"
    options: Any = {"verify_iat": False}
    key = base64.b64decode(MSP_SECRET)
    claims = jwt.decode(bearer, key, algorithms=["HS256"], options=options)
    assert claims == {"iss": MSP_ID, "iat": int(NOW.timestamp())}


# health -------------------------------------------------------------------------------------------


def test_check_returns_the_name_of_the_account() -> None:
    number = {"verified_name": "Ann's Chairs", "display_phone_number": "+1 555 000 2222", "id": "1"}
    (call,), name = drive(whatsapp(appsecret_proof=False).check(), ok(number))
    assert name == "Ann's Chairs, +1 555 000 2222"
    assert call.url == (f"{GRAPH}/{PHONE_NUMBER_ID}?fields=verified_name%2Cdisplay_phone_number")
    (call,), name = drive(messenger(appsecret_proof=False).check(), ok({"name": "Ann's Chairs"}))
    assert (name, call.url) == ("Ann's Chairs", f"{GRAPH}/{PAGE_ID}?fields=name")
    (call,), name = drive(twilio().check(), ok({"friendly_name": "Ann's Chairs"}))
    assert (name, call.url) == ("Ann's Chairs", MESSAGES.replace("/Messages", ""))
    assert drive(apple().check()) == ([], MSP_ID)


@pytest.mark.parametrize(
    "connector", [messenger(), twilio(), whatsapp()], ids=["messenger", "twilio", "whatsapp"]
)
@pytest.mark.parametrize("answer", [None, {}, [], {"error": {"code": 190}}, {"messages": []}])
def test_a_reply_without_a_message_id_is_refused(connector: Any, answer: Any) -> None:
    assert not refused(connector.send_text(text()), ok(answer, purpose="send")).retry
