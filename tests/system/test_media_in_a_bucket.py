"""A photo's whole way with media in a bucket: through a crash and an outage of the store, until it is erased."""

import asyncio
import os
from pathlib import Path

import aiohttp
import pytest

from gateway.fault_points import VARIABLE
from simulator import photo
from tests.bucket import BUCKET, SECRET, Gate, S3Server
from tests.system.running import CONSUMERS, Site, ended, messages, site

pytestmark = pytest.mark.system


async def test_a_photo_survives_crash_and_outage_and_is_erased(
    tmp_path: Path,
    s3_server: S3Server,
    bucket_setting: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from gateway.media.storage.s3 import S3Bucket
    from gateway.settings.media_store import bucket_of

    bucket = bucket_of(bucket_setting)
    assert bucket is not None
    opened, gate = S3Bucket(bucket), Gate(s3_server)
    await gate.open()
    stored = f"s3://{BUCKET}/{bucket.prefix}?endpoint=http://127.0.0.1:{gate.port}"
    settings = {"gateway": {"media": stored}, "core": {"hold_seconds": 0.2}}
    monkeypatch.setenv(VARIABLE, "after-store:1")
    async with site(tmp_path, settings=settings) as running:
        monkeypatch.delenv(VARIABLE)
        content = photo(width=1200, height=900, seed=1)
        await running.platforms["whatsapp"].send(CONSUMERS["whatsapp"], "a dent", [content])
        assert running.process is not None
        await running.process.wait()
        left = await opened.list(bucket.prefix)
        assert len(left) == 2

        await gate.close()
        await running.start()
        async with asyncio.timeout(30):
            while (await running.call("GET", "/readyz"))[1]["status"] != "degraded":
                await asyncio.sleep(0.05)
        await gate.open()
        events = await running.until(lambda events: bool(ended(events)))
        (attachment,) = ended(events)
        assert attachment["state"] == "ready"
        async with asyncio.timeout(30):
            # The original in quarantine goes once the outcome is recorded.
            while len(names := await opened.list(bucket.prefix)) > 2:
                await asyncio.sleep(0.05)
        assert len(names) == 2
        assert not {*left} & {*names}

        url, conversation = await link(running, attachment["id"])
        whole = await ranges(running.http, url)
        assert len(whole) == attachment["renditions"]["preview"]["bytes"]
        await running.call("DELETE", f"/v1/conversations/{conversation}")
        async with asyncio.timeout(30):
            while await opened.list(bucket.prefix):
                await asyncio.sleep(0.05)
    await gate.close()
    log = (tmp_path / "gateway.log").read_text()
    assert SECRET not in log
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == SECRET


async def link(running: Site, attachment: str) -> tuple[str, str]:
    conversation = messages(running.core.events)[0]["data"]["conversation"]["id"]
    await running.call("PUT", f"/v1/conversations/{conversation}/agents", {"agents": ["anna"]})
    _, links = await running.call("POST", f"/v1/attachments/{attachment}/links", {"agent": "anna"})
    return links["links"]["preview"], conversation


async def ranges(http: aiohttp.ClientSession, url: str) -> bytes:
    """Return a file that was read as a player does: its end first, then its beginning, then all."""
    parts = []
    for asked in ("bytes=-100", "bytes=0-99"):
        async with http.get(url, headers={"range": asked}) as response:
            assert response.status == 206
            parts.append(await response.read())
    async with http.get(url) as response:
        whole = await response.read()
    assert parts == [whole[-100:], whole[:100]]
    return whole
