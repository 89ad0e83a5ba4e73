"""Memory of the web channel's server under many uploads and many open streams: `python -m bench.web_channel`."""

import argparse
import asyncio
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

from tests.system.running import AIRLOCK, free_port
from tests.webchat.gateway import SECRET
from tests.webchat.running import ACCESS_TOKEN, Consumer, Server, new_id

_FILE_BYTES = 25_000_000
_PART = 1_000_000
_POLL_SECONDS = 0.02


def settings(folder: Path, port: int) -> Path:
    """Write settings without limits; nothing takes the deliveries."""
    url = f"http://127.0.0.1:{port}"
    limits: dict[str, Any] = {
        "sessions_per_hour": 1_000_000,
        "network_bytes_per_day": "1000GB",
        "anonymous": {"at_once": 10_000, "per_hour": 10_000, "bytes_per_day": "1000GB"},
    }
    content = {
        "gateway": {"data": str(folder / "data")},
        "webchat": {
            "listen": f"127.0.0.1:{port}",
            "public_url": url,
            "deliver_to": "http://127.0.0.1:9/webhooks/web",
            "secrets": [SECRET],
            "access_tokens": [ACCESS_TOKEN],
            "uploads_max_bytes": "1000GB",
            "sites": {"shop": {"limits": limits}},
        },
    }
    file = folder / "chat.yaml"
    file.write_text(json.dumps(content))
    return file


class Measured:
    """`airlock chat`, and the memory that it uses (MB)."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.peak = 0.0

    def now(self) -> float:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE") / 1e6

    async def watch(self) -> None:
        while True:
            self.peak = max(self.peak, self.now())
            await asyncio.sleep(_POLL_SECONDS)


async def upload(consumer: Consumer, content: bytes) -> None:
    """Send a file in parts, and cancel it, so that the disk does not fill up."""
    id = new_id()
    assert (await consumer.create(len(content), id)).status == 201
    for at in range(0, len(content), _PART):
        last = at + _PART >= len(content)
        answer = await consumer.append(id, at, content[at : at + _PART], last=last)
        assert answer.status == 204, answer.body
    await consumer.call("DELETE", f"/uploads/{id}")


async def uploads(server: Server, number: int) -> float:
    """Send so many files at once; return the seconds that it took."""
    content = b"\xff\xd8\xff" + bytes(_FILE_BYTES - 3)
    consumers = [await server.consumer() for _ in range(number)]
    begun = time.monotonic()
    await asyncio.gather(*(upload(consumer, content) for consumer in consumers))
    return time.monotonic() - begun


async def streams(server: Server, number: int) -> list[aiohttp.ClientResponse]:
    """Open so many streams, each of a consumer of its own."""
    opened = []
    for _ in range(number):
        consumer = await server.consumer()
        headers = {"Authorization": f"Bearer {consumer.token}", "Accept": "text/event-stream"}
        response = await server.http.get(f"{server.url}/v1/changes", headers=headers)
        await response.content.readline()
        opened.append(response)
    return opened


async def measure(folder: Path, files: int, open_streams: int) -> dict[str, float]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(str(AIRLOCK), "chat", "-c", str(settings(folder, port))),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    connector = aiohttp.TCPConnector(limit=0)
    jar = aiohttp.DummyCookieJar()
    try:
        async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as http:
            server = Server.remote(f"http://127.0.0.1:{port}", http)
            await _until_it_listens(server)
            measured = Measured(process.pid)
            await uploads(server, 1)
            before = measured.now()
            watching = asyncio.create_task(measured.watch())
            seconds = await uploads(server, files)
            watching.cancel()
            idle = measured.now()
            opened = await streams(server, open_streams)
            result = {
                "before_mb": before,
                "peak_of_uploads_mb": measured.peak,
                "uploads_seconds": seconds,
                "before_streams_mb": idle,
                "with_streams_mb": measured.now(),
            }
            for response in opened:
                response.close()
            return {name: round(value, 1) for name, value in result.items()}
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def _until_it_listens(server: Server) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await server.call("GET", "/healthz")
                return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(_POLL_SECONDS)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.web_channel", description=__doc__)
    parser.add_argument("--files", type=int, default=200, help="uploads of 25 MB at once")
    parser.add_argument("--streams", type=int, default=1000, help="open streams")
    options = parser.parse_args(arguments)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(measure(Path(folder), options.files, options.streams))))


if __name__ == "__main__":
    main(sys.argv[1:])
