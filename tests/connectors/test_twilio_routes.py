"""Conversations and answers through Twilio: subaccounts, RCS, messaging services, and other channels."""

from typing import Any

import pytest

from connectors import Message, Notice, Receipt, Text

from .accounts import ACCOUNT_SID, SUBACCOUNT_SID, twilio
from .forms import CONSUMER, NUMBER, form, parsed, status
from .run_flow import refused

AGENT = "rcs:example_agent"
SERVICE = "MG00000000000000000000000000000001"
SUBACCOUNTS = {"account_sids": [SUBACCOUNT_SID]}
BY_SERVICE = {"sender": None, "messaging_service_sid": SERVICE}


def received(settings: dict[str, Any] | None = None, **fields: str) -> Message:
    (event,) = parsed(form(Body="hello", **fields), **(settings or {}))
    assert isinstance(event, Message)
    return event


def answer(event: Message, settings: dict[str, Any] | None = None) -> Any:
    """The call that answers a message."""
    text = Text("msg_1", event.account, event.party.id, "Hi", "https://x/s", route=event.route)
    return next(twilio(**(settings or {})).send_text(text))


def test_a_subaccounts_delivery_is_answered_through_it() -> None:
    event = received(SUBACCOUNTS, AccountSid=SUBACCOUNT_SID)
    assert event.route == SUBACCOUNT_SID
    call = answer(event, SUBACCOUNTS)
    assert f"/Accounts/{SUBACCOUNT_SID}/Messages.json" in call.url
    assert call.form["From"] == NUMBER


def test_the_own_accounts_delivery_needs_no_route() -> None:
    event = received(SUBACCOUNTS)
    assert event.route is None
    assert f"/Accounts/{ACCOUNT_SID}/Messages.json" in answer(event, SUBACCOUNTS).url


def test_a_subaccounts_notice_and_receipt_have_its_route() -> None:
    events = [
        *parsed(form(OptOutType="STOP", AccountSid=SUBACCOUNT_SID), **SUBACCOUNTS),
        *parsed(status("queued", AccountSid=SUBACCOUNT_SID), **SUBACCOUNTS),
        *parsed(status("delivered", AccountSid=SUBACCOUNT_SID), **SUBACCOUNTS),
    ]
    assert [type(event) for event in events] == [Notice, Notice, Receipt]
    assert {getattr(event, "route", None) for event in events} == {SUBACCOUNT_SID}


def test_a_subaccount_is_not_answered_through_the_main_service() -> None:
    settings = {**BY_SERVICE, **SUBACCOUNTS}
    call = answer(received(settings, AccountSid=SUBACCOUNT_SID), settings)
    assert call.form["From"] == NUMBER
    assert "MessagingServiceSid" not in call.form


def test_a_subaccount_that_was_removed_from_the_settings_is_reported() -> None:
    text = Text("msg_1", NUMBER, CONSUMER, "Hi", "https://x/s", route=SUBACCOUNT_SID)
    refusal = refused(twilio().send_text(text))
    assert (refusal.reason, refusal.operator) == ("misconfigured", True)
    assert "account_sids" in refusal.detail


def test_rcs_and_the_number_are_one_conversation() -> None:
    by_number = received()
    by_rcs = received(From=f"rcs:{CONSUMER}", To=AGENT)
    assert by_rcs.account == by_number.account == NUMBER
    assert by_number.party.id == CONSUMER
    assert by_rcs.party.id == f"rcs:{CONSUMER}"
    assert CONSUMER in by_rcs.party.aliases


def test_an_answer_takes_the_channel_of_the_latest_message() -> None:
    by_rcs = answer(received(From=f"rcs:{CONSUMER}", To=AGENT))
    assert (by_rcs.form["From"], by_rcs.form["To"]) == (AGENT, f"rcs:{CONSUMER}")
    by_number = answer(received())
    assert (by_number.form["From"], by_number.form["To"]) == (NUMBER, CONSUMER)


@pytest.mark.parametrize(
    ("to", "route", "called", "sender"),
    [
        (CONSUMER, None, CONSUMER, NUMBER),
        (CONSUMER, AGENT, CONSUMER, NUMBER),
        (f"rcs:{CONSUMER}", AGENT, f"rcs:{CONSUMER}", AGENT),
        (f"rcs:{CONSUMER}", None, CONSUMER, NUMBER),
    ],
)
def test_the_consumers_address_decides_the_channel(
    to: str, route: str | None, called: str, sender: str
) -> None:
    text = Text("msg_1", NUMBER, to, "Hi", "https://x/s", route=route)
    form = next(twilio().send_text(text)).form
    assert form is not None
    assert (form["To"], form["From"]) == (called, sender)


def test_a_services_rcs_and_numbers_are_one_conversation() -> None:
    by_number = received(BY_SERVICE, MessagingServiceSid=SERVICE)
    by_rcs = received(BY_SERVICE, MessagingServiceSid=SERVICE, From=f"rcs:{CONSUMER}", To=AGENT)
    assert by_rcs.account == by_number.account == SERVICE
    call = answer(by_rcs, BY_SERVICE)
    assert call.form["MessagingServiceSid"] == SERVICE
    assert call.form["To"] == f"rcs:{CONSUMER}"
    assert "From" not in call.form


def test_a_services_statuses_belong_to_the_same_conversation() -> None:
    for words in ("queued", "delivered"):
        for sender in ({}, {"From": ""}):
            content = status(words, MessagingServiceSid=SERVICE, **sender)
            (event,) = parsed(content, **BY_SERVICE)
            assert (event.account, event.party and event.party.id) == (SERVICE, CONSUMER)


def test_a_subaccounts_rcs_is_answered_through_both() -> None:
    event = received(SUBACCOUNTS, From=f"rcs:{CONSUMER}", To=AGENT, AccountSid=SUBACCOUNT_SID)
    assert event.account == AGENT
    call = answer(event, SUBACCOUNTS)
    assert f"/Accounts/{SUBACCOUNT_SID}/Messages.json" in call.url
    assert (call.form["From"], call.form["To"]) == (AGENT, f"rcs:{CONSUMER}")


@pytest.mark.parametrize("settings", [{}, BY_SERVICE])
def test_whatsapp_is_a_conversation_of_its_own(settings: dict[str, Any]) -> None:
    event = received(
        settings,
        From=f"whatsapp:{CONSUMER}",
        To=f"whatsapp:{NUMBER}",
        WaId=CONSUMER[1:],
        MessagingServiceSid=SERVICE,
    )
    assert event.account == f"whatsapp:{NUMBER}"
    assert CONSUMER not in (event.party.id, *event.party.aliases)
    call = answer(event, settings)
    assert (call.form["From"], call.form["To"]) == (
        f"whatsapp:{NUMBER}",
        f"whatsapp:{CONSUMER}",
    )


def test_a_receipt_by_rcs_belongs_to_the_numbers_conversation() -> None:
    (event,) = parsed(status("read", From=AGENT, To=f"rcs:{CONSUMER}"))
    assert event.account == NUMBER
    assert event.party is not None
    assert CONSUMER in event.party.aliases
