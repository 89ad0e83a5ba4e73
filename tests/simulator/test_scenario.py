"""The story of the demonstration can be played, and the settings fit every platform."""

import io
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import av
import pytest
import yaml
from PIL import Image

from simulator import PLATFORMS, Sample
from simulator.scenario import Line, play, story
from tests.simulator.webhook import Stage, staged

SETTINGS = {
    "apple": {"type", "api_url", "msp_id", "secrets", "business_id"},
    "instagram": {
        *("type", "api_url", "login", "app_secrets", "verify_token", "access_token", "account_id"),
    },
    "messenger": {"type", "api_url", "app_secrets", "verify_token", "access_token", "page_id"},
    "twilio": {"type", "api_url", "account_sid", "auth_tokens", "sender"},
    "web": {"type", "api_url", "secrets", "access_token"},
    "whatsapp": {
        "type",
        "api_url",
        "app_secrets",
        "verify_token",
        "access_token",
        "phone_number_id",
    },
}


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return story()


def test_every_consumer_sends_photos_a_video_and_a_text(lines: list[Line]) -> None:
    for platform in PLATFORMS:
        mine = [line for line in lines if line.platform == platform]
        kinds = {file.media_type.partition("/")[0] for line in mine for file in line.files}
        assert kinds - {"application", "audio"} == {"image", "video"}
        assert any(line.text and line.files for line in mine)
        assert len({line.consumer for line in mine}) == 1
    assert len({line.consumer.name for line in lines}) == len(PLATFORMS)


def test_the_story_contains_a_voice_message(lines: list[Line]) -> None:
    (file,) = [f for line in lines for f in line.files if f.media_type.startswith("audio/")]
    assert file.media_type == "audio/ogg; codecs=opus"


def decodes(file: Sample) -> bool:
    if file.media_type == "application/pdf":
        return file.content.startswith(b"%PDF-") and b"%%EOF" in file.content
    if file.media_type.startswith("image/"):
        Image.open(io.BytesIO(file.content)).load()
        return True
    with av.open(io.BytesIO(file.content), "r") as opened:
        is_sound = file.media_type.startswith("audio/")
        streams = opened.streams.audio if is_sound else opened.streams.video
        return len(list(opened.decode(streams[0]))) > 15


def test_every_file_of_the_story_decodes(lines: list[Line]) -> None:
    assert all(decodes(file) for line in lines for file in line.files)


async def test_the_story_is_played_on_the_given_platforms_only(lines: list[Line]) -> None:
    async with AsyncExitStack() as stack:
        stages: list[Stage] = [  # type: ignore[type-arg]  # of several platforms
            await stack.enter_async_context(staged(PLATFORMS[name]))
            for name in ("whatsapp", "twilio")
        ]
        platforms = {stage.platform.name: stage.platform for stage in stages}
        steps = [step async for step in play(platforms, pace=0, lines=lines)]
        assert {step.line.platform for step in steps} == {"whatsapp", "twilio"}
        assert all(answer.accepted for step in steps for answer in step.answers)
        assert sum(len(stage.webhook.arrived) for stage in stages) == len(steps)


@pytest.mark.parametrize("name", PLATFORMS)
async def test_settings_are_complete_and_survive_yaml(name: str) -> None:
    async with staged(PLATFORMS[name]) as stage:
        section = stage.platform.settings()
        assert set(section) == SETTINGS[name]
        assert section["type"] == name
        assert yaml.safe_load(yaml.safe_dump(section)) == section
        assert urlsplit(section["api_url"]).hostname == "127.0.0.1"


@pytest.mark.parametrize("name", PLATFORMS)
async def test_a_request_without_credentials_is_refused_everywhere(name: str) -> None:
    doors = {
        "apple": ["/v1/preDownload", "/v1/message", "/v1/decodePayload"],
        "instagram": ["/v25.0/me", "/v25.0/me/messages"],
        "messenger": ["/v25.0/1234567890", "/v25.0/1234567890/messages"],
        "twilio": [
            f"/2010-04-01/Accounts/{PLATFORMS['twilio'].account}{rest}"  # type: ignore[attr-defined]  # Twilio has it
            for rest in (".json", "/Messages.json", "/Messages/MM1/Media/ME1")
        ],
        "web": ["/platform/v1/account", "/platform/v1/messages", "/platform/v1/uploads/upl_1"],
        "whatsapp": ["/v25.0/106540352242922", "/v25.0/106540352242922/messages"],
    }
    async with staged(PLATFORMS[name]) as stage:
        for door in doors[name]:
            answers = [
                await stage.http.request(method, stage.platform.origin + door)
                for method in ("GET", "POST")
            ]
            statuses = {answer.status_code for answer in answers} - {404, 405}
            assert statuses
            assert statuses <= {400, 401}
