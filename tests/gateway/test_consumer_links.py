"""Consumers' links: bound to connector, attachment, consumer and rendition, and asked for by their platform alone."""

import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from standardwebhooks import Webhook

from gateway.http.consumer_links import ConsumerLinkApi, own_file
from gateway.media.consumer_links import ConsumerLinks, Grant
from gateway.problems import Problem
from tests.connectors.accounts import WEB_SECRET, whatsapp
from tests.connectors.accounts import web as web_channel

OTHER = "whsec_YW5vdGhlciB3ZWIgY2hhbm5lbCBvZiBvdXJz"
LINKS = ConsumerLinks(bytes(32), "https://gateway.example/")
ATTACHMENT = "att_1_0"
GRANT = Grant("support-web", ATTACHMENT, "con_1")


class Gateway:
    """Calls of the endpoint, above a journal of one conversation."""

    def __init__(self, client: TestClient[Any, Any], journal: SimpleNamespace) -> None:
        self.client, self.journal = client, journal

    async def ask(
        self,
        grant: str,
        rendition: str = "preview",
        secret: str = WEB_SECRET,
        **headers: str,
    ) -> tuple[int, Any]:
        from datetime import UTC, datetime

        body = f'{{"grant": "{grant}", "rendition": "{rendition}"}}'
        now = datetime.now(UTC)
        signed = {
            "webhook-id": "link_1",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign("link_1", now, body),
            **headers,
        }
        async with self.client.post("/v1/consumer-links", data=body, headers=signed) as answer:
            return answer.status, await answer.json()

    async def follow(self, url: str) -> int:
        parts = urlsplit(url)
        async with self.client.get(f"{parts.path}?{parts.query}") as answer:
            return answer.status


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    conversation = {"connector": "support-web", "consumer": {"id": "con_1", "aliases": ["con_0"]}}
    views: dict[str, Any] = {"renditions": {"preview": {}, "thumbnail": {}, "original": {}}}
    row = SimpleNamespace(id=ATTACHMENT, conversation_id="conv_1", view=views)
    journal = SimpleNamespace(row=row, conversation_view=conversation)

    async def find_attachment(id: str) -> Any:
        return journal.row if id == ATTACHMENT else None

    async def find_conversation(id: str) -> Any:
        return journal.conversation_view if id == "conv_1" else None

    journal.find_attachment, journal.conversation = find_attachment, find_conversation
    store: Any = journal
    connectors: Any = {
        "support-web": web_channel(secrets=[WEB_SECRET]),
        "other-web": web_channel(secrets=[OTHER]),
        "support-whatsapp": whatsapp(),
    }
    api = ConsumerLinkApi(store, LINKS, connectors, "https://gateway.example", 300)

    async def show(request: web.Request) -> web.Response:
        await own_file(store, LINKS, request)
        return web.Response()

    @web.middleware
    async def problems(request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            return await handler(request)  # type: ignore[no-any-return]
        except Problem as problem:
            return problem.response()

    app = web.Application(middlewares=[problems])
    app.router.add_post("/v1/consumer-links", api.make)
    app.router.add_get("/media/{attachment}/{rendition}", show)
    async with TestClient(TestServer(app)) as client:
        yield Gateway(client, journal)


async def test_a_grant_gives_a_link_that_works_for_minutes(gateway: Gateway) -> None:
    status, content = await gateway.ask(LINKS.seal(GRANT))
    assert status == 200
    assert content["url"].startswith(f"https://gateway.example/media/{ATTACHMENT}/preview?")
    query = {name: value[0] for name, value in parse_qs(urlsplit(content["url"]).query).items()}
    assert 290 < int(query["expires"]) - time.time() <= 300
    assert await gateway.follow(content["url"]) == 200
    later = time.time() + 301
    assert LINKS.check(ATTACHMENT, "preview", query, later) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook-signature": ""},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-timestamp": "1"},
        {"webhook-id": "link_2"},
    ],
)
async def test_a_request_that_no_platform_signed_is_refused(
    gateway: Gateway, headers: dict[str, str]
) -> None:
    status, _ = await gateway.ask(LINKS.seal(GRANT), **headers)
    assert status == 401


