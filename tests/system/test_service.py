"""The gateway as a service: reloads and restarts under load refuse no delivery; the supervisor knows its state."""

import asyncio
import signal
import socket
from functools import partial
from pathlib import Path

import pytest

from tests.system.service import APP_SECRET, Service, phone, service

pytestmark = pytest.mark.system

SECOND = "the secret that replaces it"


async def test_reloads_under_load_refuse_no_delivery(tmp_path: Path) -> None:
    async with service(tmp_path) as running:
        await running.start()
        end = asyncio.Event()
        load = [asyncio.create_task(running.deliver_until(end)) for _ in range(3)]
        connectors = running.settings["connectors"]

        connectors["phone"] = phone(SECOND, APP_SECRET)
        connectors["another"] = phone()
        line = await running.reload()
        assert line["changed"] == ["connectors.phone.app_secrets"]
        assert line["connectors_added"] == ["another"]
        assert await running.deliver(secret=SECOND) == 200
        assert await running.deliver("another") == 200

        connectors["phone"]["verify_tokem"] = connectors["phone"].pop("verify_token")
        line = await running.reload()
        assert line["event"] == "settings_not_reloaded"
        assert any("verify_tokem" in mistake for mistake in line["mistakes"])
        assert await running.deliver(secret=SECOND) == 200

        connectors["phone"] = phone(SECOND, APP_SECRET)
        running.settings["gateway"]["listen"] = "127.0.0.1:1"
        del connectors["another"]
        assert (await running.reload())["connectors_removed"] == ["another"]
        assert running.logged("setting_needs_restart")[0]["setting"] == "gateway.listen"
        assert await running.deliver("another") == 404

        end.set()
        statuses = [status for statuses in await asyncio.gather(*load) for status in statuses]
        assert set(statuses) == {200}
        assert len(statuses) > 50
        await running.until(lambda: running.received() == len(statuses) + 3)
        assert SECOND not in (tmp_path / "gateway.log").read_text()
        # One process did all of it.
        assert len(running.logged("gateway_listens")) == 1


async def test_restarts_with_an_inherited_socket_refuse_no_connection(tmp_path: Path) -> None:
    """The parent holds the socket, as systemd does with a .socket unit."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as held:
        async with service(tmp_path, (held,)) as running:
            await running.start()
            end = asyncio.Event()
            load = [asyncio.create_task(running.deliver_until(end)) for _ in range(2)]
            for _ in range(2):
                enough = running.received() + 20
                await running.until(partial(_has_received, running, enough))
                assert await running.stop() == 0
                await running.start()
            end.set()
            statuses = [status for statuses in await asyncio.gather(*load) for status in statuses]
            assert set(statuses) == {200}
            await running.until(lambda: running.received() == len(statuses))


def _has_received(running: Service, enough: int) -> bool:
    return running.received() > enough


class Supervisor:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self.lines: list[str] = []

    def seen(self, *wanted: str) -> bool:
        while True:
            try:
                self.lines += self._socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return all(any(line.startswith(w) for line in self.lines) for w in wanted)

    def close(self) -> None:
        self._socket.close()


async def test_the_supervisor_is_notified_of_every_state(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "notify")
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}
    async with service(tmp_path, environment=environment) as running:
        await running.start(wait=False)
        await running.until(lambda: supervisor.seen("READY=1", "WATCHDOG=1"))
        assert await running.deliver() == 200

        supervisor.lines.clear()
        await running.reload()
        await running.until(lambda: supervisor.seen("RELOADING=1", "MONOTONIC_USEC=", "READY=1"))
        assert supervisor.lines.index("RELOADING=1") < supervisor.lines.index("READY=1")

        await _stuck(running, supervisor)

        supervisor.lines.clear()
        assert await running.stop() == 0
        assert supervisor.seen("STOPPING=1")
    supervisor.close()


async def _stuck(running: Service, supervisor: Supervisor) -> None:
    """The watchdog starves while the event loop does not run."""
    running.signal(signal.SIGSTOP)
    supervisor.seen()
    supervisor.lines.clear()
    await asyncio.sleep(0.4)
    supervisor.seen()
    assert supervisor.lines == []
    running.signal(signal.SIGCONT)
    await running.until(lambda: supervisor.seen("WATCHDOG=1"))
