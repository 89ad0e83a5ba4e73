"""`airlock simulate --recording FILE`: posts a recorded delivery to a running gateway, signed by its test class."""

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson

from connectors import Request
from connectors.recordings import Recording
from gateway.settings import Settings

from .running import run

#: Folders above a recording in which its tests may be: payloads, and tests.
_LEVELS = 3


class Unusable(Exception):
    """The recording cannot be sent; the error says why and what to do."""


def simulate_recording(settings: Settings, platform: str, file: Path) -> int:
    """Post the recording. Exit status 0 if the gateway accepted it, 1 if not, 2 if it cannot be sent."""
    try:
        recording = _read(file)
        suite = _suite(file)
        name = _section(settings, platform, suite.connector.name)
    except Unusable as exc:
        print(f"airlock simulate: {exc}", file=sys.stderr)
        return 2
    query = f"?{urlencode(recording.query)}" if recording.query else ""
    bare = replace(
        recording.request(suite.connector),
        url=f"{settings.gateway.public_url}/webhooks/{name}{query}",
        received_at=datetime.now(UTC),
    )
    target = f"http://{settings.gateway.listen}/webhooks/{name}{query}"
    return run(_post(suite().sign(bare), target, suite.__name__))


async def _post(request: Request, target: str, suite: str) -> int:
    try:
        async with (
            aiohttp.ClientSession() as http,
            http.post(target, data=request.body, headers=dict(request.headers)) as answer,
        ):
            status = answer.status
    except aiohttp.ClientConnectionError:
        print(
            f"airlock simulate: nothing listens at {target}; start the gateway first",
            file=sys.stderr,
        )
        return 1
    print(f"the gateway answered {status}")
    if status == 401:
        print(
            f"airlock simulate: {suite} signs with the secrets of the tests; for a test, give the section in"
            " connectors.yaml the same secrets and accounts",
            file=sys.stderr,
        )
    return 0 if status < 300 else 1


def _read(file: Path) -> Recording:
    try:
        raw = orjson.loads(file.read_bytes())
        return Recording(file.stem, **raw)
    except OSError as exc:
        raise Unusable(f"{file}: {exc.strerror}") from exc
    except (ValueError, TypeError) as exc:
        raise Unusable(
            f"{file} is not a recorded delivery, with `content` and `events`; exchanges and refusals cannot be sent"
        ) from exc


def _suite(file: Path) -> Any:
    """The test class to whose recordings a file belongs."""
    folder = file.resolve().parent
    try:
        from connectors.conformance import Conformance  # needs pytest, as the tests do
    except ImportError as exc:
        raise Unusable(f"the test class of {file} cannot be imported: {exc}; install it") from exc
    for module in _test_modules(folder):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Conformance):
                payloads = getattr(value, "payloads", None)
                if payloads is not None and Path(payloads).resolve() in {folder, folder.parent}:
                    return value
    raise Unusable(
        f"no test class has the recordings in {folder}: a file test_*.py above them must define a subclass of"
        " Conformance with these `payloads`"
    )


def _test_modules(folder: Path) -> Iterator[Any]:
    for parent in [folder, *folder.parents][:_LEVELS]:
        for file in sorted(parent.glob("test_*.py")):
            yield _imported(file)


def _imported(file: Path) -> Any:
    # As pytest does: the folder of the tests, and the project above it.
    sys.path[:0] = [str(file.parent), str(file.parent.parent)]
    try:
        spec = importlib.util.spec_from_file_location(f"airlock_simulated_{file.stem}", file)
        if spec is None or spec.loader is None:
            raise Unusable(f"{file} cannot be imported")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    except Unusable:
        raise
    except Exception as exc:  # the tests are the author's
        raise Unusable(f"{file} cannot be imported: {exc}; run its tests first") from exc
    finally:
        del sys.path[:2]
    return module


def _section(settings: Settings, platform: str, type: str) -> str:
    """The section whose webhook receives the recording."""
    for name, connector in settings.connectors.items():
        if platform in {name, connector.name} and connector.name == type:
            return name
    known = ", ".join(settings.connectors) or "none"
    raise Unusable(
        f"no connector of type {type} is called {platform!r} or has that type; configured connectors: {known}"
    )
