"""The gateway as a service: reloads and restarts under load refuse no delivery; the supervisor knows its state."""

import asyncio
import signal
import socket
from pathlib import Path

import pytest

from tests.system.running import SECRET, TOKEN
from tests.system.service import APP_SECRET, Service, phone, service

pytestmark = pytest.mark.system

SECOND = "the secret that replaces it"


class Supervisor:
    """What systemd does: it holds the socket, and reads the notifications."""

    def __init__(self, folder: Path) -> None:
        self.held = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notified.bind(str(folder / "notify"))
        self._notified.setblocking(False)
        self.environment = {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "300000"}
        self.lines: list[str] = []

    def seen(self, *wanted: str) -> bool:
        while True:
            try:
                self.lines += self._notified.recv(4096).decode().splitlines()
            except BlockingIOError:
                return all(any(line.startswith(w) for line in self.lines) for w in wanted)

    def forget(self) -> None:
        self.seen()
        self.lines.clear()

    def close(self) -> None:
        self.held.close()
        self._notified.close()


async def test_reloads_and_a_restart_under_load_refuse_no_delivery(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    async with service(tmp_path, (supervisor.held,), supervisor.environment) as running:
        await running.start(wait=False)
        await running.until(lambda: supervisor.seen("READY=1", "WATCHDOG=1"))
        end = asyncio.Event()
        load = [asyncio.create_task(running.deliver_until(end)) for _ in range(3)]

        await _replace_a_secret_and_add_a_connector(running)
        await _make_a_mistake(running, supervisor)
        await _remove_a_connector(running)
        # One process did all of it.
        assert len(running.logged("gateway_listens")) == 1
        await _stop_the_event_loop(running, supervisor)

        supervisor.forget()
        assert await running.stop() == 0
        assert supervisor.seen("STOPPING=1")
        await running.start(wait=False)
        await running.until(lambda: supervisor.seen("READY=1"))

        end.set()
        statuses = [status for statuses in await asyncio.gather(*load) for status in statuses]
        assert set(statuses) == {200}
        assert len(statuses) > 50
        await running.until(lambda: running.received() == len(statuses) + 3)
        assert SECOND not in (tmp_path / "gateway.log").read_text()
    supervisor.close()


async def test_the_web_channel_alone_is_a_service_too(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    async with service(tmp_path, (supervisor.held,), supervisor.environment) as running:
        running.command = "chat"
        running.settings["webchat"] = {
            "public_url": "https://chat.example.com",
            "deliver_to": "https://gateway.example.com/webhooks/web",
            "secrets": [SECRET],
            "access_tokens": [TOKEN],
            "sites": {"shop": {}},
        }
        await running.start(wait=False)
        await running.until(lambda: supervisor.seen("READY=1", "WATCHDOG=1"))
        running.signal(signal.SIGHUP)
        await running.until(lambda: running.logged("setting_needs_restart"))

        assert await running.stop() == 0
        assert supervisor.seen("STOPPING=1")
        (line,) = running.logged("web_channel_listens")
        assert line["address"].endswith(f":{running.port}")
    supervisor.close()


async def _replace_a_secret_and_add_a_connector(running: Service) -> None:
    connectors = running.settings["connectors"]
    connectors["phone"], connectors["another"] = phone(SECOND, APP_SECRET), phone()
    line = await running.reload()

    assert line["changed"] == ["connectors.phone.app_secrets"]
    assert line["connectors_added"] == ["another"]
    assert await running.deliver(secret=SECOND) == 200
    assert await running.deliver("another") == 200


async def _make_a_mistake(running: Service, supervisor: Supervisor) -> None:
    supervisor.forget()
    connector = running.settings["connectors"]["phone"]
    connector["verify_tokem"] = connector.pop("verify_token")
    line = await running.reload()

    assert line["event"] == "settings_not_reloaded"
    assert any("verify_tokem" in mistake for mistake in line["mistakes"])
    assert await running.deliver(secret=SECOND) == 200
    await running.until(lambda: supervisor.seen("RELOADING=1", "MONOTONIC_USEC=", "READY=1"))
    assert supervisor.lines.index("RELOADING=1") < supervisor.lines.index("READY=1")
    connector["verify_token"] = connector.pop("verify_tokem")


async def _remove_a_connector(running: Service) -> None:
    del running.settings["connectors"]["another"]
    running.settings["gateway"]["listen"] = "127.0.0.1:1"

    assert (await running.reload())["connectors_removed"] == ["another"]
    assert running.logged("setting_needs_restart")[0]["setting"] == "gateway.listen"
    assert await running.deliver("another") == 404


async def _stop_the_event_loop(running: Service, supervisor: Supervisor) -> None:
    """The watchdog starves while the event loop does not run."""
    running.signal(signal.SIGSTOP)
    supervisor.forget()
    await asyncio.sleep(0.4)
    assert not supervisor.seen("WATCHDOG=1")
    running.signal(signal.SIGCONT)
    await running.until(lambda: supervisor.seen("WATCHDOG=1"))
