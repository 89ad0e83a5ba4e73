"""WhatsApp: numbers that are also used in the app: echoes, old messages, contacts."""

from typing import Any

import pytest

from normalizer.events import Deletion, Echo, Edit, Message, Notice, Party, Unknown

from .accounts import PHONE_NUMBER_ID
from .whatsapp_deliveries import ANN, BUSINESS, NUMBER, USER_ID, change, message, read, received

PHOTO = {"id": "M9", "mime_type": "image/jpeg", "sha256": "ab", "caption": "like this"}


def echoed(type: str, content: Any, **more: Any) -> Any:
    raw = {"from": BUSINESS, "to": NUMBER, "id": "wamid.E1=", "timestamp": "1760000000"}
    raw |= {"type": type, type: content, **more}
    (event,) = read(change("smb_message_echoes", contacts=[ANN], message_echoes=[raw]))
    return event


def old(sender: str, type: str = "text", **more: Any) -> dict[str, Any]:
    content = {} if type == "media_placeholder" else {type: {"body": "Hello"}}
    raw = {"from": sender, "id": "wamid.H1=", "timestamp": "1739230955", "type": type}
    return {**raw, **content, "history_context": {"status": "READ"}, **more}


def history(*messages: Any, **thread: Any) -> Any:
    threads = [{"id": NUMBER, "messages": list(messages), **thread}]
    chunk = {"metadata": {"phase": 0, "chunk_order": 1, "progress": 55}, "threads": threads}
    return read(change("history", history=[chunk]))


# Echoes


def test_an_echos_photo_can_be_opened_and_its_consumer_has_a_name() -> None:
    event = echoed("image", PHOTO)
    assert isinstance(event, Echo)
    assert event.party == Party(NUMBER, "Ann", (USER_ID,))
    (attachment,) = event.attachments
    assert (event.text, attachment.kind) == ("like this", "photo")
    assert attachment.media is not None
    assert attachment.media.locator == {"id": "M9", "account": PHONE_NUMBER_ID}


def test_an_echo_to_a_number_with_plus_is_the_same_person() -> None:
    assert echoed("text", {"body": "Hi"}, to=f"+{NUMBER}").party.id == NUMBER


def test_an_edit_of_an_echo_is_an_edit() -> None:
    new = {"type": "text", "text": {"body": "Half past nine"}}
    event = echoed("edit", {"original_message_id": "wamid.E0=", "message": new})
    assert isinstance(event, Edit)
    assert (event.target, event.text) == ("wamid.E0=", "Half past nine")


def test_a_revoked_echo_is_a_deletion() -> None:
    event = echoed("revoke", {"original_message_id": "wamid.E0="})
    assert isinstance(event, Deletion)
    assert (event.target, event.party.id) == ("wamid.E0=", NUMBER)


def test_an_echo_of_unknown_type_shows_a_line() -> None:
    event = echoed("catalog_message", {"header": "Spring"})
    assert isinstance(event, Echo)
    assert event.text == "Spring"
    assert [one.kind for one in event.attachments] == ["unsupported"]
    assert event.extra == {"catalog_message": {"header": "Spring"}}


def test_the_businesss_reaction_is_a_line_in_words() -> None:
    event = echoed("reaction", {"message_id": "wamid.T1=", "emoji": "👍"})
    assert (event.type, event.text) == ("notice", "The business reacted with 👍.")


def test_an_echos_quote_is_kept() -> None:
    assert echoed("text", {"body": "Yes"}, context={"id": "wamid.T1="}).reply_to == "wamid.T1="


# Messages of the past


def test_old_messages_have_their_direction_and_open_nothing() -> None:
    theirs, ours = history(old(NUMBER), old(BUSINESS, id="wamid.H2="))
    assert isinstance(theirs, Message)
    assert isinstance(ours, Echo)
    assert (theirs.id, ours.message_id) == ("wamid.H1=", "wamid.H2=")
    assert (theirs.history, ours.history) == (True, True)
    assert theirs.party == ours.party == Party(NUMBER)


