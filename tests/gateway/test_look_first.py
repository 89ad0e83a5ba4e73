"""A file is fetched, seen, and only then judged: its declared kind is a placeholder and decides nothing."""

import asyncio
import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image

from gateway.events.schemas import validate
from gateway.settings import MediaSettings
from simulator import video
from simulator.samples import card, sticker, voice
from tests.gateway.notes import EVERYTHING_OFF, notes
from tests.gateway.test_gateway import House, house, photo

PHOTO, VIDEO = photo(), video(seconds=0.5, width=64, height=48).content
WORDS = "Grüße aus Köln".encode()
ZIP = b"PK\x03\x04" + bytes(30)
VOICE, CARD = voice(0.3).content, card().content


_RENDITIONS = {"video": {"thumbnail", "poster", "video"}, "audio": {"audio"}}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, hold_seconds=20) as built:
        yield built


@dataclass
class Seen:
    """The event of a message with one attachment, and that attachment."""

    message: Mapping[str, Any]
    attachment: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        (self.attachment,) = self.message["attachments"]

    @property
    def outcome(self) -> tuple[str, str, str | None]:
        found = self.attachment
        return found["kind"], found["state"], found["reason"]


async def send(home: House, kind: str, content: Any, id: str = "1") -> Seen:
    """Send a file as `kind`, and return the event of its message; it waits for the file."""
    home.files[id] = content
    before = len(home.core.taken)
    await home.send({"id": id, "from": "ann", "media": [[kind, f"{home.media_url}/{id}"]]})
    event = (await home.core.until(before + 1))[-1]
    validate(event)
    return Seen(event["data"]["message"])


async def fetched(
    home: House, message: Mapping[str, Any], rendition: str
) -> tuple[int, Mapping[str, str], bytes]:
    """Return the response to an agent's browser that opens a rendition of the only attachment."""
    conversation = home.core.taken[-1]["data"]["conversation"]["id"]
    await home.call("PUT", f"/v1/conversations/{conversation}/agents", {"agents": ["anna"]})
    path = f"/v1/attachments/{message['attachments'][0]['id']}/links"
    _, answer = await home.call("POST", path, {"agent": "anna"})
    async with aiohttp.ClientSession() as browser, browser.get(answer["links"][rendition]) as got:
        return got.status, got.headers, await got.read()


@pytest.mark.parametrize(
    ("declared", "content", "kind", "media_type"),
    [
        ("document", PHOTO, "photo", "image/jpeg"),
        ("document", VIDEO, "video", "video/mp4"),
        ("photo", VIDEO, "video", "video/mp4"),
        ("video", PHOTO, "photo", "image/jpeg"),
        ("audio", PHOTO, "photo", "image/jpeg"),
        ("audio", VIDEO, "video", "video/mp4"),
        ("contact", PHOTO, "photo", "image/jpeg"),
        ("unsupported", PHOTO, "photo", "image/jpeg"),
        ("sticker", VIDEO, "video", "video/mp4"),
        ("audio", VOICE, "audio", "audio/ogg"),
        ("document", VOICE, "audio", "audio/ogg"),
        ("sticker", sticker().content, "sticker", "image/webp"),
        ("photo", sticker().content, "photo", "image/webp"),
    ],
)
async def test_a_file_is_shown_as_what_it_is(
    home: House, declared: str, content: bytes, kind: str, media_type: str
) -> None:
    found = await send(home, declared, content)
    assert found.outcome == (kind, "ready", None)
    assert found.message["transcript"] == f"[{kind}]".replace("o]", "o message]")
    assert found.attachment["source"] == {"media_type": media_type, "bytes": len(content)}
    names = _RENDITIONS.get(kind, {"thumbnail", "preview"})
    assert set(found.attachment["renditions"]) == names
    _, message = await home.call("GET", f"/v1/messages/{found.message['id']}")
    assert {name: message[name] for name in found.message} == found.message


@pytest.mark.parametrize(
    ("declared", "content", "kind", "line", "media_type"),
    [
        ("document", ZIP, "document", "[document]", "application/zip"),
        ("photo", ZIP, "document", "[document]", "application/zip"),
        ("photo", b"<html>no</html>", "document", "[document]", "text/html"),
        ("audio", bytes(range(256)), "audio", "[audio message]", None),
    ],
)
async def test_a_file_that_cannot_be_shown_is_rejected_once_seen(
    home: House, declared: str, content: bytes, kind: str, line: str, media_type: str | None
) -> None:
    found = await send(home, declared, content)
    assert found.outcome == (kind, "rejected", "unsupported_type")
    assert found.message["transcript"] == line
    assert found.attachment["source"] == {"media_type": media_type, "bytes": len(content)}


