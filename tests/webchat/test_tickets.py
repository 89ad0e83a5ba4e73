"""Tickets: what continues a conversation where a browser keeps no session for a frame, or in another window."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from webchat import Site

from .gateway import FakeGateway
from .running import GENEROUS, Clock, Server, running

SITES = {
    "shop": Site(limits=GENEROUS, remember="page"),
    "other": Site(limits=GENEROUS, remember="page"),
    "closed": Site(limits=GENEROUS),
}


@pytest.fixture
async def server(tmp_path: Path, gateway: FakeGateway, clock: Clock) -> AsyncIterator[Server]:
    async with running(tmp_path, gateway, clock, sites=SITES) as started:
        yield started


async def frame(server: Server, site: str = "shop", **more: Any) -> dict[str, Any]:
    wish = {"site": site, "kind": "frame", "carry": "header", **more}
    answer = await server.call("POST", "/v1/sessions", json=wish)
    assert answer.status == 201
    begun: dict[str, Any] = answer.json
    return begun


async def code(server: Server, session: dict[str, Any]) -> str:
    answer = await server.call("POST", "/v1/codes", token=session["token"])
    assert answer.status == 201
    return str(answer.json["code"])


async def test_ticket_of_a_page_continues_and_is_replaced(server: Server, clock: Clock) -> None:
    first = await frame(server)
    second = await frame(server, resume=first["resume"])
    assert second["consumer"] == first["consumer"]
    assert len({first["resume"], second["resume"], first["token"], second["token"]}) == 4
    # The answer may have been lost, so the same use is answered for a while.
    assert (await frame(server, resume=first["resume"]))["consumer"] == first["consumer"]
    clock.forward(61)
    assert (await frame(server, resume=first["resume"]))["consumer"] != first["consumer"]
    assert (await frame(server, resume=second["resume"]))["consumer"] == first["consumer"]


async def test_ticket_ends_with_its_session_its_time_and_its_site(
    server: Server, clock: Clock
) -> None:
    first = await frame(server)
    assert (await frame(server, "other", resume=first["resume"]))["consumer"] != first["consumer"]
    await server.call("DELETE", "/v1/sessions", token=first["token"])
    assert (await frame(server, resume=first["resume"]))["consumer"] != first["consumer"]
    late = await frame(server)
    clock.forward(31 * 86_400)
    assert (await frame(server, resume=late["resume"]))["consumer"] != late["consumer"]
    erased = await frame(server)
    await server.call("DELETE", "/v1/me", token=erased["token"])
    assert (await frame(server, resume=erased["resume"]))["consumer"] != erased["consumer"]


async def test_tickets_are_for_frames_of_sites_that_want_them(server: Server) -> None:
    assert "resume" not in await frame(server, "closed")
    assert "resume" not in await frame(server, kind="app")
    assert "resume" not in (await server.call("POST", "/v1/sessions", json={"site": "shop"})).json


async def test_code_of_a_window_works_once_within_a_minute(server: Server, clock: Clock) -> None:
    first = await frame(server, "closed")
    given = await code(server, first)
    assert (await frame(server, "closed", resume=given))["consumer"] == first["consumer"]
    assert (await frame(server, "closed", resume=given))["consumer"] != first["consumer"]
    late = await code(server, first)
    clock.forward(61)
    assert (await frame(server, "closed", resume=late))["consumer"] != first["consumer"]
    assert (await server.call("POST", "/v1/codes")).status == 401


async def test_continuing_does_not_count_as_a_new_session(
    tmp_path: Path, gateway: FakeGateway, clock: Clock
) -> None:
    from webchat.settings import Limits

    sites = {"shop": Site(limits=Limits(sessions_an_hour_for_address=2), remember="page")}
    async with running(tmp_path / "few", gateway, clock, sites=sites) as server:
        begun = await frame(server)
        for _ in range(4):
            begun = await frame(server, resume=begun["resume"])
        wish = {"site": "shop", "kind": "frame", "carry": "header", "resume": "x" * 43}
        assert (await server.call("POST", "/v1/sessions", json=wish)).code == "work_wanted"


async def test_database_of_the_first_format_gets_the_new_table(
    tmp_path: Path, gateway: FakeGateway, clock: Clock
) -> None:
    async with running(tmp_path, gateway, clock, sites=SITES) as server:
        first = await frame(server)
    with closing(sqlite3.connect(tmp_path / "webchat.db")) as db:
        db.executescript("DROP TABLE tickets; PRAGMA user_version = 1;")
    async with running(tmp_path, gateway, clock, sites=SITES) as server:
        again = await server.call("GET", "/v1/history", token=first["token"])
        assert again.status == 200
        assert "resume" in await frame(server)
