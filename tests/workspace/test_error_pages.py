"""Errors of every kind: a page for a person's browser, problem details for scripts, and never a traceback."""

import re
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from tests.workspace import samples
from tests.workspace.browser import pages
from tests.workspace.running import RunningWorkspace
from tests.workspace.test_accessibility import DISPLAYS, check
from workspace.application import ROUTES
from workspace.store import conversations

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


async def ask(
    running: RunningWorkspace, path: str, method: str = "GET", **more: Any
) -> tuple[int, str]:
    """Return the status and the text of a page. Anything but a page fails the test."""
    async with running.session.request(
        method, running.url(path), headers=BROWSER, allow_redirects=False, **more
    ) as response:
        if response.status < 400:
            return response.status, ""
        text = await response.text()
        assert response.content_type == "text/html", path
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert text.startswith("<!doctype html>"), path
    assert not re.search(r'Traceback|aiohttp|Python|"error"|\{"', text), path
    return response.status, text


def addresses() -> list[tuple[str, str]]:
    """Return every route with ids of what does not exist."""
    return [(route.method, re.sub(r"\{\w+\}", "conv_x", route.path)[1:]) for route in ROUTES]


async def test_every_route_answers_a_browser_with_a_page(running: RunningWorkspace) -> None:
    for method, path in addresses():
        if path:  # the demo signs everyone in at its home page
            await ask(running, path, method)
            status, _ = await ask(running, path, "DELETE")
            assert status == 405, path
    await running.post("sign-out")
    for method, path in addresses():
        if path.startswith(("api", "attachments", "updates")):
            status, text = await ask(running, path, method)
            assert status == 401, path
            assert 'href="/workspace/sign-in"' in text


def failing(error: Exception) -> Callable[..., Any]:
    def page(*_: Any) -> Any:
        raise error

    return page


async def test_errors_are_sentences_on_a_page(
    running: RunningWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = samples.photo("att_1")
    await running.deliver(samples.received("evt_1", samples.message(attachments=[photo])))
    large = {"data": b"x" * 20_000}
    found = {
        "400": await ask(running, "api/conversations?show=x"),
        "403": await ask(running, "attachments/att_1/thumbnail"),
        "404": await ask(running, "static/nothing.js"),
        "405": await ask(running, "sign-out"),
        "413": await ask(running, "sign-in", "POST", **large),
    }
    await running.open_conversation()
    for status in ("410", "502"):
        refused = int(status), {"detail": "no"}
        running.gateway.refuse["/v1/attachments/att_1/links"] = refused
        found[status] = await ask(running, "attachments/att_1/thumbnail")
    monkeypatch.setattr(conversations, "page", failing(ZeroDivisionError("the secret words")))
    found["500"] = await ask(running, "api/conversations")
    monkeypatch.setattr(conversations, "page", failing(sqlite3.OperationalError("disk is full")))
    found["503"] = await ask(running, "api/conversations")
    assert {name: str(status) for name, (status, _) in found.items()} == {
        name: name for name in found
    }
    assert "Please try again." in found["500"][1]
    assert "cannot read or write its data" in found["503"][1]
    assert not any("secret" in text or "disk" in text for _, text in found.values())
    async with running.session.get(running.url("api/conversations")) as response:
        assert response.content_type == "application/problem+json"
        assert (await response.json())["status"] == 503


async def test_too_many_sign_ins_are_a_page(running: RunningWorkspace) -> None:
    await running.post("sign-out")
    for _ in range(6):
        response = await running.sign_in("nobody", "wrong")
    assert response.status == 429
    assert "Too many attempts" in await response.text()


@pytest.mark.system
@pytest.mark.parametrize("display", ["wide and dark", "narrow and light"])
async def test_error_page_has_no_accessibility_violations(
    running: RunningWorkspace, display: str
) -> None:
    async with pages(running, **DISPLAYS[display]) as (page,):
        await page.goto(running.url("nothing-here"))
        assert await page.title() == "There is nothing here"
        await check(page, "an error")
        await page.get_by_role("link", name="Back to the conversations").click()
        await page.get_by_label("Search names and messages").wait_for()
