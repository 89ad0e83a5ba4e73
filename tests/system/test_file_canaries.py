"""Nothing that is hidden in a sound, a document or a card is in a rendition, an event or a log."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.system.canary_files import CANARY, FILES, NAME
from tests.system.running import CONSUMERS, Site, attachments, holder, site
from tests.system.test_canaries import kept, metrics_of

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

PLATFORMS = ("whatsapp", "messenger", "twilio", "apple")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with site(tmp_path_factory.mktemp("site")) as started:
        yield started


async def shown(running: Site, platform: str, name: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Send a file, and return its attachment and every rendition as an agent's browser loads it."""
    sample, _ = FILES[name]
    before = len(running.core.events)
    consumer = CONSUMERS[platform]
    await running.platforms[platform].send(consumer, files=[sample])
    events = await running.until(
        lambda es: any(a["state"] != "pending" for a in attachments(es[before:]).values())
    )
    (attachment,) = attachments(events[before:]).values()
    conversation = holder(events, attachment["id"])["data"]["conversation"]["id"]
    await running.call("PUT", f"/v1/conversations/{conversation}/agents", {"agents": ["anna"]})
    path = f"/v1/attachments/{attachment['id']}/links"
    _, answer = await running.call("POST", path, {"agent": "anna"})
    pages = answer["links"].pop("pages", [])
    urls = {**answer["links"], **{f"page-{n}": url for n, url in enumerate(pages, 1)}}
    found = {}
    for rendition, url in urls.items():
        async with running.http.get(url) as response:
            assert response.status == 200
            found[rendition] = await response.read()
    return attachment, found


def assert_bare(content: bytes, where: str) -> None:
    assert CANARY not in content.upper(), where


@pytest.mark.parametrize("name", FILES)
async def test_hidden_words_reach_no_rendition_event_or_log(running: Site, name: str) -> None:
    sample, kind = FILES[name]
    hides_in_tags = name in {"text", "calendar"}
    packed = name in {"docx", "xlsx", "pptx"}
    assert hides_in_tags or packed or CANARY in sample.content.upper()
    platform = PLATFORMS[list(FILES).index(name) % len(PLATFORMS)]
    attachment, renditions = await shown(running, platform, name)
    assert (attachment["kind"], attachment["state"]) == (kind, "ready")
    assert attachment.get("complete") is True
    for rendition, content in renditions.items():
        assert_bare(content, rendition)
        assert "".join(chr(0xE0000 + letter) for letter in CANARY).encode() not in content
        if rendition == "text":
            assert b"Words" in content
    # The original leaves the quarantine after the event.
    async with asyncio.timeout(20):
        while any((running.folder / "data" / "quarantine").iterdir()):
            await asyncio.sleep(0.02)
    for file, content in kept(running.folder / "data").items():
        assert_bare(content, file)
    log = (running.folder / "gateway.log").read_bytes()
    assert_bare(log, "log")
    assert NAME.encode() not in log
    assert_bare(await metrics_of(running), "metrics")
    assert NAME.encode() not in await metrics_of(running)