@pytest.mark.parametrize(
    ("declared", "kind", "line"),
    [
        ("contact", "contact", "[contact]"),
        ("document", "contact", "[contact]"),
        ("location", "location", "[location]"),
    ],
)
async def test_a_card_in_a_file_is_shown_as_fields(
    home: House, declared: str, kind: str, line: str
) -> None:
    found = await send(home, declared, CARD)
    assert found.outcome == (kind, "ready", None)
    assert found.message["transcript"] == line
    (shown,) = found.attachment["contacts"]
    assert shown["phones"] == [{"phone": "+1 555-000-1111"}]
    assert found.attachment["renditions"] == {}


@pytest.mark.parametrize("declared", ["document", "photo", "audio"])
async def test_a_text_is_shown_and_saved_as_a_file_of_ours(home: House, declared: str) -> None:
    found = await send(home, declared, WORDS)
    assert found.outcome == ("document", "ready", None)
    assert found.attachment["renditions"]["text"]["bytes"] == len(WORDS)
    assert (found.attachment["complete"], found.attachment["text_differs"]) == (True, False)
    status, headers, body = await fetched(home, found.message, "text")
    assert (status, body) == (200, WORDS)
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["content-disposition"].startswith('attachment; filename="document-')
    assert headers["x-content-type-options"] == "nosniff"


async def test_a_rejected_file_can_be_fetched_again(home: House) -> None:
    found = await send(home, "document", ZIP)
    home.files["1"] = PHOTO
    path = f"/v1/attachments/{found.attachment['id']}"
    status, view = await home.call("POST", f"{path}/retry")
    assert (status, view["state"]) == (202, "pending")
    _, update = await home.core.until(2)
    validate(update)
    shown = Seen(update["data"]["message"])
    assert shown.outcome == ("photo", "ready", None)
    assert shown.message["transcript"] == "[photo message]"
    assert (await home.call("GET", path))[1] == shown.attachment


async def test_the_update_of_a_pending_file_changes_its_kind(tmp_path: Path) -> None:
    async with house(tmp_path, hold_seconds=0.1) as home:
        released = asyncio.Event()

        async def slow(request: web.Request) -> web.Response:
            await released.wait()
            return web.Response(body=PHOTO)

        first = await send(home, "document", slow)
        assert first.outcome == ("document", "pending", None)
        assert first.message["transcript"] == "[document]"
        released.set()
        _, update = await home.core.until(2)
        shown = Seen(update["data"]["message"])
        assert shown.outcome == ("photo", "ready", None)
        assert shown.message["transcript"] == "[photo message]"


async def test_only_the_line_of_the_changed_attachment_follows(home: House) -> None:
    home.files |= {"a": VOICE, "b": PHOTO}
    media = [["audio", f"{home.media_url}/a"], ["document", f"{home.media_url}/b"]]
    await home.send({"id": "1", "from": "ann", "text": "both", "media": media})
    (event,) = await home.core.until(1)
    message = event["data"]["message"]
    assert (message["text"], message["transcript"]) == ("both", "[audio message]\n[photo message]")


# settings and limits ------------------------------------------------------------------------------


@pytest.mark.parametrize("declared", ["photo", "video", "document"])
@pytest.mark.parametrize(
    ("off", "content", "outcome"),
    [
        ("photos", PHOTO, ("photo", "rejected", "disabled")),
        ("photos", VIDEO, ("video", "ready", None)),
        ("photos", WORDS, ("document", "ready", None)),
        ("audio", VOICE, ("audio", "rejected", "disabled")),
        ("documents", WORDS, ("document", "rejected", "disabled")),
        ("documents", CARD, ("contact", "ready", None)),
        ("contacts", CARD, ("contact", "rejected", "disabled")),
        ("videos", PHOTO, ("photo", "ready", None)),
        ("videos", VIDEO, ("video", "rejected", "disabled")),
    ],
)
async def test_settings_apply_to_what_the_bytes_show(
    tmp_path: Path, off: str, content: bytes, outcome: tuple[str, ...], declared: str
) -> None:
    async with house(tmp_path, hold_seconds=20, connector=notes(**{off: False})) as home:
        found = await send(home, declared, content)
        assert found.outcome == outcome
        assert found.attachment["source"]["bytes"] == len(content)


