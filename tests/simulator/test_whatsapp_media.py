"""The emulated WhatsApp serves media as its documentation says."""

from collections.abc import AsyncIterator

import pytest

from simulator import Fault, WhatsApp
from tests.simulator.webhook import Stage, staged
from tests.simulator.whatsapp_calls import PHOTO, bearer, hosted, looked_up, only_message


@pytest.fixture
async def stage() -> AsyncIterator[Stage[WhatsApp]]:
    async with staged(WhatsApp) as started:
        yield started


async def test_a_photo_is_looked_up_and_fetched_with_the_token(stage: Stage[WhatsApp]) -> None:
    id = await hosted(stage)
    node = (await looked_up(stage, id)).json()
    assert node["file_size"] == len(PHOTO.content)
    answer = await stage.http.get(node["url"], headers=bearer(stage))
    assert (answer.status_code, answer.content) == (200, PHOTO.content)
    assert answer.headers["content-type"] == "image/jpeg"
    assert stage.platform.hosted[id].asked == stage.platform.hosted[id].looked_up == 1


async def test_a_download_without_the_token_gets_an_error_page(stage: Stage[WhatsApp]) -> None:
    node = (await looked_up(stage, await hosted(stage))).json()
    answer = await stage.http.get(node["url"])
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")


async def test_a_look_up_with_a_wrong_token_is_refused(stage: Stage[WhatsApp]) -> None:
    url = f"{stage.platform.api_url}/{await hosted(stage)}"
    answer = await stage.http.get(url, headers={"authorization": "Bearer wrong"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, 190)


async def test_a_media_url_expires_after_five_minutes(
    stage: Stage[WhatsApp],
) -> None:
    id = await hosted(stage)
    old = (await looked_up(stage, id)).json()["url"]
    stage.platform.age(299)
    assert (await stage.http.get(old, headers=bearer(stage))).status_code == 200
    stage.platform.age(2)
    assert (await stage.http.get(old, headers=bearer(stage))).status_code == 404
    new = (await looked_up(stage, id)).json()["url"]
    assert (await stage.http.get(new, headers=bearer(stage))).status_code == 200


async def test_a_media_id_expires_after_seven_days(stage: Stage[WhatsApp]) -> None:
    id = await hosted(stage)
    stage.platform.age(7 * 24 * 3600 + 1)
    answer = await looked_up(stage, id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)


@pytest.mark.parametrize("number", [WhatsApp.number_id, "222"])
async def test_a_media_look_up_that_names_a_number_is_refused(
    stage: Stage[WhatsApp], number: str
) -> None:
    id = await hosted(stage)
    answer = await looked_up(stage, id, phone_number_id=number)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, 100)
    assert error["message"].startswith("(#100) Param phone_number_id is not a valid ")
    assert (await looked_up(stage, id)).status_code == 200


async def test_a_webhook_can_carry_the_media_url(stage: Stage[WhatsApp]) -> None:
    stage.platform.addresses_in_webhooks = True
    await hosted(stage)
    url = only_message(stage)["image"]["url"]
    assert (await stage.http.get(url)).status_code == 401
    assert (await stage.http.get(url, headers=bearer(stage))).content == PHOTO.content


async def test_a_token_sent_to_the_cdn_is_a_leak(stage: Stage[WhatsApp]) -> None:
    stage.platform.redirects_to_cdn = True
    url = (await looked_up(stage, await hosted(stage))).json()["url"]
    redirect = await stage.http.get(url, headers=bearer(stage))
    assert redirect.status_code == 302
    location = redirect.headers["location"]
    assert not location.startswith(stage.platform.origin)
    assert (await stage.http.get(location)).content == PHOTO.content
    assert stage.platform.leaks == []
    await stage.http.get(location, headers=bearer(stage))
    assert [header for _, header in stage.platform.leaks] == ["authorization"]


async def test_a_look_up_can_fail_before_the_download(stage: Stage[WhatsApp]) -> None:
    stage.platform.faults[PHOTO.name] = Fault(status=500, times=1, at="lookup")
    id = await hosted(stage)
    assert (await looked_up(stage, id)).status_code == 500
    assert (await looked_up(stage, id)).status_code == 200


async def test_the_account_can_be_looked_up(stage: Stage[WhatsApp]) -> None:
    answer = await looked_up(stage, stage.platform.number_id, fields="verified_name")
    assert answer.json()["verified_name"] == "Example Parcels"
