"""The emulated Instagram delivers, serves and accepts what its documentation and operators' reports say."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from simulator import Instagram, Messenger, photo, video, voice
from simulator.examples import NotPossible
from simulator.instagram import messages
from simulator.instagram.calls import ERRORS
from tests.simulator.instagram_calls import OK, bearer, events, sent
from tests.simulator.messenger_calls import sent as sent_by_page
from tests.simulator.webhook import MIA, Stage, staged

PHOTO = photo(width=320, height=240)
SECOND, ITS_TOKEN = "17841400000000002", "the-token-of-the-second"


@pytest.fixture
async def stage() -> AsyncIterator[Stage[Instagram]]:
    async with staged(Instagram) as started:
        yield started


@pytest.mark.parametrize(
    ("sample", "type"), [(PHOTO, "image"), (video(seconds=0.4), "video"), (voice(0.2), "audio")]
)
async def test_a_file_is_served_at_a_signed_url(
    stage: Stage[Instagram], sample: Any, type: str
) -> None:
    await stage.platform.send(MIA, files=[sample])
    (card,) = events(stage)[0]["message"]["attachments"]
    assert card["type"] == type
    answer = await stage.http.get(card["payload"]["url"])
    assert (answer.status_code, answer.content) == (200, sample.content)
    forged = card["payload"]["url"][:-4] + "0000"
    assert (await stage.http.get(forged)).status_code == 403
    stage.platform.age(25 * 3600)
    assert (await stage.http.get(card["payload"]["url"])).status_code == 403


async def test_a_files_host_reports_tokens_that_reach_it(stage: Stage[Instagram]) -> None:
    url = stage.platform.link_to(PHOTO)
    await stage.http.get(url, headers=bearer(stage))
    assert stage.platform.leaks == [("/ig_messaging_cdn/", "authorization")]


async def test_a_story_reply_names_the_story_beside_the_text(stage: Stage[Instagram]) -> None:
    url = stage.platform.link_to(PHOTO)
    await stage.platform.say(MIA, messages.story_reply("Nice!", url))
    (event,) = events(stage)
    assert event["message"]["text"] == "Nice!"
    assert event["message"]["reply_to"]["story"]["url"] == url
    assert "mid" not in event["message"]["reply_to"]


async def test_an_echo_has_the_account_as_its_sender(stage: Stage[Instagram]) -> None:
    await stage.platform.echo(MIA.id, "from the app")
    (event,) = events(stage)
    assert event["sender"] == {"id": stage.platform.account_id}
    assert event["message"]["is_echo"] is True
    assert stage.webhook.arrived[0].content["entry"][0]["id"] == stage.platform.account_id


async def test_a_text_is_accepted_and_read_by_its_id(stage: Stage[Instagram]) -> None:
    stage.platform.receipts = ("read",)
    answer = await sent(stage, OK)
    assert answer.status_code == 200
    await stage.platform.until_receipts_sent()
    (event,) = events(stage)
    assert event["read"] == {"mid": answer.json()["message_id"]}


@pytest.mark.parametrize(
    "message",
    [
        {"text": "x" * 1001},
        {"text": "ä" * 501},
        {"text": " "},
        {"text": "Hi", "metadata": "msg_1"},
    ],
    ids=["characters", "bytes", "blank", "metadata"],
)
async def test_a_bad_text_is_refused(stage: Stage[Instagram], message: Any) -> None:
    answer = await sent(stage, {**OK, "message": message})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)


async def test_the_longest_text_is_accepted(stage: Stage[Instagram]) -> None:
    for text in ("x" * 1000, "ä" * 500):
        assert (await sent(stage, {**OK, "message": {"text": text}})).status_code == 200


@pytest.mark.parametrize(("code", "subcode"), ERRORS)
async def test_every_listed_code_refuses_in_words(
    stage: Stage[Instagram], code: int, subcode: int
) -> None:
    stage.platform.refuse_next(code, subcode)
    answer = await sent(stage, OK)
    status, words = ERRORS[code, subcode]
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert error["message"] == f"(#{code}) {words}"


async def test_only_a_human_agent_may_write_outside_the_window(stage: Stage[Instagram]) -> None:
    stage.platform.out_of_reach.add(MIA.id)
    assert (await sent(stage, OK)).json()["error"]["error_subcode"] == 2534022
    tagged = {**OK, "messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    assert (await sent(stage, tagged)).status_code == 200


async def test_a_thread_of_another_app_refuses_texts(stage: Stage[Instagram]) -> None:
    stage.platform.held_by_another_app.add(MIA.id)
    assert (await sent(stage, OK)).json()["error"]["error_subcode"] == 2534037


async def test_a_stranger_cannot_receive_texts(stage: Stage[Instagram]) -> None:
    url = f"{stage.platform.api_url}/me/messages"
    answer = await stage.http.post(url, json=OK, headers=bearer(stage))
    assert answer.json()["error"]["error_subcode"] == 2534014


async def test_each_login_names_its_account(stage: Stage[Instagram]) -> None:
    url = f"{stage.platform.api_url}/me"
    page = (await stage.http.get(url, headers=bearer(stage))).json()
    assert page["instagram_business_account"]["id"] == stage.platform.account_id
    stage.platform.login = "instagram"
    me = (await stage.http.get(url, headers=bearer(stage))).json()
    assert me["user_id"] == stage.platform.account_id != me["id"]


async def test_several_accounts_have_their_own_tokens(stage: Stage[Instagram]) -> None:
    stage.platform.login = "instagram"
    stage.platform.further_accounts[SECOND] = ITS_TOKEN
    assert stage.platform.settings()["accounts"] == stage.platform.tokens
    answer = await sent(stage, OK, SECOND, ITS_TOKEN)
    assert stage.platform.sent_from[answer.json()["message_id"]] == SECOND
    assert (await sent(stage, OK, SECOND)).status_code == 400
    assert (await sent(stage, OK, "me", "a-wrong-token")).json()["error"]["code"] == 190


async def test_a_page_refuses_the_token_of_another() -> None:
    async with staged(Messenger) as pages:
        pages.platform.further_accounts["2234567890"] = ITS_TOKEN
        assert set(pages.platform.settings()) >= {"pages"}
        assert (await sent_by_page(pages, OK)).status_code == 200
        url = f"{pages.platform.api_url}/2234567890/messages"
        headers = {"authorization": f"Bearer {pages.platform.token}"}
        assert (await pages.http.post(url, json=OK, headers=headers)).status_code == 400


async def test_a_message_can_be_to_another_account(stage: Stage[Instagram]) -> None:
    stage.platform.further_accounts[SECOND] = ITS_TOKEN
    await stage.platform.say(MIA, messages.heart(), account=SECOND)
    (entry,) = stage.webhook.arrived[0].content["entry"]
    assert (entry["id"], entry["messaging"][0]["recipient"]["id"]) == (SECOND, SECOND)


async def test_a_story_needs_an_api_on_this_machine(stage: Stage[Instagram]) -> None:
    stage.platform.adopted_api = "https://graph.facebook.com/v25.0"
    with pytest.raises(NotPossible, match="api_url"):
        stage.platform.link_to(PHOTO)
