"""Nothing of a request's headers, cookies, query or token is in any log, metric, event or file, however broken it is.

Every place of every request holds a word of its own, so that a leak names its place.
"""

import asyncio
import hashlib
import hmac
import io
import json
import re
import stat
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from simulator import WhatsApp
from tests.journal_rows import ON_POSTGRESQL, everything
from tests.system.running import TOKEN, Site, site
from workspace.auth import accounts

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

PASSWORD = "correct horse battery"
CANARY = re.compile(rb"canary[0-9]+-(?:(?!canary)[a-z0-9-])*", re.IGNORECASE)

PATHS = (
    *(
        f"/webhooks/{name}"
        for name in ("whatsapp", "messenger", "instagram", "twilio", "apple/message")
    ),
    "/webhooks/unknown",
    "/media/att_1/preview",
    "/v1/conversations/conv_1/messages",
    "/v1/failures/all/retry",
    "/metrics",
    "/readyz",
    *(f"/workspace/{page}" for page in ("", "sign-in", "events", "api/me", "api/conversations")),
    "/workspace/static/workspace.js",
)
HEADERS = (
    *("Cookie", "Authorization", "Proxy-Authorization", "X-Forwarded-For", "Forwarded", "Referer"),
    *("User-Agent", "Origin", "Range", "If-Range", "If-None-Match", "Accept", "Content-Type"),
    *(
        "X-Hub-Signature-256",
        "X-Twilio-Signature",
        "X-CSRF-Token",
        "Webhook-Id",
        "Webhook-Signature",
    ),
    *("Source-Id", "Destination-Id", "X-Request-Id", "Sec-Fetch-Site", "Accept-Encoding"),
)
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS")
LONG = "x" * 9000


class Nest:
    """Numbers the canaries."""

    def __init__(self) -> None:
        self._count = 0

    def lay(self, place: str) -> str:
        self._count += 1
        return f"canary{self._count}-{place.lower()}"


def ordinary(nest: Nest, method: str, path: str, body: bytes) -> bytes:
    """A readable request with a canary in its query, in every header, and in the form that a body may have."""
    query = (
        f"token={nest.lay('query')}&sig={nest.lay('query')}&hub.verify_token={nest.lay('query')}"
    )
    headers = "".join(f"{name}: {nest.lay(f'header-{name}')}\r\n" for name in HEADERS)
    head = f"{method} {path}?{query} HTTP/1.1\r\nHost: {nest.lay('host')}\r\n{headers}"
    return f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def bodies(nest: Nest) -> Iterable[bytes]:
    word = nest.lay("body")
    yield json.dumps({"text": word, "token": word, "entry": [{"id": word}]}).encode()
    yield f"csrf={word}&name={word}&password={word}&Body={word}".encode()
    yield b'{"broken": "' + word.encode() + b"\xff\xfe"


def broken(nest: Nest, path: str) -> Iterable[bytes]:
    """Requests that the HTTP parser refuses, or that break off."""

    def word() -> str:
        return nest.lay("broken")

    line = f"POST {path} HTTP/1.1\r\nHost: a\r\n"
    yield f"{line}Cookie: airlock_session={word()}{LONG}\r\n\r\n".encode()
    yield f"{line}Authorization: Bearer {word()}{LONG}\r\n\r\n".encode()
    yield f"{line}{word()}{LONG}: 1\r\n\r\n".encode()
    yield f"GET {path}?token={word()}{LONG} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    yield f"{line}Cookie: {word()}\x00\r\n\r\n".encode()
    yield f"{line}{word()}\x00: {word()}\r\n\r\n".encode()
    yield f"{line}Cookie {word()}\r\n\r\n".encode()
    yield f"{line} {word()}: folded\r\n\r\n".encode()
    yield f"{word()} {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    yield f"GET {path}?{word()} {word()} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    yield f"GET {path}?{word()} HTTP/{word()}\r\nHost: a\r\n\r\n".encode()
    yield f"GET http://[{word()}/?{word()} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    yield f"{line}Content-Length: {word()}\r\n\r\n".encode()
    yield f"{line}Content-Length: 3\r\nContent-Length: {word()}\r\n\r\nabc".encode()
    yield f"{line}Content-Length: 9000\r\nCookie: {word()}\r\n\r\n{word()}".encode()
    yield f"{line}Transfer-Encoding: {word()}\r\n\r\n".encode()
    yield f"{line}Transfer-Encoding: chunked\r\n\r\n{word()}\r\n\r\n".encode()
    yield f"{line}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n{word()}\r\n".encode()
    yield f"{line}Transfer-Encoding: chunked\r\nCookie: {word()}\r\n\r\n2\r\n{{}}\r\n".encode()
    yield f"{line}Content-Encoding: gzip\r\nContent-Length: 3\r\nCookie: {word()}\r\n\r\nabc".encode()
    yield f"{line}Cookie: {word()}\xff\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
    yield f"GET {path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n".encode()
    yield b"\x16\x03\x01\x02\x00\x01\x00" + word().encode() + bytes(100)
    yield b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + word().encode()


