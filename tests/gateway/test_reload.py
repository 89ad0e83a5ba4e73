"""Settings that are read again while the gateway runs, with a connector, a secret, a limit or a mistake in them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from gateway.settings import (
    ConfigError,
    CoreSettings,
    FetchSettings,
    GatewaySettings,
    MediaSettings,
    Mistake,
    Settings,
    compare,
)
from gateway.settings.webchat import WebchatSection
from tests.fake_clamd import fake_clamd
from tests.gateway.notes import notes
from tests.gateway.test_gateway import TOKEN, House, house, photo, with_photo
from tests.gateway.test_lanes import SECRET, Core, ok

#: Starting a gateway takes a second, because of its decoders.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def built(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[House, Settings]]:
    async with house(tmp_path_factory.mktemp("house")) as home:
        yield home, running(home)


@pytest_asyncio.fixture(loop_scope="module")
async def home(built: tuple[House, Settings]) -> House:
    """The gateway of all tests, with the settings of its start."""
    shared, settings = built
    assert await shared.gateway.reload(lambda: settings)
    shared.core.events.clear()
    shared.core.taken.clear()
    return shared


def running(home: House) -> Settings:
    return home.gateway._reloader.settings


async def reload(home: House, **sections: Any) -> list[Any]:
    """Reload with other sections, and return what was logged."""
    new = running(home).model_copy(update=sections)
    with capture_logs() as logged:
        assert await home.gateway.reload(lambda: new)
    return of_the_reload(logged)


def of_the_reload(logged: Sequence[Any]) -> list[Any]:
    """Leave out what the gateway logs meanwhile: a note of an earlier test may still be on its way."""
    return [entry for entry in logged if entry["event"].startswith("setting")]


async def note(home: House, id: str, path: str = "desk", password: str = "open sesame") -> int:
    # The journal of all tests remembers ids.
    body = {"notes": [{"id": f"{id}-{uuid4()}", "from": "ann", "text": id}]}
    url = f"{home.gateway.url}/webhooks/{path}"
    async with home.http.post(url, json=body, headers={"x-password": password}) as response:
        return response.status


async def test_a_replaced_secret_counts_from_the_reload_on(home: House) -> None:
    assert await note(home, "1", password="new word") == 401

    logged = await reload(home, connectors={"desk": notes(password="new word"), "still": notes()})

    assert await note(home, "1", password="new word") == 200
    assert await note(home, "2") == 401
    assert [(e["event"], e["changed"]) for e in logged] == [
        ("settings_reloaded", ["connectors.desk.password", "connectors.still.photos"])
    ]
    assert "new word" not in str(logged)


async def test_connectors_come_and_go_without_a_restart(home: House) -> None:
    assert await note(home, "1", "extra") == 404
    desk = running(home).connectors["desk"]

    logged = await reload(home, connectors={"desk": notes(), "extra": notes()})

    assert [await note(home, "2", path) for path in ("extra", "extra/", "desk")] == [200, 200, 200]
    assert await note(home, "3", "still") == 404
    assert (logged[0]["connectors_added"], logged[0]["connectors_removed"]) == (
        ["extra"],
        ["still"],
    )
    _, chart = await home.call("GET", "/v1/capabilities")
    assert [row["connector"] for row in chart["connectors"]] == ["desk", "extra"]
    assert 'airlock_last_delivery_timestamp_seconds{connector="still"}' not in await home.metrics()
    # What did not change keeps its tokens and its checks.
    assert home.gateway._reloader._parts.connectors["desk"] is desk
    (event, *_) = await home.core.until(1)
    assert event["source"] in {"desk", "extra"}


async def test_health_follows_the_connectors(home: House) -> None:
    async def shown(name: str) -> bool:
        return f'airlock_connector_healthy{{connector="{name}"}}' in await home.metrics()

    async def until(name: str, wanted: bool) -> None:
        while await shown(name) is not wanted:
            pass

    await until("still", True)
    await reload(home, connectors={"desk": notes(), "extra": notes()})
    await until("extra", True)
    await until("still", False)


async def test_what_was_accepted_of_a_removed_connector_is_parsed(home: House) -> None:
    home.core._answer = ok
    parts = home.gateway._reloader._parts
    assert await note(home, "1", "still") == 200
    parts.connectors.replace({"desk": notes()})

    # Events of earlier tests may still be on their way.
    async with asyncio.timeout(20):
        while "still" not in {event["source"] for event in await home.core.until(1)}:
            await asyncio.sleep(0.01)
    assert (await home.call("GET", "/v1/failures"))[1]["failures"] == []


async def test_another_core_and_other_tokens_are_taken_over(home: House) -> None:
    other = Core(ok)
    app = web.Application()
    app.router.add_post("/in", other.post)
    async with TestServer(app) as server:
        tokens = GatewaySettings(
            listen=running(home).gateway.listen,
            data=running(home).gateway.data,
            api_tokens=(TOKEN + "2",),
        )
        url = str(server.make_url("/in"))
        core = CoreSettings(url=url, secrets=(SECRET,), hold_seconds=0)

        await reload(home, core=core, gateway=tokens)
        await note(home, "1")

        assert [event["source"] for event in await other.until(1)] == ["desk"]
        assert (await home.call("GET", "/v1/failures"))[0] == 401
        assert (await home.call("GET", "/v1/failures", token=TOKEN + "2"))[0] == 200


async def test_another_core_gets_what_one_that_was_gone_refused(tmp_path: Path) -> None:
    async with house(tmp_path, lambda *_: web.Response(status=410)) as home:
        await note(home, "1")
        while (await home.call("GET", "/readyz"))[1]["status"] != "degraded":
            pass
        other = Core(ok)
        app = web.Application()
        app.router.add_post("/in", other.post)
        async with TestServer(app) as server:
            url = str(server.make_url("/in"))
            await reload(home, core=CoreSettings(url=url, secrets=(SECRET,), hold_seconds=0))

            assert len(await other.until(1)) == 1


async def test_limits_apply_to_the_next_file(home: House) -> None:
    home.files["small"] = home.files["large"] = photo()
    await home.send(with_photo(home, "small"))
    await home.core.until(1)

    await reload(home, media=MediaSettings(photo_max_pixels=1000, link_lifetime=60.0))
    await home.send(with_photo(home, "large"))

    states = [
        (a["state"], a["reason"])
        for event in (await home.core.until(2))[:2]
        for a in event["data"]["message"]["attachments"]
    ]
    assert states == [("ready", None), ("rejected", "too_many_pixels")]


async def test_hosts_apply_to_the_next_file(home: House) -> None:
    home.files["away"] = photo()
    await reload(home, fetch=FetchSettings())
    await home.send(with_photo(home, "away"))
    (event,) = await home.core.until(1)
    (attachment,) = event["data"]["message"]["attachments"]

    assert (attachment["state"], attachment["reason"]) == ("failed", "blocked_host")


async def test_what_needs_a_restart_is_named_and_stays(home: House, tmp_path: Path) -> None:
    other = GatewaySettings(
        listen="127.0.0.1:1",
        data=tmp_path / "other",
        public_url="https://other.example.com",
        trusted_proxies=3,
        api_tokens=(TOKEN,),
    )

    logged = await reload(
        home, gateway=other, media=MediaSettings(isolation="reduced"), core=CoreSettings()
    )

    assert [entry["setting"] for entry in logged[1:]] == [
        "gateway.listen",
        "gateway.public_url",
        "gateway.data",
        "gateway.trusted_proxies",
        "core.url",
        "core.secrets",
        "media.isolation",
    ]
    assert all("restart Airlock to apply it" in entry["remedy"] for entry in logged[1:])
    assert logged[0]["changed"] == ["core.hold_seconds"]
    assert await note(home, "1") == 200
    assert len(await home.core.until(1)) == 1
    # Still waiting at the next reload, which changes nothing.
    assert (
        "gateway.listen"
        in compare(running(home), running(home).model_copy(update={"gateway": other})).kept
    )


async def test_a_section_that_comes_or_goes_needs_a_restart(home: House) -> None:
    webchat = WebchatSection(
        public_url="https://chat.example.com",
        deliver_to="https://gateway.example.com/webhooks/web",
        secrets=(SECRET,),
        access_tokens=(TOKEN,),
        sites={"shop": {}},
    )
    without = running(home)
    with_chat = without.model_copy(update={"webchat": webchat})

    added, removed = compare(without, with_chat), compare(with_chat, without)

    assert (added.kept, removed.kept) == (("webchat",), ("webchat",))
    assert (added.settings.webchat, removed.settings.webchat) == (None, webchat)


async def test_mistakes_change_nothing_and_are_logged(home: House) -> None:
    mistake = Mistake("connectors.yaml", 3, "core.uri", "is not a known key", "url")

    def load() -> Settings:
        raise ConfigError([mistake])

    before = running(home)
    with capture_logs() as logged:
        assert not await home.gateway.reload(load)

    (entry,) = of_the_reload(logged)
    assert entry["event"] == "settings_not_reloaded"
    assert entry["mistakes"] == [str(mistake)]
    assert "stay in force" in entry["remedy"]
    assert running(home) is before
    assert await note(home, "1") == 200
    assert "airlock_last_reload_successful 0.0" in await home.metrics()


@pytest.mark.parametrize("error", [OSError("no such file"), RuntimeError("a plugin's mistake")])
async def test_any_error_of_a_reload_leaves_the_gateway_running(
    home: House, error: Exception
) -> None:
    def load() -> Settings:
        raise error

    assert not await home.gateway.reload(load)
    assert await note(home, "1") == 200


async def test_each_reload_is_counted_by_its_outcome(home: House) -> None:
    async def counted() -> dict[str, float]:
        lines = [
            line for line in (await home.metrics()).splitlines() if "airlock_reloads_total{" in line
        ]
        return {line.split('"')[1]: float(line.rsplit(" ", 1)[1]) for line in lines}

    before = await counted()
    await reload(home)
    await reload(home, connectors={})
    after = await counted()

    assert {name: after[name] - before.get(name, 0) for name in ("applied", "unchanged")} == {
        "applied": 1,
        "unchanged": 1,
    }


async def test_a_scanner_that_does_not_fit_refuses_the_reload(home: House) -> None:
    async with fake_clamd() as clamd:
        clamd.found = b"INSTREAM size limit exceeded. ERROR"
        new = running(home).model_copy(update={"media": MediaSettings(scanner=clamd.address)})
        with capture_logs() as logged:
            assert not await home.gateway.reload(lambda: new)

    assert "accepts only files shorter than" in of_the_reload(logged)[0]["mistakes"][0]
    assert home.gateway._reloader.settings.media.scanner is None
