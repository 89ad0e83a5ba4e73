"""`airlock people` and `airlock lookup` against a running gateway."""

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.people import lookup, people
from gateway.settings import GatewaySettings, Settings
from tests.gateway.test_gateway import TOKEN, house, photo, with_photo


async def test_a_person_is_found_exported_and_erased_from_the_shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    settings = Settings(gateway=GatewaySettings(data=data, api_tokens=(TOKEN,)))
    async with house(data) as home:
        home.files["1"] = photo()
        await home.send(with_photo(home, text="a dent", name="Ann"))
        await home.core.until(1)
        shell = _Shell(settings, capsys)
        assert (await shell(lookup, "1", None))["message"]["text"] == "a dent"
        assert "ann  Ann" in await shell.text("list")
        assert "files in" in await shell.text("export", "ann", tmp_path / "ann")
        receipt = await shell(_people, "erase", "ann")
        assert (receipt["state"], receipt["conversations"]) == ("done", 1)
        again = await shell(_people, "receipt", receipt["id"])
        assert again == receipt
        assert await shell.text("find", "ann") == ""
    lines = [
        json.loads(line) for line in (tmp_path / "ann" / "export.jsonl").read_text().splitlines()
    ]
    assert [line["type"] for line in lines] == ["export", "conversation", "message", "attachment"]
    kept = {file.name for file in (tmp_path / "ann" / "files").rglob("*") if file.is_file()}
    assert kept == {"preview", "thumbnail"}


def test_what_is_missing_in_the_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert people(Settings(), "erase", None, None, None, yes=True) == 2
    assert "give an id of the person" in capsys.readouterr().err
    assert people(Settings(), "export", "ann", None, None, yes=True) == 2
    assert "give the folder" in capsys.readouterr().err


def _people(settings: Settings, action: str, who: str | None, folder: Path | None = None) -> int:
    return people(settings, action, who, folder, None, yes=True)


class _Shell:
    """Runs commands beside the gateway, and returns what they print."""

    def __init__(self, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
        self._settings, self._capsys = settings, capsys

    async def __call__(self, command: Any, *arguments: Any) -> Any:
        return json.loads(await self._run(command, *arguments))

    async def text(self, action: str, who: str | None = None, folder: Path | None = None) -> str:
        return await self._run(_people, action, who, folder)

    async def _run(self, command: Any, *arguments: Any) -> str:
        self._capsys.readouterr()
        status = await asyncio.to_thread(partial(command, self._settings, *arguments))
        printed = self._capsys.readouterr()
        assert status == 0, printed.err
        # The gateway of this process logs beside it.
        lines = printed.out.splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith("20"))
