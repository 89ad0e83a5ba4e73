"""The operators' and the audit page are served whatever the core is, to those who may see them."""

import re
from pathlib import Path
from typing import Any

import aiohttp

from tests.gateway.test_gateway import House, house, photo, with_photo
from workspace.auth import accounts

PASSWORD = "correct horse battery"


async def test_the_pages_are_served_beside_a_core_of_ones_own(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        accounts.add(tmp_path / "workspace.db", "vera", PASSWORD, ["supervisor", "operator"])
        accounts.add(tmp_path / "workspace.db", "anna", PASSWORD, ["agent"])
        await _view_a_photo(home)
        async with aiohttp.ClientSession(
            home.gateway.url, cookie_jar=aiohttp.CookieJar(unsafe=True)
        ) as browser:
            for page in ("/operations", "/audit", "/"):
                async with browser.get(page) as response:
                    assert response.url.path == "/workspace/sign-in", page
            landed = await _sign_in(browser, "vera", "operations")
            assert landed == "/workspace/operations"
            for page in ("/operations", "/audit"):
                async with browser.get(page) as response:
                    assert (response.status, response.content_type) == (200, "text/html")
            audit = await _json(browser, "/workspace/api/audit?glimpses=too")
            report = await _json(browser, "/workspace/api/operations")
            me = await _json(browser, "/workspace/api/me")
            # Conversations belong to the core.
            for path in ("/workspace/api/conversations", "/workspace/updates"):
                async with browser.get(path) as response:
                    assert response.status == 404, path
            async with browser.post("/workspace/events", data=b"{}") as response:
                assert response.status in {404, 405}
        async with aiohttp.ClientSession(
            home.gateway.url, cookie_jar=aiohttp.CookieJar(unsafe=True)
        ) as browser:
            await _sign_in(browser, "anna", "")
            async with browser.get("/operations") as response:
                assert response.status == 403
    (entry,) = audit["entries"]
    assert (entry["agent"], entry["did"], entry["kind"]) == ("eve", "preview", "photo")
    assert entry["reference"].startswith("conv_")
    assert audit["agents"] == ["eve"]
    assert {one["connector"] for one in report["channels"]["content"]} == {"desk", "still"}
    assert me["may"] == ["operate", "oversee"]


async def _view_a_photo(home: House) -> None:
    home.files["1"] = photo()
    await home.send(with_photo(home))
    (event,) = await home.core.until(1)
    await home.call("PUT", f"/v1/conversations/{event['subject']}/agents", {"agents": ["eve"]})
    attachment = event["data"]["message"]["attachments"][0]["id"]
    _, links = await home.call("POST", f"/v1/attachments/{attachment}/links", {"agent": "eve"})
    async with home.http.get(links["links"]["preview"]) as response:
        assert response.status == 200


async def _sign_in(browser: aiohttp.ClientSession, name: str, page: str) -> str:
    """Sign in, and return the path of the page that follows."""
    async with browser.get(f"/workspace/sign-in?next={page}") as response:
        form = await response.text()
    (token,) = re.findall(r'name="csrf" value="([^"]+)"', form)
    fields = {"csrf": token, "next": page, "name": name, "password": PASSWORD}
    async with browser.post("/workspace/sign-in", data=fields) as response:
        return response.url.path


async def _json(browser: aiohttp.ClientSession, path: str) -> Any:
    async with browser.get(path) as response:
        assert response.status == 200, path
        return await response.json()
