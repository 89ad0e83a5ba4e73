"""The emulated Twilio keeps accounts apart: numbers, messages and files of one are unknown to another."""

from collections.abc import AsyncIterator

import pytest
from twilio.request_validator import RequestValidator

from simulator import Twilio
from simulator.twilio.accounts import Account
from tests.simulator.twilio_calls import CLEO, PHOTO, account_url, form, login, sent, sent_through
from tests.simulator.webhook import Stage, staged

SUB_NUMBER = "+15550004444"


@pytest.fixture
async def stage() -> AsyncIterator[Stage[Twilio]]:
    async with staged(Twilio) as started:
        yield started


@pytest.fixture
def sub(stage: Stage[Twilio]) -> Account:
    return stage.platform.add_subaccount(SUB_NUMBER)


async def test_a_subaccounts_delivery_has_its_id_and_signature(
    stage: Stage[Twilio], sub: Account
) -> None:
    await stage.platform.deliver(stage.platform.fields(CLEO, "hi", account=sub))
    fields = form(stage)
    assert (fields["AccountSid"], fields["To"]) == (sub.sid, SUB_NUMBER)
    proof = stage.webhook.arrived[0].headers["X-Twilio-Signature"]
    assert RequestValidator(sub.token).validate(stage.webhook.url, fields, proof)
    assert not RequestValidator(stage.platform.token).validate(stage.webhook.url, fields, proof)


async def test_the_parents_login_sends_through_a_subaccount(
    stage: Stage[Twilio], sub: Account
) -> None:
    answer = await sent_through(stage, sub.sid, login(stage), From=SUB_NUMBER)
    assert (answer.status_code, answer.json()["account_sid"]) == (201, sub.sid)
    assert stage.platform.sent[0].id == answer.json()["sid"]


async def test_a_subaccounts_login_opens_only_the_subaccount(
    stage: Stage[Twilio], sub: Account
) -> None:
    own = (sub.sid, sub.token)
    assert (await sent_through(stage, sub.sid, own, From=SUB_NUMBER)).status_code == 201
    answer = await sent_through(stage, stage.platform.account, own)
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


@pytest.mark.parametrize("owner", ["parent", "subaccount"])
async def test_a_number_of_another_account_is_refused_in_words(
    stage: Stage[Twilio], sub: Account, owner: str
) -> None:
    answer = (
        await sent_through(stage, sub.sid, login(stage), From=Twilio.number)
        if owner == "parent"
        else await sent(stage, From=SUB_NUMBER)
    )
    number = Twilio.number if owner == "parent" else SUB_NUMBER
    assert (answer.status_code, answer.json()["code"]) == (400, 21606)
    assert f"The 'From' phone number {number} is not a valid" in answer.json()["message"]
    assert answer.json()["more_info"].endswith("/21606")
    assert stage.platform.sent == []


async def test_an_unknown_account_is_not_found(stage: Stage[Twilio]) -> None:
    answer = await sent_through(stage, "AC" + "9" * 32, login(stage))
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)
    assert "/Accounts/AC999" in answer.json()["message"]


async def test_a_sent_message_is_unknown_to_other_accounts(
    stage: Stage[Twilio], sub: Account
) -> None:
    sid = (await sent_through(stage, sub.sid, login(stage), From=SUB_NUMBER)).json()["sid"]
    own = await stage.http.get(
        f"{account_url(stage, sub.sid)}/Messages/{sid}.json", auth=login(stage)
    )
    assert (own.json()["direction"], own.json()["body"]) == ("outbound-api", "Hello")
    other = await stage.http.get(f"{account_url(stage)}/Messages/{sid}.json", auth=login(stage))
    assert (other.status_code, other.json()["code"]) == (404, 20404)


async def test_a_received_message_is_unknown_to_other_accounts(
    stage: Stage[Twilio], sub: Account
) -> None:
    await stage.platform.send(CLEO, "to the parent")
    path = f"Messages/{form(stage)['MessageSid']}.json"
    own = await stage.http.get(f"{account_url(stage)}/{path}", auth=login(stage))
    assert (own.json()["direction"], own.json()["status"]) == ("inbound", "received")
    other = await stage.http.get(f"{account_url(stage, sub.sid)}/{path}", auth=login(stage))
    assert other.status_code == 404


async def test_a_subaccounts_file_is_found_only_there(stage: Stage[Twilio], sub: Account) -> None:
    await stage.platform.deliver(stage.platform.fields(CLEO, None, [PHOTO], account=sub))
    url = form(stage)["MediaUrl0"]
    assert f"/Accounts/{sub.sid}/" in url
    found = await stage.http.get(url, auth=login(stage), follow_redirects=False)
    assert found.status_code == 307
    other = url.replace(sub.sid, stage.platform.account)
    assert (await stage.http.get(other, auth=login(stage))).json()["code"] == 20404
    assert (await stage.http.delete(other, auth=login(stage))).json()["code"] == 20404


async def test_a_subaccounts_status_callback_is_its_own(stage: Stage[Twilio], sub: Account) -> None:
    callback = f"{stage.webhook.url}/status"
    await sent_through(stage, sub.sid, login(stage), From=SUB_NUMBER, StatusCallback=callback)
    await stage.platform.report(stage.platform.sent[0], "delivered")
    fields = form(stage)
    assert (fields["AccountSid"], fields["From"]) == (sub.sid, SUB_NUMBER)
    proof = stage.webhook.arrived[0].headers["X-Twilio-Signature"]
    assert RequestValidator(sub.token).validate(callback, fields, proof)


async def test_settings_name_the_subaccounts(stage: Stage[Twilio], sub: Account) -> None:
    settings = stage.platform.settings()
    assert settings["account_sids"] == [sub.sid]
    assert settings["auth_tokens"] == [stage.platform.token, sub.token]
