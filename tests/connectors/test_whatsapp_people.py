"""WhatsApp: a consumer's address, its changes, and texts to either kind of address."""

from typing import Any

import pytest

from connectors import Text
from normalizer.events import Identity, Notice, Party

from .accounts import PHONE_NUMBER_ID, whatsapp
from .run_flow import drive, ok
from .whatsapp_deliveries import ANN, NUMBER, USER_ID, change, message, read, received

NEW_NUMBER, NEW_USER_ID = "15550009999", "US.999"
TEXT = {"body": "Hello"}


def system(*, contacts: Any = None, sender: Any = None, **content: Any) -> Any:
    sender = {"from": NUMBER} if sender is None else sender
    raw = {"id": "wamid.S1=", "timestamp": "1760000000", "type": "system", "system": content}
    more = {"contacts": contacts} if contacts else {}
    (event,) = read(change("messages", messages=[{**raw, **sender}], **more))
    return event


# Which id is the address


def test_the_number_is_the_address_and_the_user_id_an_alias() -> None:
    event = received("text", TEXT, from_user_id=USER_ID)
    assert event.party == Party(NUMBER, "Ann", (USER_ID,))


def test_the_contacts_number_is_the_address_of_a_user_id() -> None:
    raw = message("text", TEXT, from_user_id=USER_ID)
    del raw["from"]
    (event,) = read(change("messages", contacts=[ANN], messages=[raw]))
    assert event.party == Party(NUMBER, "Ann", (USER_ID,))


def test_a_user_id_alone_is_the_address() -> None:
    contact = {"profile": {"username": "ann.w"}, "user_id": USER_ID}
    raw = {**message("text", TEXT), "from": USER_ID}
    (event,) = read(change("messages", contacts=[contact], messages=[raw]))
    assert event.party == Party(USER_ID, "ann.w")


def test_a_number_with_a_plus_sign_is_the_same_person() -> None:
    raw = {**message("text", TEXT), "from": "+1 555-000-1111"}
    (event,) = read(change("messages", messages=[raw]))
    assert event.party == Party(NUMBER)


def test_a_receipt_names_the_number_first() -> None:
    status = {"id": "wamid.O1=", "status": "sent", "timestamp": "1760000000"}
    ids = {"recipient_id": NUMBER, "recipient_user_id": USER_ID}
    (event,) = read(change("messages", statuses=[{**status, **ids}]))
    assert event.party == Party(NUMBER, None, (USER_ID,))


@pytest.mark.parametrize(("to", "field"), [(NUMBER, "to"), (USER_ID, "recipient")])
def test_texts_go_to_both_kinds_of_address(to: str, field: str) -> None:
    out = Text("msg_1", PHONE_NUMBER_ID, to, "Good morning", "")
    (call,), _ = drive(whatsapp().send_text(out), ok({"messages": [{"id": "wamid.B="}]}))
    assert {name: call.json[name] for name in ("to", "recipient") if name in call.json} == {
        field: to
    }


def test_previews_of_links_are_off_by_default() -> None:
    assert whatsapp().config.preview_url is False


# Changes of the address


def test_a_new_number_becomes_the_address() -> None:
    body = f"User Ann changed from {NUMBER} to {NEW_NUMBER}"
    event = system(type="user_changed_number", body=body, wa_id=NEW_NUMBER)
    assert isinstance(event, Identity)
    assert (event.party, event.former) == (Party(NEW_NUMBER), (NUMBER,))
    assert (event.text, event.id) == (body, "system:wamid.S1=")


def test_a_new_number_and_user_id_replace_both() -> None:
    sender = {"from": NUMBER, "from_user_id": USER_ID}
    more = {"type": "user_changed_number", "wa_id": NEW_NUMBER, "user_id": NEW_USER_ID}
    event = system(sender=sender, contacts=[ANN], **more)
    assert event.party == Party(NEW_NUMBER, "Ann", (NEW_USER_ID,))
    assert event.former == (NUMBER, USER_ID)


