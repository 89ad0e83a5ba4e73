"""What `airlock demo` prints, and the page that it opens."""

import asyncio
import sys
import webbrowser
from typing import Any

import pytest

from gateway.cli.demo_report import Files, announce
from simulator.platform import Consumer, Delivered
from simulator.scenario import Line, Step

ADDRESS = "http://127.0.0.1:18080/workspace/"


class FakeGateway:
    """Knows what became of files by the ids of their messages."""

    def __init__(self, **states: str) -> None:
        self.states = states

    async def attachment_states(self, _connector: str, id: str) -> list[str]:
        return [self.states[id]]

    async def conversation_of(self, _connector: str, id: str) -> str | None:
        return f"conv_{id}"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    addresses: list[str] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", addresses.append)
    return addresses


async def follow(files: Files, *ids: str) -> None:
    line = Line("whatsapp", Consumer("49151", "Ann"), "Look")
    files.follow(Step(line, (Delivered(200, b"", ids),)))
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))


def test_the_demo_prints_where_everything_is(capsys: pytest.CaptureFixture[str]) -> None:
    announce(ADDRESS, "http://127.0.0.1:18091", "/tmp/connectors.yaml", "token", "whatsapp")
    out = capsys.readouterr().out
    assert out.splitlines()[0].split()[:5] == ["Open", "the", "workspace", "at", ADDRESS]
    for part in ("http://127.0.0.1:18091", "18080/operations", "18080/audit", "token is token"):
        assert part in out
    assert "airlock simulate whatsapp --text Hello -c /tmp/connectors.yaml" in out


@pytest.mark.parametrize("terminal", [True, False])
async def test_the_first_ready_file_opens_its_conversation(
    terminal: bool,
    opened: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    gateway: Any = FakeGateway(bad="rejected", good="ready", next="ready")
    files = Files(gateway, ADDRESS)
    await follow(files, "bad")
    assert opened == []
    await follow(files, "good")
    await follow(files, "next")
    out = capsys.readouterr().out
    assert out.count("Its conversation: ") == 1
    assert f"Its conversation: {ADDRESS}?conversation=conv_good" in out
    assert "file: rejected" in out
    assert opened == ([f"{ADDRESS}?conversation=conv_good"] if terminal else [])
