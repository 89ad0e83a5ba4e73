"""An upgrade: the gateway and its workspace start with the data of their first formats, and go on."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import aiohttp
import pytest

from gateway.service import Gateway
from gateway.settings import GatewaySettings, Settings
from tests.gateway.notes import notes
from tests.gateway.test_journal_formats import first_format
from tests.workspace.test_migrations import FIRST

pytestmark = pytest.mark.sqlite

TOKEN = "a token of the operators"


def lines(data: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(data / "workspace.db")) as db:
        return [text for (text,) in db.execute("SELECT text FROM messages ORDER BY position")]


async def test_the_data_of_the_first_release_are_brought_up_to_date(tmp_path: Path) -> None:
    first_format(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "workspace.db")) as old:
        old.executescript(FIRST)
    settings = Settings(
        gateway=GatewaySettings(
            listen="127.0.0.1:0", data=tmp_path, api_tokens=(TOKEN,), text_retention=4e9
        ),
        connectors={"desk": notes()},
    )
    headers = {"authorization": f"Bearer {TOKEN}", "x-password": "open sesame"}

    async with Gateway(settings) as gateway, aiohttp.ClientSession(headers=headers) as http:
        body = {"notes": [{"id": "2", "from": "4915", "text": "after the upgrade"}]}
        async with http.post(f"{gateway.url}/webhooks/desk", json=body) as response:
            assert response.status == 200
        async with http.get(f"{gateway.url}/v1/conversations?consumer=4915") as response:
            (before, *_) = (await response.json())["conversations"]
        async with asyncio.timeout(20):
            while "after the upgrade" not in lines(tmp_path) or await gateway.backlog():
                await asyncio.sleep(0.02)
        assert before["connector"] == "desk"

    # The line from before is there, and so is the new one.
    assert lines(tmp_path) == ["the dented lid", "after the upgrade"]
