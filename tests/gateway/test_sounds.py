"""A voice message from its delivery to an agent's browser: state, facts, links, ranges, and what is left of it."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import pytest

from connectors import Attachment, MediaRef
from gateway.events.schemas import validate
from gateway.inbound.attachment_rules import admit
from gateway.settings import MediaSettings
from simulator.samples import sound, voice
from tests.gateway.notes import notes
from tests.gateway.test_gateway import House, house

VOICE = voice(2.0)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, hold_seconds=20) as built:
        yield built


async def send(home: House, content: bytes, kind: str = "audio") -> dict[str, Any]:
    """Send a file, and return its attachment once it has ended."""
    home.files["1"] = content
    await home.send({"id": "1", "from": "ann", "media": [[kind, f"{home.media_url}/1"]]})
    (event,) = await home.core.until(1)
    validate(event)
    (attachment,) = event["data"]["message"]["attachments"]
    home.conversation = event["data"]["conversation"]["id"]  # type: ignore[attr-defined]
    return dict(attachment)


async def link(home: House, attachment: dict[str, Any]) -> str:
    conversation = home.conversation  # type: ignore[attr-defined]
    await home.call("PUT", f"/v1/conversations/{conversation}/agents", {"agents": ["anna"]})
    path = f"/v1/attachments/{attachment['id']}/links"
    _, links = await home.call("POST", path, {"agent": "anna"})
    assert set(links["links"]) == {"audio"}
    return str(links["links"]["audio"])


async def test_a_voice_message_arrives_ready_and_plays(home: House) -> None:
    attachment = await send(home, VOICE.content)
    assert (attachment["kind"], attachment["state"]) == ("audio", "ready")
    assert abs(attachment["duration_seconds"] - 2.0) < 0.1
    assert (attachment["complete"], attachment["voice"]) == (True, False)
    assert (attachment["width"], attachment["height"]) == (None, None)
    assert len(attachment["waveform"]) == 64
    assert attachment["source"] == {"media_type": "audio/ogg", "bytes": len(VOICE.content)}
    announced = attachment["renditions"]["audio"]
    assert set(announced) == {"media_type", "bytes", "sha256"}
    url = await link(home, attachment)
    async with home.http.get(url) as response:
        body = await response.read()
        assert response.headers["content-type"] == announced["media_type"] == "audio/mp4"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-disposition"].endswith('-audio.m4a"')
    assert len(body) == announced["bytes"]
    assert hashlib.sha256(body).hexdigest() == announced["sha256"]
    with av.open(io.BytesIO(body)) as file:
        assert file.streams.audio[0].codec_context.name == "aac"
    async with home.http.get(url, headers={"range": "bytes=100-199"}) as part:
        assert (part.status, await part.read()) == (206, body[100:200])


async def test_half_a_recording_arrives_as_incomplete(home: House) -> None:
    whole = sound("wav", 4.0).content
    attachment = await send(home, whole[: len(whole) // 2])
    assert (attachment["state"], attachment["complete"]) == ("ready", False)
    assert abs(attachment["duration_seconds"] - 2.0) < 0.1


async def test_seconds_and_incomplete_recordings_are_counted(home: House) -> None:
    before = await counted(home)
    whole = sound("wav", 4.0).content
    await send(home, whole[: len(whole) // 2])
    incomplete = 'incomplete_attachments_total{kind="audio"}'
    # The event goes out just before the attachment is counted.
    async with asyncio.timeout(20):
        while (after := await counted(home)).get(incomplete, 0) == before.get(incomplete, 0):
            await asyncio.sleep(0.01)
    assert (
        1.9
        < after['sound_seconds_total{connector="desk"}']
        - before.get('sound_seconds_total{connector="desk"}', 0)
        < 2.1
    )
    assert after[incomplete] == 1 + before.get(incomplete, 0)


async def counted(home: House) -> dict[str, float]:
    lines = [line.rsplit(" ", 1) for line in (await home.metrics()).splitlines()]
    return {
        name.removeprefix("airlock_"): float(value)
        for name, value in lines
        if name.startswith(("airlock_sound", "airlock_incomplete")) and "_created" not in name
    }


async def test_a_damaged_recording_is_refused(home: House) -> None:
    attachment = await send(home, b"OggS" + bytes(500))
    assert (attachment["kind"], attachment["state"], attachment["reason"]) == (
        "audio",
        "rejected",
        "corrupt",
    )
    assert "waveform" not in attachment


async def test_a_long_recording_is_refused(tmp_path: Path) -> None:
    media = MediaSettings(audio_max_seconds=1)
    async with house(tmp_path, hold_seconds=20, media=media) as home:
        attachment = await send(home, VOICE.content)
        assert (attachment["state"], attachment["reason"]) == ("rejected", "too_long")


async def test_sound_does_not_count_as_a_photo(tmp_path: Path) -> None:
    media = MediaSettings(max_photos_per_conversation=1)
    async with house(tmp_path, hold_seconds=20, media=media) as home:
        attachment = await send(home, VOICE.content)
        status, view = await home.call("GET", f"/v1/attachments/{attachment['id']}")
        assert (status, view["state"]) == (200, "ready")


async def test_no_tag_reaches_events_or_stored_files(tmp_path: Path, home: House) -> None:
    sample = sound("mp3", 1.0, seed=5)
    attachment = await send(home, sample.content)
    assert attachment["state"] == "ready"
    # The original leaves the quarantine after the event.
    async with asyncio.timeout(20):
        while any((tmp_path / "quarantine").iterdir()):
            await asyncio.sleep(0.01)
    stored = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".m4a" for path in stored)
    for path in stored:
        content = path.read_bytes()
        assert not any(canary in content for canary in sample.canaries), path.name


@pytest.mark.parametrize("says", [True, False])
def test_a_voice_message_says_so_while_it_is_pending(says: bool) -> None:
    attachment = Attachment("audio", MediaRef({"id": "1"}), voice=says)
    (admitted,) = admit([attachment], notes().config)
    assert admitted.details == (b'{"voice":true}' if says else None)