async def send(running: Site, request: bytes, seconds: float = 20.0) -> bytes:
    """Send raw bytes, and return what is answered until the connection ends or the time is over."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(request)
    answer = b""
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(seconds):
            while part := await reader.read(65_536):
                answer += part
    writer.close()
    return answer


def kept(folder: Path) -> dict[str, bytes]:
    """The content of all files below a data folder, and of its journal."""
    files = {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
    return files | everything(folder)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    settings: dict[str, Any] = {"gateway": {"trusted_proxies": 1}}
    folder = tmp_path_factory.mktemp("site")
    async with site(folder, workspace=True, settings=settings) as started:
        accounts.add(folder / "data" / "workspace.db", "anna", PASSWORD, ["agent"])
        yield started


def leaks(running: Site, metrics: bytes) -> set[bytes]:
    places = kept(running.folder / "data") | {
        "log": (running.folder / "gateway.log").read_bytes(),
        "metrics": metrics,
    }
    journal = "table message" if ON_POSTGRESQL else "journal.db"
    assert {journal, "workspace.db"} <= places.keys()
    return {
        name.encode() + b": " + found
        for name, content in places.items()
        for found in CANARY.findall(content)
    }


async def metrics_of(running: Site) -> bytes:
    async with running.http.get(f"{running.url}/metrics") as response:
        return await response.read()


async def test_no_refused_request_leaves_a_trace(running: Site) -> None:
    nest = Nest()
    answers = []
    for path in PATHS:
        for method in METHODS:
            answers += [
                await send(running, ordinary(nest, method, path, body)) for body in bodies(nest)
            ]
        # A request that breaks off is not answered.
        answers += [await send(running, request, 0.1) for request in broken(nest, path)]

    assert leaks(running, await metrics_of(running)) == set()
    assert sum(bool(answer) for answer in answers) > 500
    for answer in answers:
        assert not re.search(rb"aiohttp|python", answer.partition(b"\r\n\r\n")[0], re.IGNORECASE)


def whatsapp(timestamp: str, text: str) -> bytes:
    """A delivery with one text; with a timestamp that is not a number, it cannot be read."""
    message = {"id": f"wamid.{text}", "from": "491", "timestamp": timestamp, "type": "text"}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": WhatsApp().settings()["phone_number_id"]},
        "messages": [message | {"text": {"body": text}}],
    }
    changes = [{"field": "messages", "value": value}]
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [{"changes": changes}]}
    ).encode()


@pytest.mark.parametrize("timestamp", ["1767225600", "canary0-time"])
async def test_an_accepted_delivery_leaves_no_header_or_query(
    running: Site, timestamp: str
) -> None:
    nest = Nest()
    body = whatsapp(timestamp, nest.lay("text"))
    mac = hmac.new(WhatsApp.secret.encode(), body, hashlib.sha256).hexdigest()
    skipped = {"Accept-Encoding", "Content-Type", "X-Hub-Signature-256"}
    headers = {name: nest.lay(f"header-{name}") for name in HEADERS if name not in skipped}
    headers |= {"X-Hub-Signature-256": f"sha256={mac}", "Content-Type": "application/json"}
    url = f"{running.url}/webhooks/whatsapp?token={nest.lay('query')}&m={nest.lay('query')}"
    async with running.http.post(url, data=io.BytesIO(body), headers=headers) as response:
        assert response.status == 200
    await until_kept(running, b"canary1-text")

    found = leaks(running, await metrics_of(running))

    # The message itself is in the journal and in the workspace, and nowhere else.
    assert {leak.partition(b": ")[2] for leak in found} <= {b"canary1-text", b"canary0-time"}
    assert not [leak for leak in found if leak.startswith((b"log", b"metrics"))]


async def until_kept(running: Site, word: bytes) -> None:
    async with asyncio.timeout(20):
        while word not in b"".join(
            content
            for name, content in kept(running.folder / "data").items()
            if "workspace" in name
        ):
            await asyncio.sleep(0.1)


async def test_no_session_password_token_or_link_is_in_a_log_or_file(running: Site) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        address = f"{running.url}/workspace/sign-in"
        async with browser.get(address) as response:
            form = (await response.text()).partition('name="csrf" value="')[2].partition('"')[0]
        fields = {"name": "anna", "password": PASSWORD, "csrf": form}
        async with browser.post(address, data=fields) as response:
            assert response.status == 200
        session = next(c.value for c in jar if c.key.endswith("airlock_session"))
        line = "GET /workspace/api/me HTTP/1.1\r\nHost: a\r\n"
        for cookie in (f"airlock_session={session}; {LONG}", f"airlock_session={session}\x00"):
            assert await send(running, f"{line}Cookie: {cookie}\r\n\r\n".encode())

    secrets = (session, form, PASSWORD, TOKEN, WhatsApp.secret, WhatsApp.token)
    places = kept(running.folder / "data")
    places["log"] = (running.folder / "gateway.log").read_bytes()
    for name, content in places.items():
        assert [s for s in secrets if s.encode() in content] == [], name


async def test_all_files_are_private(running: Site) -> None:
    data = running.folder / "data"
    for path in (data, *data.rglob("*")):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path
