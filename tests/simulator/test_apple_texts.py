"""The emulated Apple Messages for Business accepts and refuses what its documentation says."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from simulator import Apple
from simulator.apple.refusals import WORDS
from simulator.exchange import Action
from tests.simulator.apple_calls import DANA, announced, pre_download, sent
from tests.simulator.webhook import Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage[Apple]]:
    async with staged(Apple) as started:
        yield started


async def test_a_text_is_accepted_with_an_empty_answer(stage: Stage[Apple]) -> None:
    answer = await sent(stage)
    assert (answer.status_code, answer.content) == (200, b"")
    (text,) = stage.platform.sent
    assert (text.to, text.text) == (DANA.id, "Hello")


BAD: dict[str, dict[str, Any]] = {
    "another version": {"v": 2},
    "an id that is not a uuid": {"id": "1"},
    "another id in the header": {"headers": {"id": str(uuid.UUID(int=1))}},
    "another sender": {"sourceId": "else"},
    "another recipient": {"destinationId": "urn:mbid:else"},
    "no text": {"body": None},
    "an empty text": {"body": " "},
    "a type that may not be sent": {"type": "close", "body": None},
    "typing with a text": {"type": "typing_start"},
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_text_is_refused(stage: Stage[Apple], name: str) -> None:
    assert (await sent(stage, **BAD[name])).status_code == 400
    assert stage.platform.sent == []


async def test_a_wrong_token_sends_nothing(stage: Stage[Apple]) -> None:
    assert (await sent(stage, {"authorization": "Bearer x.y.z"})).status_code == 401


async def test_typing_is_recorded_as_an_action(stage: Stage[Apple]) -> None:
    assert (await sent(stage, type="typing_start", body=None)).status_code == 200
    assert stage.platform.actions == [Action("typing_start", DANA.id)]


async def test_a_text_sent_twice_is_recorded_once(stage: Stage[Apple]) -> None:
    id = str(uuid.uuid4())
    assert (await sent(stage, id=id)).status_code == 200
    assert (await sent(stage, id=id)).status_code == 200
    assert [text.id for text in stage.platform.sent] == [id]
    assert stage.platform.repeated_ids == [id]


async def test_a_consumer_who_never_wrote_cannot_receive_texts(stage: Stage[Apple]) -> None:
    stranger = "urn:mbid:stranger"
    answer = await sent(stage, {"destination-id": stranger}, destinationId=stranger)
    assert answer.status_code == 404


async def test_a_closed_conversation_reopens_when_the_consumer_writes(stage: Stage[Apple]) -> None:
    await stage.platform.deliver(DANA, "close")
    assert (await sent(stage)).status_code == 404
    await stage.platform.send(DANA, "me again")
    assert (await sent(stage)).status_code == 200


@pytest.mark.parametrize("status", WORDS)
async def test_a_queued_refusal_answers_one_text_in_words(stage: Stage[Apple], status: int) -> None:
    stage.platform.refuse_next(status)
    answer = await sent(stage)
    assert (answer.status_code, answer.text) == (status, WORDS[status])
    assert answer.headers["content-type"].startswith("text/plain")
    assert (await sent(stage)).status_code == 200


async def test_a_refusal_can_have_its_own_words(stage: Stage[Apple]) -> None:
    stage.platform.refuse_next(400, "body is too long")
    answer = await sent(stage)
    assert (answer.status_code, answer.text) == (400, "body is too long")


async def test_every_refusal_of_a_text_has_words(stage: Stage[Apple]) -> None:
    stage.platform.out_of_reach.add(DANA.id)
    answers = [
        await sent(stage),
        await sent(stage, v=2),
        await sent(stage, {"authorization": "Bearer x.y.z"}),
        await sent(stage, {"source-id": "another"}),
    ]
    assert [answer.status_code for answer in answers] == [404, 400, 401, 403]
    assert all(answer.text for answer in answers)


async def test_every_refusal_of_a_look_up_has_words(stage: Stage[Apple]) -> None:
    attachment = await announced(stage)
    wrong_owner = await pre_download(stage, attachment, **{"MMCS-Owner": "else"})
    stage.platform.object_lifetime = 2
    stage.platform.age(3)
    expired = await pre_download(stage, attachment)
    assert (wrong_owner.status_code, expired.status_code) == (404, 404)
    assert wrong_owner.text
    assert expired.text