async def test_another_connector_cannot_use_a_grant(gateway: Gateway) -> None:
    assert (await gateway.ask(LINKS.seal(GRANT), secret=OTHER))[0] == 403
    foreign = Grant("other-web", ATTACHMENT, "con_1")
    assert (await gateway.ask(LINKS.seal(foreign)))[0] == 403
    # Genuine for its connector, but the attachment is in a conversation of another one.
    assert (await gateway.ask(LINKS.seal(foreign), secret=OTHER))[0] == 403


async def test_forged_and_damaged_grants_are_refused(gateway: Gateway) -> None:
    sealed = LINKS.seal(GRANT)
    text, _, mac = sealed.partition(".")
    other_key = ConsumerLinks(b"x" * 32, "https://gateway.example").seal(GRANT)
    for wrong in (
        *("", ".", "a.b", text, f"{text}.", f".{mac}", sealed[:-1], f"{sealed}0", "x" * 3999),
        *(f"A{sealed[1:]}", sealed.upper(), other_key),
    ):
        assert (await gateway.ask(wrong))[0] == 403, wrong


async def test_another_consumers_grant_shows_nothing(gateway: Gateway) -> None:
    for consumer, status in (("con_1", 200), ("con_0", 200), ("con_2", 403), ("", 403)):
        grant = Grant("support-web", ATTACHMENT, consumer)
        assert (await gateway.ask(LINKS.seal(grant)))[0] == status


async def test_a_grant_used_again_after_erasure_is_gone(gateway: Gateway) -> None:
    sealed = LINKS.seal(GRANT)
    _, content = await gateway.ask(sealed)
    gateway.journal.conversation_view = None
    assert (await gateway.ask(sealed))[0] == 410
    assert await gateway.follow(content["url"]) == 410
    gateway.journal.row = None
    assert (await gateway.ask(sealed))[0] == 410
    assert await gateway.follow(content["url"]) == 404


async def test_a_link_made_before_a_change_of_owner_stops_working(gateway: Gateway) -> None:
    _, content = await gateway.ask(LINKS.seal(GRANT))
    gateway.journal.conversation_view["consumer"] = {"id": "con_9", "aliases": []}
    assert await gateway.follow(content["url"]) == 403


async def test_originals_and_unknown_renditions_have_no_link(gateway: Gateway) -> None:
    for rendition in ("original", "video", "page-1", "../preview", ""):
        assert (await gateway.ask(LINKS.seal(GRANT), rendition))[0] == 404
    assert await gateway.follow(LINKS.url(GRANT, "original", int(time.time()) + 60)) == 404


async def test_a_link_is_for_one_rendition_and_one_attachment(gateway: Gateway) -> None:
    url = LINKS.url(GRANT, "preview", int(time.time()) + 60)
    for changed in (
        url.replace("/preview", "/thumbnail"),
        url.replace(ATTACHMENT, "att_2_0"),
        url.replace("con_1", "con_0"),
        url.replace("support-web", "other-web"),
        url.replace("expires=1", "expires=2"),
        url[:-1],
    ):
        assert await gateway.follow(changed) == 403
    assert await gateway.follow(LINKS.url(GRANT, "preview", 1)) == 403


async def test_damaged_and_large_bodies_are_refused(gateway: Gateway) -> None:
    from datetime import UTC, datetime

    for body, status in (("", 400), ("[]", 400), ('{"grant": 1}', 400), ("x" * 20_000, 413)):
        now = datetime.now(UTC)
        headers = {
            "webhook-id": "1",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(WEB_SECRET).sign("1", now, body),
        }
        async with gateway.client.post("/v1/consumer-links", data=body, headers=headers) as answer:
            assert answer.status == status
