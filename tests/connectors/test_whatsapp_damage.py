"""WhatsApp: a damaged entry costs nothing but itself, and never the conversation it belongs to."""

from typing import Any

import pytest

from normalizer.events import Deletion, Edit, Message, Reaction, Unknown, dump, load

from .accounts import PHONE_NUMBER_ID, delivery, whatsapp
from .whatsapp_deliveries import ANN, NUMBER, change, message, read, received

OTHER = {"from": "15550003333", "id": "wamid.OTHER="}
GOOD = message("text", {"body": "Hello"}, id="wamid.GOOD=")


@pytest.mark.parametrize(
    "bad",
    [
        *(None, 5, "x", [], {}),
        *({**GOOD, "id": None}, {**GOOD, "id": {}}, {**GOOD, "from": []}),
        *(message("reaction"), message("edit", {}), message("revoke", None)),
        *(message("system"), message("system", "x")),
    ],
)
def test_a_damaged_message_costs_only_itself(bad: Any) -> None:
    events = read(change("messages", messages=[GOOD, bad, {**GOOD, "id": "wamid.GOOD2="}]))
    assert [type(event) for event in events] == [Message, Unknown, Message]


@pytest.mark.parametrize("bad", [{"id": None}, {"id": []}])
def test_an_unreadable_message_belongs_to_its_sender(bad: dict[str, Any]) -> None:
    event = received("text", {"body": "Hello"}, **bad)
    assert isinstance(event, Unknown)
    assert event.party is not None
    assert (event.party.id, event.account) == (NUMBER, PHONE_NUMBER_ID)
    assert event.opens_window


@pytest.mark.parametrize(
    "more",
    [
        *({"timestamp": None}, {"timestamp": "soon"}, {"timestamp": "9" * 30}),
        *({"context": "x"}, {"referral": 5}, {"errors": [None]}, {"context": {"id": 5}}),
    ],
)
def test_a_damaged_field_costs_no_message(more: dict[str, Any]) -> None:
    event = received("text", {"body": "Hello"}, **more)
    assert isinstance(event, Message)
    assert (event.text, event.party.name) == ("Hello", "Ann")


@pytest.mark.parametrize(
    "contact",
    [
        *(None, "x", {"wa_id": {}}, {"wa_id": NUMBER, "profile": "x"}),
        *({"wa_id": NUMBER, "profile": {"name": 5}}, {"user_id": [1]}),
    ],
)
def test_a_damaged_contact_costs_no_message(contact: Any) -> None:
    (event,) = read(change("messages", contacts=[contact], messages=[GOOD]))
    assert isinstance(event, Message)
    assert (event.text, event.party.id, event.party.name) == ("Hello", NUMBER, None)


def test_a_damaged_change_costs_only_itself() -> None:
    good = change("messages", contacts=[ANN], messages=[GOOD])
    changes: list[Any] = [None, {"field": "messages"}, {"field": "messages", "value": 5}, good]
    assert [type(event) for event in read(*changes)] == [Unknown, Unknown, Unknown, Message]


def test_an_entry_without_an_id_is_read() -> None:
    entry = {"changes": [change("messages", messages=[GOOD])]}
    content = {"object": "whatsapp_business_account", "entry": [entry]}
    (event,) = whatsapp().parse(delivery(content))
    assert isinstance(event, Message)
    assert event.account == PHONE_NUMBER_ID


def test_a_damaged_error_of_a_status_keeps_the_status() -> None:
    errors: list[Any] = [None, {}]
    status = {"id": "wamid.O1=", "status": "failed", "recipient_id": NUMBER, "errors": errors}
    (event,) = read(change("messages", statuses=[status]))
    assert (event.type, event.status) == ("receipt", "failed")


def test_a_failed_status_has_metas_code_and_words() -> None:
    error = {"code": 131999, "title": "New", "error_data": {"details": "Something else."}}
    status = {"id": "wamid.O1=", "status": "failed", "recipient_id": NUMBER, "errors": [error]}
    (event,) = read(change("messages", statuses=[status]))
    assert (event.reason, event.code, event.detail) == (
        "unknown",
        "131999",
        "New / Something else.",
    )


def test_the_status_of_a_payment_is_not_a_receipt() -> None:
    status = {"id": "pay-1", "type": "payment", "status": "failed", "recipient_id": NUMBER}
    (event,) = read(change("messages", statuses=[status]))
    assert (event.type, event.kind, event.text) == ("notice", "payment.failed", "Payment: failed.")


@pytest.mark.parametrize("status", ["deleted", "warning"])
def test_an_old_status_has_words(status: str) -> None:
    raw = {"id": "wamid.O1=", "status": status, "recipient_id": NUMBER}
    (event,) = read(change("messages", statuses=[raw]))
    assert (event.type, event.kind) == ("notice", status)
    assert event.text


def test_a_name_with_half_a_character_costs_only_its_message() -> None:
    contacts = [{**ANN, "profile": {"name": "Ann \ud83d"}}, {"wa_id": "15550003333"}]
    events = read(change("messages", contacts=contacts, messages=[GOOD, {**GOOD, **OTHER}]))
    assert load(dump(events)) == events
    assert [type(event) for event in events] == [Unknown, Message]


# Quotes, reactions, edits


def test_a_quote_is_kept_with_every_kind_of_content() -> None:
    for type, content in (("text", {"body": "x"}), ("image", {"id": "1"}), ("poll", {"id": "p"})):
        assert received(type, content, context={"id": "wamid.T1="}).reply_to == "wamid.T1="


@pytest.mark.parametrize(("emoji", "kept"), [("👍", "👍"), ("", None), (None, None), (5, None)])
def test_a_reaction_without_an_emoji_is_a_removal(emoji: Any, kept: str | None) -> None:
    event = received("reaction", {"message_id": "wamid.T1=", "emoji": emoji})
    assert isinstance(event, Reaction)
    assert (event.target, event.emoji) == ("wamid.T1=", kept)
    assert event.opens_window is (kept is not None)


def test_a_consumers_edit_has_the_new_words() -> None:
    new = {"type": "image", "image": {"id": "1", "caption": "the other one"}}
    event = received("edit", {"original_message_id": "wamid.T1=", "message": new})
    assert isinstance(event, Edit)
    assert (event.target, event.text) == ("wamid.T1=", "the other one")


@pytest.mark.parametrize("new", [{"type": "text", "text": {"body": " "}}, {"type": "hologram"}])
def test_an_edit_that_cannot_be_shown_says_so(new: dict[str, Any]) -> None:
    event = received("edit", {"original_message_id": "wamid.T1=", "message": new})
    assert isinstance(event, Edit)
    assert (event.text, [one.kind for one in event.attachments]) == (None, ["unsupported"])


def test_a_consumers_deletion_names_its_message() -> None:
    event = received("revoke", {"original_message_id": "wamid.T1="})
    assert isinstance(event, Deletion)
    assert event.target == "wamid.T1="