def test_a_new_number_alone_keeps_the_user_id() -> None:
    sender = {"from": NUMBER, "from_user_id": USER_ID}
    event = system(sender=sender, type="user_changed_number", wa_id=NEW_NUMBER)
    assert (event.party, event.former) == (Party(NEW_NUMBER, None, (USER_ID,)), (NUMBER,))


@pytest.mark.parametrize("more", [{"new_wa_id": NEW_NUMBER}, {"wa_id": NEW_NUMBER}])
def test_the_old_form_of_a_new_number_is_read(more: dict[str, str]) -> None:
    event = system(type="customer_changed_number", customer=NUMBER, **more)
    assert (event.party, event.former) == (Party(NEW_NUMBER), (NUMBER,))


def test_a_new_user_id_keeps_the_number() -> None:
    sender = {"from": NUMBER, "from_user_id": USER_ID}
    event = system(sender=sender, type="user_changed_user_id", user_id=NEW_USER_ID)
    assert (event.party, event.former) == (Party(NUMBER, None, (NEW_USER_ID,)), (USER_ID,))


@pytest.mark.parametrize(
    "more",
    [{"body": f"User Ann changed from {USER_ID} to {NEW_USER_ID}"}, {"previous_user_id": USER_ID}],
)
def test_a_new_user_id_without_a_sender_names_the_former(more: dict[str, str]) -> None:
    event = system(sender={}, type="user_changed_user_id", user_id=NEW_USER_ID, **more)
    assert (event.party, event.former) == (Party(NEW_USER_ID), (USER_ID,))


def test_words_that_contradict_the_data_are_not_believed() -> None:
    body = "User changed from 15550007777 to 15550008888"
    event = system(type="user_changed_number", body=body, wa_id=NEW_NUMBER)
    assert event.former == (NUMBER,)


def test_a_name_is_not_taken_for_an_id() -> None:
    event = system(type="note", body="Ann changed from Ann to Anna")
    assert isinstance(event, Notice)
    assert event.party == Party(NUMBER)


def test_the_update_of_a_user_id_names_both() -> None:
    update = {
        "wa_id": NEW_NUMBER,
        "detail": "User id for Ann has been updated.",
        "user_id": {"previous": USER_ID, "current": NEW_USER_ID},
        "timestamp": "1760000000",
    }
    contact = {"profile": {"name": "Ann"}, "wa_id": NEW_NUMBER}
    (event,) = read(change("user_id_update", contacts=[contact], user_id_update=[update]))
    assert event.party == Party(NEW_NUMBER, "Ann", (NEW_USER_ID,))
    assert (event.former, event.text) == ((USER_ID,), "User id for Ann has been updated.")


@pytest.mark.parametrize("type", ["customer_identity_changed", "user_identity_changed"])
def test_a_new_security_code_is_a_notice(type: str) -> None:
    event = system(type=type, body="Ann's security code changed", wa_id=NUMBER, identity="h4sh")
    assert isinstance(event, Notice)
    assert (event.kind, event.party) == (type, Party(NUMBER))
    assert event.text == "Ann's security code changed"


def test_a_change_to_the_same_number_is_a_notice() -> None:
    event = system(type="user_changed_number", body="changed", wa_id=NUMBER)
    assert isinstance(event, Notice)


# Opt-outs


@pytest.mark.parametrize("value", ["stop", "resume"])
def test_a_marketing_preference_does_not_opt_out(value: str) -> None:
    detail = "User requested to stop marketing messages"
    item: dict[str, Any] = {"wa_id": NUMBER, "category": "marketing_messages", "value": value}
    item |= {"detail": detail, "timestamp": 1760000070}
    (event,) = read(change("user_preferences", contacts=[ANN], user_preferences=[item]))
    assert isinstance(event, Notice)
    assert (event.party, event.text) == (Party(NUMBER, "Ann", (USER_ID,)), detail)
    assert event.details == item
    assert "opted_out" not in event.details


def test_a_preference_without_words_gets_some() -> None:
    item = {"wa_id": NUMBER, "value": "stop", "timestamp": 1760000070}
    (event,) = read(change("user_preferences", user_preferences=[item]))
    assert event.text == "The consumer does not want marketing messages. Answers are still welcome."