def test_an_old_message_is_the_same_as_the_live_one() -> None:
    (event,) = history(old(NUMBER, id="wamid.M1="))
    assert event.id == received("text", {"body": "Hello"}).id


@pytest.mark.parametrize("display", [None, "+1 555-000-2222"])
def test_direction_is_known_however_the_number_is_written(display: str | None) -> None:
    chunk = change("history", history=[{"threads": [{"id": NUMBER, "messages": [old(BUSINESS)]}]}])
    chunk["value"]["metadata"]["display_phone_number"] = display
    (event,) = read(chunk)
    assert isinstance(event, Echo)


def test_a_thread_names_a_user_without_a_number() -> None:
    context = {"user_id": USER_ID, "username": "ann.w"}
    raw = {**old(NUMBER), "from": None, "from_user_id": USER_ID}
    (event,) = history(raw, id=USER_ID, context=context)
    assert isinstance(event, Message)
    assert event.party == Party(USER_ID, "ann.w")


def test_a_placeholder_and_its_file_have_one_id() -> None:
    (placeholder,) = history(old(NUMBER, "media_placeholder"))
    (attachment,) = placeholder.attachments
    assert (attachment.kind, attachment.details) == ("unsupported", {"type": "media_placeholder"})
    raw = {**message("image", PHOTO), "id": "wamid.H1="}
    (photo,) = read(change("history", messages=[raw]))
    assert isinstance(photo, Message)
    assert (photo.id, photo.history) == ("wamid.H1=", True)
    media = photo.attachments[0].media
    assert media is not None
    assert media.locator["id"] == "M9"
    assert placeholder.id == photo.id


def test_the_businesss_old_file_goes_to_its_recipient() -> None:
    raw = {**message("image", PHOTO), "from": BUSINESS, "to": NUMBER}
    (event,) = read(change("history", messages=[raw]))
    assert isinstance(event, Echo)
    assert (event.party.id, event.history) == (NUMBER, True)


def test_a_damaged_old_message_costs_only_itself() -> None:
    events = history(old(NUMBER, id=None), None, old(NUMBER))
    assert [type(event) for event in events] == [Unknown, Unknown, Message]
    assert not any(event.opens_window for event in events[:2])


def test_an_old_change_of_number_changes_nothing_today() -> None:
    system = {"type": "user_changed_number", "wa_id": "15550009999", "body": "changed"}
    (event,) = history(old(NUMBER, "system", system=system))
    assert isinstance(event, Notice)
    assert (event.text, event.party) == ("changed", Party(NUMBER))


@pytest.mark.parametrize(
    ("type", "content"),
    [
        ("reaction", {"message_id": "wamid.H2=", "emoji": "👍"}),
        ("request_welcome", {}),
        ("interactive", {"type": "call_permission_reply"}),
    ],
)
def test_nothing_old_opens_the_window(type: str, content: Any) -> None:
    (event,) = history(old(NUMBER, type, **{type: content}))
    assert event.opens_window is False


def test_a_refused_history_says_why() -> None:
    error = {"code": 2593109, "title": "History sharing is turned off"}
    (event,) = read(change("history", history=[{"errors": [error]}]))
    assert isinstance(event, Notice)
    assert (event.party, event.details) == (None, {"errors": [error]})


# The app's contacts


def saved(action: str, **contact: Any) -> Any:
    entry = {"type": "contact", "contact": {"phone_number": f"+{NUMBER}", **contact}}
    entry |= {"action": action, "metadata": {"timestamp": "1739321024"}}
    (event,) = read(change("smb_app_state_sync", state_sync=[entry]))
    return event


def test_a_saved_contact_concerns_the_account_only() -> None:
    event = saved("add", full_name="Ann Example", first_name="Ann")
    assert isinstance(event, Notice)
    assert event.party is None
    assert event.text == (
        "The business saved this contact as Ann Example in its WhatsApp Business app."
    )
    assert event.sent_at is not None
    assert not event.opens_window


def test_a_removed_contact_is_a_notice() -> None:
    event = saved("remove")
    assert event.party is None
    assert event.text == "The business removed this contact from its WhatsApp Business app."
