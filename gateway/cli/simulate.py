"""`airlock simulate`: sends a signed, realistic message or example to a running gateway, as the platform would."""

import asyncio
import mimetypes
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from connectors import Connector
from gateway.settings import Settings
from gateway.settings.plugins import Unusable as UnusablePlugin
from simulator import Delivered, Platform, Sample
from simulator.examples import Example, NotPossible
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
    audio: Path | None = None
    document: Path | None = None
    #: The name of one of the platform's examples, instead of a text and files.
    example: str | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the message."""
        given = (self.photo, self.video, self.audio, self.document)
        return tuple(path for path in given if path is not None)


#: Types that platforms declare for sound. The tables of Python and of the system name some of them differently.
_SOUND_TYPES = {
    **dict.fromkeys((".ogg", ".oga", ".opus"), "audio/ogg; codecs=opus"),
    **dict.fromkeys((".m4a", ".mp4"), "audio/mp4"),
    ".3gp": "audio/3gpp",
    ".aac": "audio/aac",
    ".amr": "audio/amr",
    ".caf": "audio/x-caf",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".webm": "audio/webm",
    ".mka": "audio/x-matroska",
}

#: Types of videos that the tables of Python and of the system may lack.
_VIDEO_TYPES = {".webm": "video/webm", ".mkv": "video/x-matroska", ".3gp": "video/3gpp"}


class Unusable(Exception):
    """The message cannot be simulated; the error says why and what to do."""


def simulate(settings: Settings, platform: str, content: Content) -> int:
    try:
        name, connector = _find_connector(settings, platform)
        samples = [_read_sample(path, is_sound=path == content.audio) for path in content.files]
        emulated = _emulated_platform(connector)
        example = _find_example(emulated, content)
        has_files = bool(samples) or (example is not None and example.has_files)
        port = _platform_port(settings, connector, emulated, has_files=has_files)
    except Unusable as exc:
        print(f"airlock simulate: {exc}", file=sys.stderr)
        return 2
    listen = settings.gateway.listen
    emulated.webhook = f"http://{listen}/webhooks/{name}"
    emulated.public_webhook = f"{settings.gateway.public_url}/webhooks/{name}"
    text = content.text if content.text is not None or samples else "Hello from the simulator"
    consumer = somebody(emulated.name)
    if example is not None:
        return run(_send(emulated, port, lambda: example.send(emulated, consumer)))
    return run(_send(emulated, port, lambda: emulated.send(consumer, text, samples)))


def list_examples(settings: Settings, platform: str) -> int:
    """Print what `--example` can send, for a connector of the settings or for a type."""
    configured = settings.connectors.get(platform)
    try:
        examples = _emulator(configured.name if configured else platform).examples
    except Unusable as exc:
        print(f"airlock simulate: {exc}", file=sys.stderr)
        return 2
    width = max(map(len, examples), default=0)
    for name, example in examples.items():
        print(f"{name:{width}}  {example.summary}")
    return 0


async def _send(
    emulated: Platform, port: int, deliver: Callable[[], Awaitable[list[Delivered]]]
) -> int:
    try:
        await emulated.start(port=port)
    except OSError as exc:
        print(
            f"airlock simulate: cannot listen on port {port} of api_url: {exc.strerror}",
            file=sys.stderr,
        )
        return 1
    try:
        answers = await deliver()
        for answer in answers:
            ids = ", ".join(answer.ids) or "an event without an id"
            print(f"the gateway answered {answer.status} for {ids}")
        if any(answer.status != 200 for answer in answers):
            return 1
        return 0 if await _wait_until_fetched(emulated) else 1
    except NotPossible as exc:
        print(f"airlock simulate: {exc}", file=sys.stderr)
        return 2
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
    required = [hosted for hosted in emulated.hosted.values() if not hosted.is_optional]
    while missing := [hosted for hosted in required if not hosted.asked]:
        if waited >= _FETCH_TIMEOUT:
            names = ", ".join(hosted.sample.name for hosted in missing)
            print(
                f"the gateway did not fetch {names} within {_FETCH_TIMEOUT:.0f} s; see its log",
                file=sys.stderr,
            )
            return False
        await asyncio.sleep(0.1)
        waited += 0.1
    if required:
        await asyncio.sleep(1.0)
        print(f"the gateway fetched {len(required)} file(s)")
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


def _find_example(emulated: Platform, content: Content) -> Example[Any] | None:
    """Return the example to send, or None for a text and files."""
    if content.example is None:
        return None
    if content.text is not None or content.files:
        raise Unusable(
            "--example replaces --text, --photo, --video, --audio and --document; leave these out"
        )
    if content.example not in emulated.examples:
        known = ", ".join(emulated.examples) or "none"
        raise Unusable(
            f"{emulated.name} has no example called {content.example!r}; its examples: {known}"
        )
    return emulated.examples[content.example]


def _read_sample(path: Path, *, is_sound: bool) -> Sample:
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise Unusable(f"{path}: {exc.strerror}") from exc
    suffix = path.suffix.lower()
    media_type = _VIDEO_TYPES.get(suffix) or mimetypes.guess_type(path.name)[0] or "image/jpeg"
    if is_sound:
        media_type = _SOUND_TYPES.get(suffix, "application/octet-stream")
    return Sample(path.name, media_type, content)


def _platform_port(
    settings: Settings, connector: Connector[Any], emulated: Platform, *, has_files: bool
) -> int:
    """Return the port on which the emulated platform must listen for the gateway to find it."""
    api = urlsplit(connector.config.api)
    if not has_files:
        return 0
    is_own = f"{api.scheme}://{api.netloc}" in settings.fetch.own_origins
    if not (settings.fetch.allow_private_hosts or is_own):
        raise Unusable("files are served on loopback; set fetch.allow_private_hosts to true")
    if emulated.tells_addresses:  # allow-word
        return 0
    if api.scheme != "http" or api.hostname not in {"127.0.0.1", "localhost"} or not api.port:
        raise Unusable(
            f"{emulated.name} media are fetched through api_url ({connector.config.api}); "
            f"set it to a free port of this machine, such as http://127.0.0.1:9010{emulated.api_path}"
        )
    return int(api.port)


def _emulated_platform(connector: Connector[Any]) -> Platform:
    emulated = _emulator(connector.name)()
    try:
        emulated.adopt(connector.config)
    except NotImplementedError as exc:
        raise Unusable(str(exc)) from exc
    return emulated


def _emulator(name: str) -> type[Platform]:
    try:
        known = emulators()
    except UnusablePlugin as exc:
        raise Unusable(str(exc)) from exc
    if name not in known:
        raise Unusable(f"there is no emulator for {name}; available emulators: {', '.join(known)}")
    return known[name]
