"""Each platform's wrong and empty types: a file is shown, or refused, by its bytes."""

import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from gateway.events.schemas import validate
from simulator import Sample, photo, video
from simulator.samples import card, document, heic, recording, sticker, voice
from simulator.scenery import drawn
from tests.system.running import CONSUMERS, Site, attachments, holder, site

pytestmark = pytest.mark.system

PLATFORM_NAMES = ["whatsapp", "messenger", "instagram", "twilio", "apple"]
BYTES = "application/octet-stream"

PICTURE = photo(width=320, height=240, seed=5)
CLIP = video("washer", 0.6, 96, 64, seed=6)
WEBM = recording("washer", 0.6, 96, 64, seed=6)


def lottie() -> Sample:
    """Return an animated sticker that is a drawing, as WhatsApp's phones send it: JSON in a ZIP archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("animation/animation.json", '{"v": "5.5.2"}')
    return Sample("sticker.was", "application/was", file.getvalue())


def moving_sticker() -> Sample:
    """Return a WebP of two frames."""
    file = io.BytesIO()
    first, second = (drawn("bicycle", 128, 128, seed=seed) for seed in (1, 2))
    first.save(file, "WEBP", save_all=True, append_images=[second], duration=200)
    return Sample("sticker.webp", "image/webp", file.getvalue())


#: What a sender declares for a file, and the kind and type that its bytes show.
SHOWN: dict[str, tuple[Sample, str, str]] = {
    "jpeg as bytes": (replace(PICTURE, media_type=BYTES), "photo", "image/jpeg"),
    "jpeg without a suffix": (
        replace(PICTURE, media_type=BYTES, name="52106351067__ABCD"),
        "photo",
        "image/jpeg",
    ),
    "mp4 as bytes": (replace(CLIP, media_type=BYTES, name="clip"), "video", "video/mp4"),
    "mp4 as photo": (replace(CLIP, media_type="image/jpeg"), "video", "video/mp4"),
    "webm": (WEBM, "video", "video/webm"),
    "webm as bytes": (replace(WEBM, media_type=BYTES, name="clip"), "video", "video/webm"),
    "webm as mp4": (replace(WEBM, media_type="video/mp4"), "video", "video/webm"),
    "webm as sound": (replace(WEBM, media_type="audio/webm"), "video", "video/webm"),
    "jpeg as video": (replace(PICTURE, media_type="video/mp4"), "photo", "image/jpeg"),
    "jpeg as sound": (replace(PICTURE, media_type="audio/amr"), "photo", "image/jpeg"),
    "jpeg as pdf": (replace(PICTURE, media_type="application/pdf"), "photo", "image/jpeg"),
    "jpeg as card": (replace(PICTURE, media_type="text/x-vcard"), "photo", "image/jpeg"),
    "pdf": (document(), "document", "application/pdf"),
    "pdf as photo": (replace(document(), media_type="image/png"), "document", "application/pdf"),
    "pdf as bytes": (
        replace(document(), media_type=BYTES, name="x"),
        "document",
        "application/pdf",
    ),
    "card": (replace(card(), media_type="text/x-vcard"), "contact", "text/vcard"),
    "card as bytes": (replace(card(), media_type=BYTES, name="ann"), "contact", "text/vcard"),
    "words as photo": (Sample("a.txt", "image/png", b"words"), "document", "text/plain"),
    "heic as bytes": (
        replace(heic(width=320, height=240), media_type=BYTES),
        "photo",
        "image/heic",
    ),
    "voice message": (voice(0.5), "audio", "audio/ogg"),
    "voice message as bytes": (
        replace(voice(0.5), media_type=BYTES, name="voice"),
        "audio",
        "audio/ogg",
    ),
    "voice message as photo": (replace(voice(0.5), media_type="image/png"), "audio", "audio/ogg"),
}

REFUSED: dict[str, tuple[Sample, str, str]] = {
    "animated drawing": (lottie(), "sticker", "application/was"),
}

LINES = {
    "sticker": "[sticker]",
    "document": "[document]",
    "contact": "[contact]",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with site(
        tmp_path_factory.mktemp("site"), settings={"core": {"hold_seconds": 0.3}}
    ) as started:
        yield started


async def ended(running: Site, platform: str, sample: Sample) -> tuple[dict[str, Any], Any]:
    """Send a file, and return its attachment once it has ended, and the message as it is then."""
    before = len(running.core.events)
    await running.platforms[platform].send(CONSUMERS[platform], files=[sample])
    events = await running.until(
        lambda es: any(a["state"] != "pending" for a in attachments(es[before:]).values())
    )
    for event in events[before:]:
        validate(event)
    (attachment,) = attachments(events[before:]).values()
    last = holder(events, attachment["id"])["data"]["message"]
    _, view = await running.call("GET", f"/v1/messages/{last['id']}")
    assert view["transcript"] == last["transcript"]
    assert view["attachments"] == [attachment]
    return attachment, view


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("platform", PLATFORM_NAMES)
async def test_a_file_of_any_declared_type_is_shown(
    running: Site, platform: str, name: str
) -> None:
    sample, kind, media_type = SHOWN[name]
    attachment, message = await ended(running, platform, sample)
    assert (attachment["kind"], attachment["state"]) == (kind, "ready")
    assert attachment["source"] == {"media_type": media_type, "bytes": len(sample.content)}
    assert message["transcript"] == LINES.get(kind, f"[{kind} message]")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("platform", PLATFORM_NAMES)
async def test_a_file_that_cannot_be_shown_keeps_its_reference(
    running: Site, platform: str, name: str
) -> None:
    sample, kind, media_type = REFUSED[name]
    attachment, message = await ended(running, platform, sample)
    assert (attachment["kind"], attachment["state"]) == (kind, "rejected")
    assert attachment["reason"] == "unsupported_type"
    assert attachment["source"] == {"media_type": media_type, "bytes": len(sample.content)}
    assert message["transcript"] == LINES[kind]
    before = len(running.core.events)
    status, view = await running.call("POST", f"/v1/attachments/{attachment['id']}/retry")
    assert (status, view["state"]) == (202, "pending")
    events = await running.until(lambda es: bool(attachments(es[before:])))
    assert attachments(events[before:]) == {attachment["id"]: attachment}
    hosted = list(running.platforms[platform].hosted.values())[-1]
    assert hosted.asked == 2


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("sample", [sticker(), moving_sticker()], ids=["still", "moving"])
async def test_a_sticker_stays_a_sticker(running: Site, sample: Sample) -> None:
    attachment, message = await ended(running, "whatsapp", sample)
    assert (attachment["kind"], attachment["state"]) == ("sticker", "ready")
    assert attachment["source"]["media_type"] == "image/webp"
    assert message["transcript"] == "[sticker]"
