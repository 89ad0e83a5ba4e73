"""The control socket: the API without a token, for the gateway's user alone."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from gateway.cli import main
from gateway.cli.running_gateway import Unreachable, call_api
from gateway.http.control import open_control_socket
from gateway.settings import Settings
from tests.gateway.test_gateway import House, house


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    # Longer than the address of a socket may be.
    folder = tmp_path / ("a" * 100)
    folder.mkdir(mode=0o755)
    async with house(folder) as built:
        yield built


def folder_of(home: House) -> Path:
    return home.gateway._settings.gateway.data


async def test_commands_need_neither_token_nor_variables(
    home: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with await home.send({"id": "1"}) as response:
        assert response.status == 200
    while (await home.call("GET", "/v1/failures"))[1]["failures"] == []:
        await asyncio.sleep(0.01)
    file = tmp_path / "connectors.yaml"
    file.write_text(
        f"gateway: {{data: {folder_of(home)}, api_tokens: ['${{NOT_SET}}']}}\n"
        "connectors: {wa: {type: whatsapp, app_secrets: ['${NOT_SET_EITHER}']}}\n"
    )

    assert await asyncio.to_thread(main, ["failures", "-c", str(file)]) == 0
    assert "desk" in capsys.readouterr().out
    assert await asyncio.to_thread(main, ["replay", "-c", str(file)]) == 1
    assert "failed" in capsys.readouterr().out

    # Only the gateway's user may open it, and over the network a token is needed as before.
    socket = folder_of(home) / "airlock.sock"
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert (await home.call("GET", "/v1/failures", token="wrong"))[0] == 401
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{home.gateway.url}/v1/failures") as response:
            assert response.status == 401


def test_without_a_gateway_the_command_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "connectors.yaml"
    file.write_text("gateway: {data: nowhere}\n")

    assert main(["failures", "-c", str(file)]) == 1
    assert "run this command as its user, or add a token" in capsys.readouterr().err
    file.write_text("gateway: {data: nowhere, api_tokens: ['${NOT_SET}']}\n")
    assert main(["failures", "-c", str(file)]) == 2
    assert "NOT_SET" in capsys.readouterr().err


def test_a_socket_of_a_dead_process_is_replaced(tmp_path: Path) -> None:
    open_control_socket(tmp_path).close()
    with pytest.raises(Unreachable):
        call_api(Settings(gateway={"data": tmp_path}), "GET", "/v1/failures")

    open_control_socket(tmp_path).close()
