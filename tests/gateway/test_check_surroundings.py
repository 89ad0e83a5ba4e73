"""`airlock check` about the core, the way from outside, and the clock."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks.webhooks import Webhook

from gateway.cli.check_surroundings import Surroundings
from gateway.settings import CoreSettings, GatewaySettings, Settings
from tests.docs.test_proxies import _write_certificate
from tests.gateway.notes import Notes, NotesConfig
from tests.gateway.test_lanes import SECRET


class Outside:
    """A server whose answer a test sets."""

    def __init__(self) -> None:
        self.status, self.text = 204, ""
        self.ahead = 0.0
        self.bodies: list[tuple[bytes, dict[str, str]]] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.bodies.append((await request.read(), headers))
        date = {"date": formatdate(time.time() + self.ahead, usegmt=True)}
        text = self.text.replace("PATH", request.path)
        return web.Response(status=self.status, text=text, headers=date)


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    made = Outside()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    async with TestServer(app) as server:
        made.url = str(server.make_url("")).rstrip("/")
        yield made


def settings(
    tmp_path: Path, core: str | None = None, public: str | None = None, **more: Any
) -> Settings:
    public_url = {"public_url": public} if public else {}
    return Settings(
        gateway=GatewaySettings(data=tmp_path, **public_url),
        core=CoreSettings(url=core, secrets=(SECRET,)),
        **more,
    )


async def test_the_probe_of_the_core_is_a_signed_event(tmp_path: Path, outside: Outside) -> None:
    found = await Surroundings(settings(tmp_path, outside.url + "/in")).core()

    assert str(found) == "core: ok, it accepts signed events"
    ((body, headers),) = outside.bodies
    event = Webhook(SECRET).verify(body.decode(), headers)
    assert (event["specversion"], event["type"], event["data"]) == ("1.0", "gateway.check", {})
    assert event["id"] == headers["webhook-id"]
    assert headers["content-type"] == "application/cloudevents+json"


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        (400, "ok", "refuses the check's event with 400, which it may"),
        (422, "ok", "which it may"),
        (401, "failed", "compare core.secrets"),
        (403, "failed", "compare core.secrets"),
        (404, "failed", "correct the path"),
        (405, "failed", "not that of a receiver"),
        (410, "failed", "wants no events"),
        (301, "failed", "set the URL to which it redirects"),
        (503, "failed", "look at the core's log"),
    ],
)
async def test_the_answer_of_the_core_is_judged(
    tmp_path: Path, outside: Outside, status: int, state: str, words: str
) -> None:
    outside.status = status
    found = await Surroundings(settings(tmp_path, outside.url)).core()

    assert found.state == state
    assert words in found.words


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1/in", "cannot be reached"),
        ("http://core.invalid/in", "the name core.invalid has no address"),
    ],
)
async def test_a_core_that_is_not_there_is_named(tmp_path: Path, url: str, words: str) -> None:
    found = await Surroundings(settings(tmp_path, url)).core()

    assert found.state == "failed"
    assert words in found.words


async def test_without_a_core_the_workspace_is_named(tmp_path: Path) -> None:
    assert (await Surroundings(settings(tmp_path)).core()).state == "ok"


@pytest.mark.parametrize(
    ("status", "text", "state", "words"),
    [
        (404, "there is nothing at 'PATH'", "ok", "with an unchanged path"),
        (404, "there is nothing at '/other'", "failed", "forward it unchanged"),
        (404, "<h1>Not found</h1>", "failed", "not by Airlock"),
        (200, "welcome", "failed", "not by Airlock"),
        (502, "", "note", "start Airlock to check the rest"),
    ],
)
async def test_the_way_from_outside_is_judged(
    tmp_path: Path, outside: Outside, status: int, text: str, state: str, words: str
) -> None:
    outside.status, outside.text = status, text
    found = await Surroundings(settings(tmp_path, public=outside.url)).public_url()

    assert found is not None
    assert found.state == state
    assert words in found.words


async def test_an_untrusted_certificate_fails_the_check(tmp_path: Path) -> None:
    _write_certificate(tmp_path / "key.pem", tmp_path / "cert.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        found = await Surroundings(settings(tmp_path, public=url)).public_url()
    finally:
        server.close()

    assert found is not None
    assert found.state == "failed"
    assert "the certificate is not valid" in found.words


async def test_an_address_that_this_machine_cannot_reach_is_a_note(tmp_path: Path) -> None:
    found = await Surroundings(settings(tmp_path, public="http://127.0.0.1:1")).public_url()

    assert found is not None
    assert found.state == "note"
    assert "try it from outside" in found.words


async def test_the_default_public_url_is_not_checked(tmp_path: Path) -> None:
    assert await Surroundings(settings(tmp_path)).public_url() is None


@pytest.mark.parametrize(
    ("ahead", "state", "words"),
    [
        (0, "ok", "clock: ok"),
        (-60, "note", "60 s ahead of others; synchronise"),
        (600, "failed", "600 s behind others; synchronise"),
    ],
)
async def test_the_clock_is_compared_with_others(
    tmp_path: Path, outside: Outside, ahead: float, state: str, words: str
) -> None:
    outside.ahead = ahead
    now = float(int(time.time()))
    around = Surroundings(settings(tmp_path, outside.url), lambda: now)
    await around.core()
    found = await around.clock()

    assert found.state == state
    assert words.partition(" s ")[2] in found.words


async def test_without_a_core_the_clock_is_a_platforms(tmp_path: Path, outside: Outside) -> None:
    outside.ahead = 600
    connector = Notes(NotesConfig(type="notes", api_url=outside.url))

    found = await Surroundings(settings(tmp_path, connectors={"desk": connector})).clock()

    assert found.state == "failed"
    assert not outside.bodies[0][1].keys() & {"authorization", "x-password"}


async def test_a_clock_that_cannot_be_compared_is_a_note(tmp_path: Path) -> None:
    assert (await Surroundings(settings(tmp_path)).clock()).state == "note"
