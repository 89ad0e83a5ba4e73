"""Twilio's and Apple's deliveries in the journal: one person by several channels, and one answer delivered twice."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors import Text
from gateway.journal import AgentText
from gateway.journal.sqlite.journal import SqliteJournal
from normalizer.events import AnyEvent
from tests.connectors.accounts import SUBACCOUNT_SID, twilio
from tests.connectors.forms import CONSUMER, NUMBER, form, parsed
from tests.connectors.test_apple_answers import answer, slot
from tests.gateway.people import events_of, tell, types_of

BY_RCS = {"From": f"rcs:{CONSUMER}", "To": "rcs:example_agent"}
SUBACCOUNTS = {"account_sids": [SUBACCOUNT_SID]}


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    opened = await SqliteJournal.open(tmp_path, hold_seconds=2)
    yield opened
    await opened.close()


def received(sid: str, **fields: str) -> list[AnyEvent]:
    return parsed(form(MessageSid=sid, **{"Body": f"text of {sid}", **fields}), **SUBACCOUNTS)


async def the_conversation(journal: SqliteJournal) -> Any:
    (conversation,) = await journal.conversations(limit=9)
    return conversation


async def answered(journal: SqliteJournal, id: str) -> tuple[str, str, str]:
    """The URL, the sender and the recipient of the call that answers the only conversation."""
    conversation = (await the_conversation(journal))["id"]
    await journal.accept_text(AgentText(id, conversation, "anna", "hi", ("hi",), None))
    part = (await journal.open_parts())[-1]
    to = await journal.trying(part.outgoing, part.position)
    assert to is not None
    text = Text(id, to.account, to.consumer, "hi", "https://x/s", route=to.route)
    call = next(twilio(**SUBACCOUNTS).send_text(text))
    assert call.form is not None
    return call.url, call.form["From"], call.form["To"]


async def test_answers_follow_the_consumer_between_rcs_and_sms(journal: SqliteJournal) -> None:
    by_number, by_rcs = (NUMBER, CONSUMER), (BY_RCS["To"], BY_RCS["From"])
    turns: list[tuple[dict[str, str], tuple[str, str]]] = [
        ({}, by_number),
        (BY_RCS, by_rcs),
        ({}, by_number),
        (BY_RCS, by_rcs),
    ]
    for number, (fields, sides) in enumerate(turns):
        await tell(journal, *received(f"SM{number}", **fields))
        assert (await answered(journal, f"msg_{number}"))[1:] == sides


async def test_a_conversation_that_began_by_rcs_goes_on_by_sms(journal: SqliteJournal) -> None:
    await tell(journal, *received("SM1", **BY_RCS), *received("SM2"))
    consumer = (await the_conversation(journal))["consumer"]
    assert consumer["id"] == CONSUMER
    assert BY_RCS["From"] in consumer["aliases"]


async def test_a_subaccounts_conversation_is_answered_through_it(journal: SqliteJournal) -> None:
    await tell(journal, *received("SM1", AccountSid=SUBACCOUNT_SID))
    url, sender, recipient = await answered(journal, "msg_1")
    assert f"/Accounts/{SUBACCOUNT_SID}/" in url
    assert (sender, recipient) == (NUMBER, CONSUMER)


async def test_stop_lasts_until_start(journal: SqliteJournal) -> None:
    states = []
    for sid, fields in (
        ("SM1", {"Body": "STOP", "OptOutType": "STOP"}),
        ("SM2", {"Body": "where is it?"}),
        ("SM3", {"Body": "START", "OptOutType": "START"}),
    ):
        await tell(journal, *received(sid, **fields), reports_opt_in=twilio().reports_opt_in)
        states.append((await the_conversation(journal))["opted_out"])
    assert states == [True, True, False]


async def test_an_answer_delivered_twice_is_one_message(journal: SqliteJournal) -> None:
    first = answer(slot(startTime="2026-04-02T08:30Z"))
    recorded = await tell(journal, first)
    assert types_of(recorded) == ["message.received"]
    assert events_of(recorded)[0]["data"]["message"]["text"] == "2026-04-02 08:30 UTC"
    assert types_of(await tell(journal, replace(first, id="m-2"))) == []
