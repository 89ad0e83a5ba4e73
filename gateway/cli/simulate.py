"""`airlock simulate`: sends one signed, realistic delivery to a running gateway, as the platform would."""

import asyncio
import mimetypes
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from connectors import Connector
from gateway.settings import Settings
from gateway.settings.plugins import Unusable as UnusablePlugin
from simulator import Platform, Sample
from simulator.scenario import somebody

from .emulators import emulators
from .running import run

#: Seconds that the gateway has to fetch the files of the message.
_FETCH_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Content:
    """Content of the simulated message."""

    text: str | None
    photo: Path | None
    video: Path | None


class Unusable(Exception):
    """The message cannot be simulated; the error says why and what to do."""


def simulate(settings: Settings, platform: str, content: Content) -> int:
    try:
        name, connector = _find_connector(settings, platform)
        samples = [
            _read_sample(path) for path in (content.photo, content.video) if path is not None
        ]
        emulated = _emulated_platform(connector)
        port = _platform_port(settings, connector, emulated, samples)
    except Unusable as exc:
        print(f"airlock simulate: {exc}", file=sys.stderr)
        return 2
    listen = settings.gateway.listen
    emulated.webhook = f"http://{listen}/webhooks/{name}"
    emulated.public_webhook = f"{settings.gateway.public_url}/webhooks/{name}"
    text = content.text if content.text is not None or samples else "Hello from the simulator"
    return run(_send(emulated, port, text, samples))


async def _send(emulated: Platform, port: int, text: str | None, samples: list[Sample]) -> int:
    try:
        await emulated.start(port=port)
    except OSError as exc:
        print(
            f"airlock simulate: cannot listen on port {port} of api_url: {exc.strerror}",
            file=sys.stderr,
        )
        return 1
    try:
        answers = await emulated.send(somebody(emulated.name), text, samples)
        for answer in answers:
            print(f"the gateway answered {answer.status} for {', '.join(answer.ids)}")
        if any(answer.status != 200 for answer in answers):
            return 1
        return 0 if await _wait_until_fetched(emulated) else 1
    except aiohttp.ClientConnectionError:
        print(
            f"airlock simulate: nothing listens at {emulated.webhook}; start the gateway first",
            file=sys.stderr,
        )
        return 1
    finally:
        await emulated.close()


async def _wait_until_fetched(emulated: Platform) -> bool:
    """Wait until the gateway has requested every file and had time to download it."""
    waited = 0.0
    while missing := [hosted for hosted in emulated.hosted.values() if not hosted.asked]:
        if waited >= _FETCH_TIMEOUT:
            names = ", ".join(hosted.sample.name for hosted in missing)
            print(
                f"the gateway did not fetch {names} within {_FETCH_TIMEOUT:.0f} s; see its log",
                file=sys.stderr,
            )
            return False
        await asyncio.sleep(0.1)
        waited += 0.1
    if emulated.hosted:
        await asyncio.sleep(1.0)
        print(f"the gateway fetched {len(emulated.hosted)} file(s)")
    return True


def _find_connector(settings: Settings, platform: str) -> tuple[str, Connector[Any]]:
    if platform in settings.connectors:
        return platform, settings.connectors[platform]
    for name, connector in settings.connectors.items():
        if connector.name == platform:
            return name, connector
    known = ", ".join(settings.connectors) or "none"
    raise Unusable(
        f"no connector is called {platform!r} or has that type; configured connectors: {known}"
    )


def _read_sample(path: Path) -> Sample:
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise Unusable(f"{path}: {exc.strerror}") from exc
    return Sample(path.name, mimetypes.guess_type(path.name)[0] or "image/jpeg", content)


def _platform_port(
    settings: Settings, connector: Connector[Any], emulated: Platform, samples: list[Sample]
) -> int:
    """Return the port on which the emulated platform must listen for the gateway to find it."""
    api = urlsplit(connector.config.api)
    if not samples:
        return 0
    if not settings.fetch.allow_private_hosts:
        raise Unusable(
            "photos and videos are served on loopback; set fetch.allow_private_hosts to true"
        )
    if emulated.tells_addresses:  # allow-word
        return 0
    if api.scheme != "http" or api.hostname not in {"127.0.0.1", "localhost"} or not api.port:
        raise Unusable(
            f"{emulated.name} media are fetched through api_url ({connector.config.api}); "
            f"set it to a free port of this machine, such as http://127.0.0.1:9010{emulated.api_path}"
        )
    return int(api.port)


def _emulated_platform(connector: Connector[Any]) -> Platform:
    try:
        known = emulators()
    except UnusablePlugin as exc:
        raise Unusable(str(exc)) from exc
    kind = known.get(connector.name)
    if kind is None:
        raise Unusable(
            f"there is no emulator for {connector.name}; available emulators: {', '.join(known)}"
        )
    emulated = kind()
    try:
        emulated.adopt(connector.config)
    except NotImplementedError as exc:
        raise Unusable(str(exc)) from exc
    return emulated