async def test_nothing_is_fetched_while_everything_is_turned_off(tmp_path: Path) -> None:
    connector = notes(**EVERYTHING_OFF)
    async with house(tmp_path, connector=connector) as home:
        for kind in ("photo", "document"):
            found = await send(home, kind, pytest.fail, id=kind)
            assert found.outcome == (kind, "rejected", "disabled")
            assert "source" not in found.attachment
        path = f"/v1/attachments/{found.attachment['id']}/retry"
        assert (await home.call("POST", path))[0] == 202
        update = (await home.core.until(3))[-1]
        assert Seen(update["data"]["message"]).outcome == ("document", "rejected", "disabled")


async def test_a_disabled_photo_arrives_on_retry_once_turned_on(tmp_path: Path) -> None:
    async with house(tmp_path, connector=notes(photos=False)) as home:
        found = await send(home, "photo", PHOTO)
        url = home.media_url
    async with house(tmp_path) as home:
        home.media_url = url
        path = f"/v1/attachments/{found.attachment['id']}/retry"
        assert (await home.call("POST", path))[1]["state"] == "pending"


@pytest.mark.parametrize(
    ("declared", "content", "outcome"),
    [
        ("document", PHOTO + bytes(40_000), ("photo", "rejected", "too_large")),
        ("video", PHOTO + bytes(40_000), ("photo", "rejected", "too_large")),
        ("photo", VIDEO + bytes(40_000), ("video", "ready", None)),
        ("document", ZIP + bytes(40_000), ("document", "rejected", "unsupported_type")),
        ("photo", VOICE + bytes(40_000), ("audio", "rejected", "too_large")),
    ],
)
async def test_the_limit_is_that_of_the_kind_the_bytes_show(
    tmp_path: Path, declared: str, content: bytes, outcome: tuple[str, ...]
) -> None:
    media = MediaSettings(
        photo_max_bytes=40_000, video_max_bytes=len(VIDEO) + 80_000, audio_max_bytes=40_000
    )
    async with house(tmp_path, hold_seconds=20, media=media) as home:
        assert (await send(home, declared, content)).outcome == outcome


@pytest.mark.parametrize(
    ("off", "size", "reason"),
    [
        ({}, 90_000, "unsupported_type"),
        ({}, 110_000, "too_large"),
        ({"videos": False, "documents": False, "contacts": False}, 45_000, "too_large"),
        ({"photos": False}, 90_000, "unsupported_type"),
    ],
)
async def test_a_download_ends_at_the_largest_limit_in_force(
    tmp_path: Path, off: dict[str, bool], size: int, reason: str
) -> None:
    media = MediaSettings(
        photo_max_bytes=40_000,
        video_max_bytes=100_000,
        audio_max_bytes=40_000,
        document_max_bytes=95_000,
    )
    async with house(tmp_path, hold_seconds=20, media=media, connector=notes(**off)) as home:
        found = await send(home, "document", ZIP + bytes(size - len(ZIP)))
        assert found.outcome == ("document", "rejected", reason)


async def test_fetched_bytes_are_counted_and_refused_files_leave_nothing(
    tmp_path: Path, home: House
) -> None:
    await send(home, "document", ZIP)
    line = next(
        line
        for line in (await home.metrics()).splitlines()
        if line.startswith('airlock_fetched_bytes_total{connector="desk"}')
    )
    assert float(line.split()[1]) >= len(ZIP)
    # The event goes out just before the original is removed.
    async with asyncio.timeout(20):
        for folder in ("quarantine", "scratch", "media"):
            while [path for path in (tmp_path / folder).rglob("*") if path.is_file()]:
                await asyncio.sleep(0.01)


async def test_the_newest_photos_are_counted_by_what_files_are(tmp_path: Path) -> None:
    media = MediaSettings(max_photos_per_conversation=1)
    async with house(tmp_path, hold_seconds=20, media=media) as home:
        for id in ("1", "2"):
            await send(home, "document", PHOTO, id=id)
        events = await home.core.until(3)
        last = {e["data"]["message"]["platform_id"]: Seen(e["data"]["message"]) for e in events}
        assert last["1"].outcome == ("photo", "failed", "expired")
        assert last["2"].outcome == ("photo", "ready", None)


async def test_damaged_pictures_keep_their_kind_and_source(home: House) -> None:
    file = io.BytesIO()
    Image.effect_noise((200, 200), 50).save(file, "PNG")
    content = file.getvalue()[:60]
    found = await send(home, "document", content)
    assert found.outcome == ("photo", "rejected", "corrupt")
    assert found.attachment["source"] == {"media_type": "image/png", "bytes": 60}
