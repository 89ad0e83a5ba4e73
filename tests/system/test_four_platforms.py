"""The whole way on each platform: from a signed delivery to a safe photo or video at the core."""

import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from gateway.events.schemas import validate
from simulator import Fault, Sample, photo, video
from simulator.scenery import drawn
from tests.system.running import CONSUMERS, Site, attachments, ended, messages, site

pytestmark = pytest.mark.system

PLATFORM_NAMES = ["whatsapp", "messenger", "instagram", "twilio", "apple"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with site(tmp_path_factory.mktemp("site")) as started:
        yield started


async def renditions(
    running: Site, event: dict[str, Any], attachment: dict[str, Any]
) -> dict[str, bytes]:
    conversation = event["data"]["conversation"]["id"]
    await running.call("PUT", f"/v1/conversations/{conversation}/agents", {"agents": ["anna"]})
    status, links = await running.call(
        "POST", f"/v1/attachments/{attachment['id']}/links", {"agent": "anna"}
    )
    assert status == 200
    contents = {}
    for name, url in links["links"].items():
        async with running.http.get(url) as response:
            assert response.status == 200
            contents[name] = await response.read()
        announced = attachment["renditions"][name]
        assert len(contents[name]) == announced["bytes"]
        assert hashlib.sha256(contents[name]).hexdigest() == announced["sha256"]
    return contents


def message_of(events: list[dict[str, Any]], platform: str, text: str | None) -> dict[str, Any]:
    (event,) = [
        e
        for e in events
        if e["type"] == "message.received"
        and e["source"] == platform
        and e["data"]["message"]["text"] == text
    ]
    return event


def received(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] == "message.received"]


def clean(contents: dict[str, bytes], sample: Sample) -> None:
    for name, content in contents.items():
        for canary in (*sample.canaries, b"Exif", b"GPS", b"Lavf", b"x264"):
            assert canary not in content, f"{canary!r} in {name}"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", PLATFORM_NAMES)
async def test_a_photo_arrives_upright_and_without_metadata(running: Site, name: str) -> None:
    sample = photo("parcel", 1200, 800, seed=7, orientation=6)
    caption = f"the box on {name} 📦"
    answers = await running.platforms[name].send(CONSUMERS[name], caption, [sample])
    assert [a.status for a in answers] == [200]
    events = await running.until(
        lambda es: any(
            e["source"] == name and e["data"]["message"]["text"] == caption
            for e in es
            if "message" in e["data"]
        )
    )
    event = message_of(events, name, caption)
    validate(event)
    message = event["data"]["message"]
    assert message["transcript"] == "[photo message]"
    assert message["platform_id"] == answers[0].ids[0]
    assert event["data"]["conversation"]["consumer"]["id"] == CONSUMERS[name].id
    await running.until(
        lambda es: attachments(es)[message["attachments"][0]["id"]]["state"] != "pending"
    )
    attachment = attachments(running.core.events)[message["attachments"][0]["id"]]
    assert (attachment["state"], attachment["reason"]) == ("ready", None)
    assert (attachment["width"], attachment["height"]) == (1200, 800)
    contents = await renditions(running, event, attachment)
    clean(contents, sample)
    preview = Image.open(io.BytesIO(contents["preview"]))
    assert preview.size == (1200, 800)
    assert resembles(preview, drawn("parcel", 1200, 800, seed=7))
    thumbnail = Image.open(io.BytesIO(contents["thumbnail"]))
    assert thumbnail.size[0] == thumbnail.size[1]
    assert len(contents["thumbnail"]) <= 30_000


def resembles(one: Image.Image, other: Image.Image) -> bool:
    """Whether two images look the same, with the same orientation."""
    small = [np.asarray(p.convert("RGB").resize((32, 32)), dtype=float) for p in (one, other)]
    return float(np.abs(small[0] - small[1]).mean()) < 6


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", PLATFORM_NAMES)
async def test_a_video_arrives_playable_with_poster_and_duration(running: Site, name: str) -> None:
    sample = video("washer", 2.0, 320, 240, seed=9)
    caption = f"it shakes on {name}"
    answers = await running.platforms[name].send(CONSUMERS[name], caption, [sample])
    assert [a.status for a in answers] == [200]
    events = await running.until(
        lambda es: any(
            e["source"] == name and e["data"]["message"]["text"] == caption
            for e in es
            if "message" in e["data"]
        )
    )
    event = message_of(events, name, caption)
    message = event["data"]["message"]
    assert message["transcript"] == "[video message]"
    await running.until(
        lambda es: attachments(es)[message["attachments"][0]["id"]]["state"] != "pending"
    )
    attachment = attachments(running.core.events)[message["attachments"][0]["id"]]
    assert (attachment["state"], attachment["reason"]) == ("ready", None)
    assert abs(attachment["duration_seconds"] - 2.0) <= 0.1
    contents = await renditions(running, event, attachment)
    clean(contents, sample)
    assert set(contents) == {"thumbnail", "poster", "video"}
    assert resembles(Image.open(io.BytesIO(contents["poster"])), drawn("washer", 320, 240, seed=9))
    assert contents["video"].index(b"moov") < contents["video"].index(b"mdat")
    with av.open(io.BytesIO(contents["video"]), "r") as container:
        assert [s.codec_context.name for s in container.streams] == ["h264", "aac"]
        assert len(list(container.decode(video=0))) == 30


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", PLATFORM_NAMES)
async def test_a_forged_delivery_is_refused(running: Site, name: str) -> None:
    answers = await running.platforms[name].send(CONSUMERS[name], f"forged {name}", forged=True)
    assert [a.status for a in answers] == [401]
    await running.platforms[name].send(CONSUMERS[name], f"genuine {name}")
    events = await running.until(
        lambda es: any(e["data"].get("message", {}).get("text") == f"genuine {name}" for e in es)
    )
    assert not [e for e in events if e["data"].get("message", {}).get("text") == f"forged {name}"]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", PLATFORM_NAMES)
