"""The emulated Twilio refuses texts, and reports failed ones, with its codes and words."""

from collections.abc import AsyncIterator

import pytest

from simulator import Consumer, Twilio
from simulator.twilio.calls import ERRORS, FAILURES
from tests.simulator.twilio_calls import CLEO, account_url, form, login, sent
from tests.simulator.webhook import Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage[Twilio]]:
    async with staged(Twilio) as started:
        yield started


def callback(stage: Stage[Twilio]) -> str:
    return f"{stage.webhook.url}/status?m=ours"


@pytest.mark.parametrize("code", ERRORS)
async def test_every_listed_code_refuses_in_words(stage: Stage[Twilio], code: int) -> None:
    stage.platform.refuse_next(code)
    answer = await sent(stage)
    status, message = ERRORS[code]
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"] == message


@pytest.mark.parametrize("code", FAILURES)
async def test_a_failed_text_has_code_and_words(stage: Stage[Twilio], code: int) -> None:
    await sent(stage, StatusCallback=callback(stage))
    await stage.platform.fail(stage.platform.sent[0], code)
    fields = form(stage)
    assert fields["MessageStatus"] == "undelivered"
    assert (fields["ErrorCode"], fields["ErrorMessage"]) == (str(code), FAILURES[code])


async def test_the_words_of_a_failure_can_be_left_out(stage: Stage[Twilio]) -> None:
    stage.platform.explains_failures = False
    await sent(stage, StatusCallback=callback(stage))
    await stage.platform.fail(stage.platform.sent[0], 30003)
    assert form(stage)["ErrorCode"] == "30003"
    assert "ErrorMessage" not in form(stage)


@pytest.mark.parametrize("code", [30003, 30005, 30006, 30008])
async def test_an_unreachable_handset_ends_undelivered(stage: Stage[Twilio], code: int) -> None:
    stage.platform.carrier_failures[CLEO.id] = code
    answer = await sent(stage, StatusCallback=callback(stage))
    assert answer.status_code == 201
    await stage.platform.until_receipts_sent()
    statuses = [form(stage, number) for number in range(len(stage.webhook.arrived))]
    assert [fields["MessageStatus"] for fields in statuses] == ["sent", "undelivered"]
    assert statuses[1]["ErrorCode"] == str(code)
    sid = answer.json()["sid"]
    shown = await stage.http.get(f"{account_url(stage)}/Messages/{sid}.json", auth=login(stage))
    assert (shown.json()["status"], shown.json()["error_code"]) == ("undelivered", code)


async def test_an_opt_out_is_refused_immediately(stage: Stage[Twilio]) -> None:
    await stage.platform.send(CLEO, "STOP")
    answer = await sent(stage)
    assert (answer.status_code, answer.json()["code"]) == (400, 21610)
    assert answer.json()["message"] == "Attempt to send to unsubscribed recipient"


async def test_an_opt_out_can_be_reported_by_callback(stage: Stage[Twilio]) -> None:
    stage.platform.reports_opt_outs_later = True
    await stage.platform.send(CLEO, "STOP")
    assert (await sent(stage, StatusCallback=callback(stage))).status_code == 201
    await stage.platform.until_receipts_sent()
    fields = form(stage)
    assert (fields["MessageStatus"], fields["ErrorCode"]) == ("failed", "21610")
    assert fields["ErrorMessage"] == "Attempt to send to unsubscribed recipient"


async def test_sender_and_recipient_must_share_a_channel(stage: Stage[Twilio]) -> None:
    sender, to = f"whatsapp:{Twilio.number}", f"whatsapp:{CLEO.id}"
    assert (await sent(stage, From=sender)).json()["code"] == 21910
    assert (await sent(stage, To=to)).json()["code"] == 21910
    assert (await sent(stage, From=sender, To=to)).status_code == 201
    assert (await sent(stage, From="rcs:example_agent", To=f"rcs:{CLEO.id}")).status_code == 201


async def test_other_consumers_stay_reachable(stage: Stage[Twilio]) -> None:
    stage.platform.carrier_failures[CLEO.id] = 30003
    stage.platform.receipts = ("sent", "delivered")
    dora = Consumer("+15550007777", "Dora")
    await sent(stage, To=dora.id, StatusCallback=callback(stage))
    await stage.platform.until_receipts_sent()
    assert form(stage)["MessageStatus"] == "delivered"
