"""The emulated Messenger refuses texts with the codes and words of Graph."""

from collections.abc import AsyncIterator

import pytest

from simulator import Messenger
from simulator.messenger.calls import ERRORS
from tests.simulator.messenger_calls import OK, sent
from tests.simulator.webhook import MIA, Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage[Messenger]]:
    async with staged(Messenger) as started:
        yield started


@pytest.mark.parametrize(("code", "subcode"), ERRORS)
async def test_every_listed_code_refuses_in_words(
    stage: Stage[Messenger], code: int, subcode: int
) -> None:
    stage.platform.refuse_next(code, subcode)
    answer = await sent(stage, OK)
    error = answer.json()["error"]
    status, message = ERRORS[code, subcode]
    assert (answer.status_code, error["code"]) == (status, code)
    assert error.get("error_subcode", 0) == subcode
    assert error["message"] == f"(#{code}) {message}"


async def test_a_thread_of_another_app_refuses_texts(stage: Stage[Messenger]) -> None:
    stage.platform.held_by_another_app.add(MIA.id)
    answer = await sent(stage, OK)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["error_subcode"]) == (403, 10, 2018300)
    assert "another app is controlling this thread" in error["message"]
    stage.platform.held_by_another_app.clear()
    assert (await sent(stage, OK)).status_code == 200


async def test_a_person_who_blocked_the_page_is_not_receiving(stage: Stage[Messenger]) -> None:
    stage.platform.refuse_next(200, 1545041)
    answer = await sent(stage, OK)
    assert (answer.status_code, answer.json()["error"]["error_subcode"]) == (403, 1545041)
    assert "isn't receiving messages" in answer.json()["error"]["message"]