async def test_a_message_delivered_three_times_is_one_event(running: Site, name: str) -> None:
    answers = await running.platforms[name].send(CONSUMERS[name], f"thrice {name}", times=3)
    assert [a.status for a in answers] == [200, 200, 200]
    await running.platforms[name].send(CONSUMERS[name], f"after {name}")
    events = await running.until(
        lambda es: any(e["data"].get("message", {}).get("text") == f"after {name}" for e in es)
    )
    message_of(events, name, f"thrice {name}")


@pytest.mark.asyncio(loop_scope="module")
async def test_no_credentials_leaked_and_every_event_was_signed(
    running: Site,
) -> None:
    assert not running.core.bad_signatures
    for platform in running.platforms.values():
        assert platform.leaks == []
    for event in running.core.events:
        validate(event)
    log = (running.folder / "gateway.log").read_text()
    for platform in running.platforms.values():
        for secret in ("secret", "token"):
            value = getattr(platform, secret, None)
            if isinstance(value, str):
                assert value not in log


FAULTS: dict[str, tuple[Fault, tuple[str, str | None]]] = {
    "gone": (Fault(status=404), ("failed", "gone")),
    "no picture": (
        Fault(replace=b"<html>not a picture</html>" * 9),
        ("rejected", "unsupported_type"),
    ),
    "damaged": (Fault(replace=photo(seed=3).content[:400]), ("rejected", "corrupt")),
    "refused once": (Fault(status=503, times=1), ("ready", None)),
    "cut once": (Fault(truncate=True, times=1), ("ready", None)),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_faulty_file_does_not_affect_its_neighbours(tmp_path: Path, fault: str) -> None:
    async with site(tmp_path) as running:
        platform = running.platforms["messenger"]
        platform.fault_for_all = FAULTS[fault][0]
        await platform.send(CONSUMERS["messenger"], "caption stays", [photo(seed=3)])
        await running.platforms["whatsapp"].send(
            CONSUMERS["whatsapp"], "neighbour", [photo(seed=4)]
        )
        await running.platforms["messenger"].send(CONSUMERS["messenger"], "words after it")
        events = await running.until(lambda es: len(ended(es)) == 2 and len(received(es)) == 3)
        first = message_of(events, "messenger", "caption stays")["data"]["message"]["attachments"][
            0
        ]
        now = attachments(events)[first["id"]]
        assert (now["state"], now["reason"]) == FAULTS[fault][1]
        neighbour = message_of(events, "whatsapp", "neighbour")["data"]["message"]["attachments"][0]
        assert attachments(events)[neighbour["id"]]["state"] == "ready"
        message_of(events, "messenger", "words after it")


async def test_a_hanging_file_is_announced_in_time_and_blocks_nothing(tmp_path: Path) -> None:
    async with site(tmp_path, settings={"core": {"hold_seconds": 3}}) as running:
        platform = running.platforms["messenger"]
        platform.fault_for_all = Fault(hang=True, times=1)
        await platform.send(CONSUMERS["messenger"], "slow", [photo(seed=3)])
        await running.platforms["whatsapp"].send(CONSUMERS["whatsapp"], "quick")
        events = await running.until(lambda es: len(messages(es)) == 2)
        assert [e["source"] for e in messages(events)] == ["whatsapp", "messenger"]
        assert attachments(events).popitem()[1]["state"] == "pending"
        events = await running.until(lambda es: len(messages(es)) == 3, seconds=60)
        assert attachments(events).popitem()[1]["state"] == "ready"


async def test_sigterm_stops_the_gateway_without_losing_messages(
    tmp_path: Path,
) -> None:
    async with site(tmp_path) as running:
        for number in range(20):
            await running.platforms["whatsapp"].send(CONSUMERS["whatsapp"], f"{number}")
        assert await running.stop() == 0
        await running.start()
        await running.platforms["whatsapp"].send(CONSUMERS["whatsapp"], "last")
        events = await running.until(
            lambda es: any(e["data"]["message"]["text"] == "last" for e in received(es))
        )
        assert [e["data"]["message"]["sequence"] for e in received(events)] == list(range(1, 22))
