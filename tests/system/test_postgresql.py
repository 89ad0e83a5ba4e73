"""`airlock serve` on PostgreSQL: nothing is lost if the gateway is killed, or the database crashes."""

import asyncio
from pathlib import Path

import pytest

from tests.postgresql import Server
from tests.system.running import Site, site
from tests.system.test_restarts import all_arrived, chat

pytestmark = pytest.mark.system

NAMES = ["whatsapp", "twilio"]


async def test_nothing_is_lost_if_gateway_or_database_are_killed(
    tmp_path: Path, postgresql: Server
) -> None:
    settings = {
        "gateway": {"journal": postgresql.schema("system")},
        "core": {"hold_seconds": 0.5},
    }
    async with site(tmp_path, settings=settings) as running:
        for name in NAMES:
            running.platforms[name].retries_for = 60.0
        end = asyncio.Event()
        accepted: dict[str, list[str]] = {name: [] for name in NAMES}
        writing = asyncio.gather(*(chat(running, name, end, accepted[name]) for name in NAMES))
        await _accepts_more(accepted)
        await running.kill()
        await running.start()
        await _accepts_more(accepted)
        await asyncio.to_thread(postgresql.stop, "immediate")
        await _is_ready(running, False)
        async with running.http.get(f"{running.url}/healthz") as response:
            assert response.status == 200
        await asyncio.to_thread(postgresql.start)
        await _is_ready(running, True)
        await _accepts_more(accepted)
        end.set()
        await writing
        await all_arrived(running, accepted)
        assert await running.stop() == 0
    log = (tmp_path / "gateway.log").read_text()
    assert "journal_session_lost" in log
    assert "journal_session_found" in log
    assert not (tmp_path / "data" / "journal.db").exists()


async def _accepts_more(accepted: dict[str, list[str]]) -> None:
    """Wait until more texts of every platform are accepted."""
    before = {name: len(texts) for name, texts in accepted.items()}
    async with asyncio.timeout(30):
        while any(len(texts) < before[name] + 6 for name, texts in accepted.items()):
            await asyncio.sleep(0.01)


async def _is_ready(running: Site, wanted: bool) -> None:
    async with asyncio.timeout(30):
        while ((await running.call("GET", "/readyz"))[0] == 200) != wanted:
            await asyncio.sleep(0.05)
