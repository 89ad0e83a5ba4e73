"""Originals over real HTTP: offered, saved under a name of ours, recorded, and gone like all other media."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.events.schemas import validate
from gateway.settings import MediaSettings, advice
from gateway.timestamps import now_ms
from gateway.upkeep import retention
from tests.fake_clamd import FakeClamd, fake_clamd
from tests.gateway.notes import notes
from tests.gateway.settings_files import SettingsFile
from tests.gateway.test_documents import links, opened, send
from tests.gateway.test_gateway import House, house
from tests.journal_rows import rows
from tests.normalizer.office_files import docx, paragraph

DRAWING = bytes(range(256)) * 40
DOCX = docx(paragraph("Words"))


@pytest.fixture
async def clamd() -> AsyncIterator[FakeClamd]:
    async with fake_clamd() as running:
        yield running


def offered(clamd: FakeClamd) -> MediaSettings:
    return MediaSettings(scanner=clamd.address, originals="unshown")


@pytest.fixture
async def home(tmp_path: Path, clamd: FakeClamd) -> AsyncIterator[House]:
    async with house(tmp_path, hold_seconds=30, media=offered(clamd)) as built:
        yield built


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "media").rglob("*") if path.is_file())


async def test_unsupported_file_is_rejected_with_its_original(home: House) -> None:
    attachment = await send(home, DRAWING)
    assert (attachment["state"], attachment["reason"]) == ("rejected", "unsupported_type")
    assert set(attachment["renditions"]) == {"original"}
    status, headers, body = await opened((await links(home, attachment))["original"])
    assert (status, body) == (200, DRAWING)
    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"].startswith("attachment; ")
    assert headers["content-disposition"].endswith('-original.bin"')
    assert headers["x-content-type-options"] == "nosniff"


async def test_office_document_has_its_text_and_its_original(home: House, tmp_path: Path) -> None:
    attachment = await send(home, DOCX)
    assert (attachment["state"], set(attachment["renditions"])) == ("ready", {"text", "original"})
    _, headers, body = await opened((await links(home, attachment))["original"])
    assert body == DOCX
    assert headers["content-disposition"].endswith('-original.docx"')
    assert rows(tmp_path, "SELECT agent, rendition FROM viewed") == [("anna", "original")]


async def test_original_goes_with_the_retention_time(
    tmp_path: Path, clamd: FakeClamd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_SWEEP_EVERY", 0.05)
    async with house(tmp_path, hold_seconds=30, media=offered(clamd)) as home:
        attachment = await send(home, DRAWING)
        assert files(tmp_path) == ["original.bin"]
        await home.gateway._journal.expire_media(now_ms() + 1000)
        update = (await home.core.until(2))[-1]
        validate(update)
        (expired,) = update["data"]["message"]["attachments"]
        assert (expired["id"], expired["reason"]) == (attachment["id"], "expired")
        async with asyncio.timeout(20):
            while files(tmp_path):
                await asyncio.sleep(0.02)


async def test_erasure_removes_originals(home: House, tmp_path: Path) -> None:
    await send(home, DRAWING)
    conversation = home.core.taken[-1]["data"]["conversation"]["id"]
    await home.call("DELETE", f"/v1/conversations/{conversation}")
    assert files(tmp_path) == []


async def test_retry_takes_the_original_away_until_it_ends(home: House, tmp_path: Path) -> None:
    attachment = await send(home, DRAWING)
    home.files["1"] = b"<html>no</html>"
    path = f"/v1/attachments/{attachment['id']}/retry"
    _, pending = await home.call("POST", path)
    assert (pending["state"], pending["renditions"]) == ("pending", {})
    update = (await home.core.until(2))[-1]
    validate(update)
    assert update["data"]["message"]["attachments"][0]["renditions"] == {}
    assert files(tmp_path) == []


async def test_malware_leaves_no_original(home: House, clamd: FakeClamd, tmp_path: Path) -> None:
    clamd.verdict = b"Evil FOUND"
    attachment = await send(home, DRAWING)
    assert (attachment["reason"], attachment["renditions"]) == ("malware", {})
    assert files(tmp_path) == []


async def test_channel_without_documents_has_no_originals(tmp_path: Path, clamd: FakeClamd) -> None:
    connector = notes(documents=False)
    async with house(tmp_path, hold_seconds=30, media=offered(clamd), connector=connector) as home:
        assert (await send(home, DRAWING))["renditions"] == {}


async def test_by_default_nothing_of_the_file_is_kept(tmp_path: Path) -> None:
    async with house(tmp_path, hold_seconds=30) as home:
        assert (await send(home, DRAWING))["renditions"] == {}
    assert files(tmp_path) == []


def test_originals_without_a_scanner_are_a_mistake(tmp_path: Path) -> None:
    (line,) = SettingsFile(tmp_path).lines("media:\n  originals: unshown\n")
    assert line.startswith("connectors.yaml:2: media.originals: unshown requires media.scanner")


def test_originals_with_a_scanner_are_accepted(tmp_path: Path) -> None:
    text = "media:\n  originals: unshown\n  scanner: tcp://127.0.0.1:3310\n"
    settings: Any = SettingsFile(tmp_path).load(text)
    assert settings.media.limits().originals == "unshown"
    assert any(each.startswith("media.originals: unshown, so agents") for each in advice(settings))
