"""Voice messages on each platform: from a signed delivery to AAC that decodes, with the length of the recording."""

import hashlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import av
import numpy as np
import pytest
import pytest_asyncio

from gateway.events.schemas import validate
from simulator import Sample, sound
from simulator.samples.sounds import SoundContainer
from tests.system.running import CONSUMERS, Site, attachments, site

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

SECONDS = 3.0


@dataclass(frozen=True)
class Recording:
    """A recording as a platform delivers it: what it declares, and whether it calls it a voice message."""

    platform: str
    container: SoundContainer
    declared: str | None = None
    voice: bool = False

    @property
    def sample(self) -> Sample:
        made = sound(self.container, SECONDS, seed=3)
        return replace(made, media_type=self.declared or made.media_type)


RECORDINGS = [
    Recording("whatsapp", "ogg", voice=True),
    Recording("whatsapp", "m4a", "audio/mp4"),
    Recording("whatsapp", "amr"),
    Recording("whatsapp", "mp3"),
    Recording("whatsapp", "ogg", "application/octet-stream"),
    Recording("instagram", "mp4"),
    Recording("messenger", "mp4"),
    Recording("messenger", "mp4", "video/mp4"),
    Recording("twilio", "amr"),
    Recording("twilio", "3gp"),
    Recording("twilio", "3gp", "video/3gpp"),
    Recording("apple", "caf", voice=True),
    Recording("apple", "m4a"),
    Recording("apple", "caf", "application/octet-stream", voice=True),
    Recording("apple", "wav", "image/jpeg"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with site(tmp_path_factory.mktemp("site")) as started:
        yield started


async def arrived(running: Site, id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the event of a message, and its attachment once that has ended."""

    def found(events: list[dict[str, Any]]) -> dict[str, Any] | None:
        return next(
            (
                event
                for event in events
                if event["type"] == "message.received"
                and event["data"]["message"]["platform_id"] == id
            ),
            None,
        )

    def is_over(events: list[dict[str, Any]]) -> bool:
        event = found(events)
        if event is None:
            return False
        (attachment,) = event["data"]["message"]["attachments"]
        return bool(attachments(events)[attachment["id"]]["state"] != "pending")

    events = await running.until(is_over)
    event = found(events)
    assert event is not None
    (attachment,) = event["data"]["message"]["attachments"]
    return event, attachments(events)[attachment["id"]]


async def loaded(running: Site, event: dict[str, Any], attachment: dict[str, Any]) -> bytes:
    """Return the rendition as an agent's browser loads it."""
    conversation = event["data"]["conversation"]["id"]
    await running.call("PUT", f"/v1/conversations/{conversation}/agents", {"agents": ["anna"]})
    path = f"/v1/attachments/{attachment['id']}/links"
    status, links = await running.call("POST", path, {"agent": "anna"})
    assert (status, set(links["links"])) == (200, {"audio"})
    async with running.http.get(links["links"]["audio"]) as response:
        assert (response.status, response.headers["content-type"]) == (200, "audio/mp4")
        assert response.headers["accept-ranges"] == "bytes"
        return await response.read()


@pytest.mark.parametrize("recording", RECORDINGS, ids=str)
async def test_a_recording_arrives_playable_with_its_length(
    running: Site, recording: Recording
) -> None:
    sample = recording.sample
    platform = running.platforms[recording.platform]
    (answer,) = await platform.send(CONSUMERS[recording.platform], None, [sample])
    assert answer.status == 200
    event, attachment = await arrived(running, answer.ids[0])
    assert (attachment["kind"], attachment["state"], attachment["reason"]) == (
        "audio",
        "ready",
        None,
    )
    assert attachment["voice"] is recording.voice
    assert attachment["complete"] is True
    assert abs(attachment["duration_seconds"] - SECONDS) <= 0.1
    assert len(attachment["waveform"]) == 64
    assert len(set(attachment["waveform"])) > 20
    content = await loaded(running, event, attachment)
    announced = attachment["renditions"]["audio"]
    assert len(content) == announced["bytes"]
    assert hashlib.sha256(content).hexdigest() == announced["sha256"]
    assert content.index(b"moov") < content.index(b"mdat")
    assert abs(_seconds(content) - SECONDS) <= 0.15
    for canary in (*sample.canaries, b"Lavf", b"Lavc"):
        assert canary not in content


def _seconds(content: bytes) -> float:
    with av.open(io.BytesIO(content), "r") as file:
        (track,) = file.streams
        assert isinstance(track, av.AudioStream)
        assert (track.codec_context.name, track.profile) == ("aac", "LC")
        frames = [frame.to_ndarray() for frame in file.decode(track)]
        assert np.abs(np.concatenate(frames, axis=1)).max() > 0.05
        return float(sum(frame.shape[1] for frame in frames) / track.rate)


async def test_no_tag_reaches_events_log_or_stored_files(running: Site) -> None:
    sample = sound("m4a", 1.0, seed=77)
    (answer,) = await running.platforms["apple"].send(CONSUMERS["apple"], None, [sample])
    _, attachment = await arrived(running, answer.ids[0])
    assert attachment["state"] == "ready"
    for event in running.core.events:
        validate(event)
        assert not any(canary.decode() in str(event) for canary in sample.canaries)
    for path in running.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(canary in content for canary in sample.canaries), path.name
