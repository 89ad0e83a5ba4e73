"""A gateway with the web channel beside it, as an operator runs both on one machine."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp

from tests.system.running import AIRLOCK, Site, attachments, free_port, site
from tests.webchat.gateway import SECRET
from tests.webchat.running import ACCESS_TOKEN, Answer, Consumer, Server


@dataclass
class Channel:
    """The running processes, and calls to the web channel."""

    site: Site
    server: Server

    async def ended(self, message: str) -> dict[str, Any]:
        """Wait until the core has the only attachment of a message in its final state; return it."""

        def found(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
            mine = [e for e in events if "message" in e["data"]]
            files = [
                file
                for event in mine
                if event["data"]["message"]["platform_id"].endswith(message)
                for file in event["data"]["message"]["attachments"]
            ]
            return [attachments(events)[file["id"]] for file in files]

        events = await self.site.until(
            lambda events: any(file["state"] != "pending" for file in found(events))
        )
        return found(events)[0]


def section(port: int, gateway: int, **more: Any) -> dict[str, Any]:
    """Return the section `webchat` and the rest of the settings that it needs."""
    url = f"http://127.0.0.1:{port}"
    return {
        "webchat": {
            "listen": f"127.0.0.1:{port}",
            "public_url": url,
            "deliver_to": f"http://127.0.0.1:{gateway}/webhooks/support-web",
            "secrets": [SECRET],
            "access_tokens": [ACCESS_TOKEN],
            "sites": {
                "shop": {
                    "limits": {
                        "sessions_per_hour": 1000,
                        "anonymous": {"at_once": 3, "per_hour": 1000, "bytes_per_day": "1GB"},
                    }
                }
            },
            **more,
        },
        # Not the simulators' switch: exactly one origin is opened.
        "fetch": {"allow_private_hosts": False, "own_origins": [url]},
        "connectors": {
            "support-web": {
                "type": "web",
                "api_url": url,
                "secrets": [SECRET],
                "access_token": ACCESS_TOKEN,
            }
        },
    }


@dataclass
class Chat:
    """`airlock chat` as a process of its own, beside a gateway that may be away."""

    folder: Path
    port: int
    server: Server
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with (self.folder / "chat.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(str(AIRLOCK), "chat", "-c", str(self.folder / "chat.yaml")),
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(30):
            while not await self._listens():
                assert self.process.returncode is None, (self.folder / "chat.log").read_text()
                await asyncio.sleep(0.02)

    async def _listens(self) -> bool:
        try:
            return (await self.server.call("GET", "/healthz")).status == 200
        except aiohttp.ClientConnectionError:
            return False

    async def kill(self) -> None:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()

    async def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return await self.process.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.kill()


def chat_process(folder: Path, http: aiohttp.ClientSession, port: int, gateway: int | str) -> Chat:
    """Write the settings of a web channel that runs alone; `gateway` is a port, or the address of a webhook."""
    webchat = section(port, gateway if isinstance(gateway, int) else 0)["webchat"]
    if isinstance(gateway, str):
        webchat["deliver_to"] = gateway
    webchat["sites"]["shop"]["limits"]["messages_per_minute"] = 100_000
    webchat["sites"]["shop"]["limits"]["anonymous"]["per_hour"] = 100_000
    webchat["sites"]["shop"]["limits"]["anonymous"]["bytes_per_day"] = "1000GB"
    webchat["sites"]["shop"]["limits"]["network_bytes_per_day"] = "1000GB"
    content = {
        "gateway": {"data": str(folder / "chat-data")},
        "webchat": webchat,
    }
    (folder / "chat.yaml").write_text(json.dumps(content))
    return Chat(folder, port, Server.remote(f"http://127.0.0.1:{port}", http))


@asynccontextmanager
async def web_channel(folder: Path, **more: Any) -> AsyncIterator[Channel]:
    """Run everything; `more` are settings of the web channel."""
    port = free_port()
    jar = aiohttp.DummyCookieJar()
    async with (
        site(folder, settings=lambda gateway: section(port, gateway, **more)) as running,
        aiohttp.ClientSession(cookie_jar=jar) as http,
    ):
        yield Channel(running, Server.remote(f"http://127.0.0.1:{port}", http))


async def follow(server: Server, answer: Answer) -> tuple[int, bytes, Any]:
    """Follow a redirect without credentials, as an <img> does."""
    async with server.http.get(answer.headers["Location"]) as response:
        return response.status, await response.read(), response.headers


__all__ = [
    "ACCESS_TOKEN",
    "Channel",
    "Chat",
    "Consumer",
    "chat_process",
    "follow",
    "section",
    "web_channel",
]
