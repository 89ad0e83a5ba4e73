"""`airlock demo`: runs the gateway, the workspace and emulated platforms on loopback, which send files."""

import asyncio
import contextlib
import itertools
import json
import logging
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from gateway.journal import JournalUnusable, keep_new_files_private, throwaway_database
from gateway.observability.logs import configure
from gateway.observability.system_errors import CannotStart
from gateway.service import Gateway
from gateway.settings import DatabaseUrl, load
from gateway.settings.databases import parse_journal
from gateway.settings.plugins import Unusable
from simulator import Platform
from simulator.scenario import Line, Step, play

from .demo_report import Files, announce, print_step
from .demo_shop import CONNECTOR, Shop
from .emulators import emulators, lines
from .running import run, stop_event

#: Seconds between two messages of the story: the first time it is played, and when it repeats.
_PAUSE, _LATER_PAUSE = 2.0, 15.0
#: Seconds between the story's end and its repetition, so that there is time to look around.
_PAUSE_BETWEEN_STORIES = 60.0
#: Seconds between two receipts of an emulated platform for an agent's text.
_RECEIPT_PAUSE = 1.2
#: Seconds of a timed demo reserved for the last video to become ready.
_LAST_VIDEO_SECONDS = 6.0


def demo(seconds: float | None, port: int, journal: str = "sqlite") -> int:
    """Run until interrupted, or for `seconds` and then return 0 only if every file arrived ready.

    `journal` may be the URL of a PostgreSQL database, in which the demo keeps its journal apart from all others.
    """
    configure(level=logging.ERROR)
    keep_new_files_private()
    try:
        place = parse_journal(journal)
    except ValueError as exc:
        print(f"airlock demo: --journal {exc}", file=sys.stderr)
        return 1
    try:
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="airlock-demo-"))
            if isinstance(place, DatabaseUrl):
                own = stack.enter_context(throwaway_database(place.url.get_secret_value()))
                place = DatabaseUrl(SecretStr(own))
            return run(_demo(Path(folder), seconds, port, place))
    except (Unusable, CannotStart, JournalUnusable) as exc:
        print(f"airlock demo: {exc}", file=sys.stderr)
        return 1


async def _demo(
    folder: Path, seconds: float | None, port: int, journal: "DatabaseUrl | str"
) -> int:
    stop = stop_event()
    port = _free_port(port)
    shop = Shop(_free_port(port + 11), _free_port(port + 10), port)
    async with _platforms() as platforms, shop.serve():
        settings = load(_settings(folder, port, platforms, shop), os.environ)
        # Only several nodes cannot have the built-in workspace as their core, and the demo is one.
        kept = settings.gateway.model_copy(update={"journal": journal})
        settings = settings.model_copy(update={"gateway": kept})
        async with Gateway(settings, demo=True) as gateway:
            for name, platform in platforms.items():
                platform.webhook = platform.public_webhook = f"{gateway.url}/webhooks/{name}"
            address = f"{gateway.url}/workspace/"
            token = settings.gateway.api_tokens[0].get_secret_value()
            announce(address, shop.page, f"{folder}/connectors.yaml", token, next(iter(platforms)))
            files = Files(gateway, address)
            if seconds is None:
                await _run_until_stopped(gateway, platforms, stop, files)
                return 0
            return await _run_timed(gateway, platforms, stop, seconds, files)


async def _run_until_stopped(
    gateway: Gateway, platforms: Mapping[str, Platform], stop: asyncio.Event, files: Files
) -> None:
    async def play_story() -> None:
        story = await asyncio.to_thread(lines, platforms)
        for pace in itertools.chain([_PAUSE], itertools.repeat(_LATER_PAUSE)):
            async for step in play(platforms, pace=pace, lines=story):
                print_step(step)
                files.follow(step)
            await asyncio.sleep(_PAUSE_BETWEEN_STORIES)

    playing = asyncio.create_task(play_story())
    await gateway.wait(stop)
    playing.cancel()


async def _run_timed(
    gateway: Gateway,
    platforms: Mapping[str, Platform],
    stop: asyncio.Event,
    seconds: float,
    files: Files,
) -> int:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    story = await asyncio.to_thread(lines, platforms)
    pace = max(0.0, min(_PAUSE, (until - loop.time() - _LAST_VIDEO_SECONDS) / len(story)))
    steps: list[Step] = []

    async def play_story() -> None:
        async for step in play(platforms, pace=pace, lines=story):
            print_step(step)
            files.follow(step)
            steps.append(step)

    playing = asyncio.create_task(play_story())
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(gateway.wait(stop), until - loop.time())
    playing.cancel()
    return await _report(gateway, story, steps)


async def _report(gateway: Gateway, story: list[Line], steps: list[Step]) -> int:
    """Print what arrived; 0 only if everything was accepted, every file is ready and no event is waiting."""
    failures = [
        f"{line.platform}: a message was not sent in time; allow more --seconds"
        for line in story[len(steps) :]
    ]
    ready = 0
    for step in steps:
        for answer in step.answers:
            if answer.status != 200:
                failures.append(f"{step.line.platform}: answered {answer.status}")
            for id in answer.ids:
                for state in await gateway.attachment_states(step.line.platform, id):
                    ready += state == "ready"
                    if state != "ready":
                        failures.append(f"{step.line.platform}: a file is {state}")
    if waiting := await gateway.backlog():
        failures.append(f"{waiting} events have not reached the workspace")
    print(f"{ready} files arrived ready", flush=True)
    for failure in failures:
        print(f"  {failure}", file=sys.stderr)
    return 1 if failures else 0


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


def _settings(folder: Path, port: int, platforms: Mapping[str, Platform], shop: Shop) -> Path:
    """Write a connectors.yaml for the emulated platforms (JSON is valid YAML)."""
    file = folder / "connectors.yaml"
    sections = {name: platform.settings() for name, platform in platforms.items()}
    content = {
        "gateway": {
            "listen": f"127.0.0.1:{port}",
            "data": str(folder / "data"),
            "api_tokens": [secrets.token_urlsafe(24)],
        },
        "fetch": {"allow_private_hosts": True},
        "webchat": shop.webchat(),
        "connectors": {**sections, CONNECTOR: shop.connector()},
    }
    file.write_text(json.dumps(content))
    return file


def _free_port(port: int) -> int:
    """Return `port` if it is free, otherwise any free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
