"""The listing for app developers sends a photo to a real web channel."""

import asyncio
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.webchat.gateway import FakeGateway
from tests.webchat.running import JPEG, new_id, running

from .pages import ROOT, files

PAGE = ROOT / "docs" / "webchat" / "apps.md"


def load() -> Any:
    module = ModuleType("send_photo")
    exec(compile(files(PAGE)["send_photo.py"], "send_photo.py", "exec"), module.__dict__)
    return module


async def test_the_listing_sends_and_resumes_a_photo(tmp_path: Path) -> None:
    app = load()
    async with FakeGateway() as gateway, running(tmp_path, gateway) as server:

        def send() -> Any:
            token = app.begin(server.url, "shop")["token"]
            return app.send(server.url, token, "my bike", JPEG)

        message = await asyncio.to_thread(send)
        assert message["attachments"][0]["bytes"] == len(JPEG)
        event = await gateway.of_type("message")
        assert (event["text"], len(event["attachments"])) == ("my bike", 1)

        mia, id = await server.consumer(), new_id()
        await mia.create(len(JPEG), id)
        await mia.append(id, 0, JPEG[:5000], last=False)
        await asyncio.to_thread(app.upload, server.url, mia.token, JPEG, id, 3000)
        assert (await mia.write(None, uploads=[id])).status == 201
