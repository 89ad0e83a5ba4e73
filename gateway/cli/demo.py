"""`airlock demo`: gateway, workspace and the four platforms on loopback, with photos and videos arriving."""

import asyncio
import contextlib
import itertools
import json
import logging
import os
import socket
import sys
import tempfile
import webbrowser
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.observability.logs import configure
from gateway.service import Gateway
from gateway.settings import load
from gateway.settings.plugins import Unusable
from simulator import Platform
from simulator.scenario import Line, Step, play

from .emulators import emulators, lines
from .running import asked_to_end, run

#: Seconds between two lines of the story: while it is new, and when it is told again.
_PACE, _LATER_PACE = 2.0, 15.0
#: Seconds between the story's end and its beginning anew: time to look around.
_BETWEEN = 60.0
#: Seconds between two things that an emulated platform tells of an agent's text.
_RECEIPT_PAUSE = 1.2
#: Seconds of a timed demo kept for the last video to become ready.
_LAST_VIDEO = 6.0


def demo(seconds: float | None, port: int) -> int:
    """Run until interrupted, or for `seconds`; then 0 only if every photo and video arrived ready."""
    configure(level=logging.ERROR)
    try:
        with tempfile.TemporaryDirectory(prefix="airlock-demo-") as folder:
            return run(_demo(Path(folder), seconds, port))
    except Unusable as trouble:
        print(f"airlock demo: {trouble}", file=sys.stderr)
        return 1


async def _demo(folder: Path, seconds: float | None, port: int) -> int:
    end = asked_to_end()
    async with _platforms() as platforms:
        settings = load(_settings(folder, _free(port), platforms), os.environ)
        async with Gateway(settings, demo=True) as gateway:
            for name, platform in platforms.items():
                platform.webhook = platform.public_webhook = f"{gateway.url}/webhooks/{name}"
            _welcome(f"{gateway.url}/workspace/")
            if seconds is None:
                await _endlessly(gateway, platforms, end)
                return 0
            return await _timed(gateway, platforms, end, seconds)


async def _endlessly(
    gateway: Gateway, platforms: Mapping[str, Platform], end: asyncio.Event
) -> None:
    async def tell() -> None:
        told = await asyncio.to_thread(lines, platforms)
        for pace in itertools.chain([_PACE], itertools.repeat(_LATER_PACE)):
            async for step in play(platforms, pace=pace, lines=told):
                _show(step)
            await asyncio.sleep(_BETWEEN)

    telling = asyncio.create_task(tell())
    await gateway.wait(end)
    telling.cancel()


async def _timed(
    gateway: Gateway, platforms: Mapping[str, Platform], end: asyncio.Event, seconds: float
) -> int:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    told = await asyncio.to_thread(lines, platforms)
    pace = max(0.0, min(_PACE, (seconds - _LAST_VIDEO) / len(told)))
    steps: list[Step] = []

    async def tell() -> None:
        async for step in play(platforms, pace=pace, lines=told):
            _show(step)
            steps.append(step)

    telling = asyncio.create_task(tell())
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(gateway.wait(end), until - loop.time())
    telling.cancel()
    return await _verdict(gateway, told, steps)


async def _verdict(gateway: Gateway, told: list[Line], steps: list[Step]) -> int:
    """Say what arrived; 0 only if all was accepted, every file is ready and the workspace has every event."""
    missing = [f"{line.platform}: not sent in time" for line in told[len(steps) :]]
    ready = 0
    for step in steps:
        for answer in step.answers:
            if answer.status != 200:
                missing.append(f"{step.line.platform}: answered {answer.status}")
            for id in answer.ids:
                for state in await gateway.attachment_states(step.line.platform, id):
                    ready += state == "ready"
                    if state != "ready":
                        missing.append(f"{step.line.platform}: a file is {state}")
    if waiting := await gateway.backlog():
        missing.append(f"{waiting} events did not reach the workspace")
    print(f"{ready} photos and videos arrived ready", flush=True)
    for trouble in missing:
        print(f"  {trouble}", file=sys.stderr)
    return 1 if missing else 0


@asynccontextmanager
async def _platforms() -> AsyncIterator[dict[str, Platform]]:
    platforms = {name: kind() for name, kind in emulators().items()}
    async with contextlib.AsyncExitStack() as stack:
        for platform in platforms.values():
            platform.receipts = platform.usual_receipts
            platform.receipt_pause = _RECEIPT_PAUSE
            await platform.start()
            stack.push_async_callback(platform.close)
        yield platforms


def _settings(folder: Path, port: int, platforms: Mapping[str, Platform]) -> Path:
    """A connectors.yaml for the emulated platforms (JSON is YAML)."""
    file = folder / "connectors.yaml"
    sections = {name: platform.settings() for name, platform in platforms.items()}
    content = {
        "gateway": {"listen": f"127.0.0.1:{port}", "data": str(folder / "data")},
        "fetch": {"allow_private_hosts": True},
        "connectors": sections,
    }
    file.write_text(json.dumps(content))
    return file


def _free(port: int) -> int:
    """`port` if nobody has it, else 0, which takes any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
        return port


def _welcome(address: str) -> None:
    print(f"The workspace is at {address} (Ctrl-C ends the demo)", flush=True)
    if sys.stdout.isatty() and (os.environ.get("DISPLAY") or sys.platform == "darwin"):
        webbrowser.open(address)


def _show(step: Step) -> None:
    line = step.line
    files = ", ".join(sample.name for sample in line.files)
    words = " · ".join(part for part in (line.text, files) if part)
    print(f"{line.platform:>10}  {line.consumer.name}: {words}", flush=True)
