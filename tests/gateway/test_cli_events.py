"""`airlock events replay` against a running gateway."""

import asyncio
from pathlib import Path

import pytest

from gateway.cli import main
from tests.gateway.test_gateway import House, house


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A file with a secret that the shell does not have: the socket in `data` needs none."""
    file = tmp_path / "connectors.yaml"
    file.write_text("gateway: {data: data, api_tokens: ['${NOT_SET}']}\n")
    return file


async def test_taken_events_are_sent_again_from_the_shell(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with house(settings.parent / "data") as home:
        for number in range(2):
            await home.send({"id": str(number), "from": "ann", "text": "hi"})
        first = (await home.core.until(2))[:2]
        await _all_taken(home)
        since, conversation = first[0]["time"], first[0]["subject"]
        options = ["--since", since, "--conversation", conversation, "-c", str(settings)]
        assert await _airlock("events", "replay", *options) == 0
        assert "2 events are sent to the core again" in capsys.readouterr().out
        again = (await home.core.until(4))[2:]
        assert [event["id"] for event in again] == [event["id"] for event in first]
        assert await _airlock("lookup", "0", "-c", str(settings)) == 0
        assert await _airlock("people", "find", "ann", "-c", str(settings)) == 0


async def test_a_replay_that_finds_nothing_or_no_time_says_so(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with house(settings.parent / "data"):
        file = ("-c", str(settings))
        assert await _airlock("events", "replay", "--since", "2099-01-01T00:00:00Z", *file) == 0
        assert "core.replay_window" in capsys.readouterr().out
        for time in ("yesterday", "2026-11-22T01:00:00"):
            assert await _airlock("events", "replay", "--since", time, *file) == 1
            assert "such as 2026-11-22T01:02:03Z" in capsys.readouterr().err
        since = ("--since", "2026-11-22T01:00:00Z", "--conversation", "conv_x")
        assert await _airlock("events", "replay", *since, *file) == 1
        assert "conversation 'conv_x'" in capsys.readouterr().err


def test_a_replay_without_a_time_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["events", "replay"])
    assert ended.value.code == 2
    assert "--since" in capsys.readouterr().err


async def _airlock(*arguments: str) -> int:
    return await asyncio.to_thread(main, list(arguments))


async def _all_taken(home: House) -> None:
    async with asyncio.timeout(20):
        while await home.gateway.backlog():
            await asyncio.sleep(0.01)
