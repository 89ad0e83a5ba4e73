"""The emulators' examples at a running gateway: from code, and through `airlock simulate --example`."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from simulator import PLATFORMS
from simulator.examples import NotPossible
from tests.system.running import CONSUMERS, Site, ended, site
from tests.system.test_commands import airlock

pytestmark = pytest.mark.system

#: Examples whose words already arrive, with the consumer's text.
TEXTS = {
    ("whatsapp", "template-button"): "Track it",
    ("whatsapp", "button"): "Monday",
    ("instagram", "quick-reply"): "Yes",
    ("instagram", "ice-breaker"): "Where is my order?",
    ("messenger", "quick-reply"): "Yes",
    ("messenger", "postback"): "Start",
    ("twilio", "whatsapp"): "Good morning",
    ("twilio", "whatsapp-button"): "Track it",
    ("twilio", "rcs"): "From the new app",
    ("apple", "quick-reply"): "Blue",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with site(tmp_path_factory.mktemp("site")) as started:
        yield started


def texts(events: list[dict[str, Any]], platform: str) -> list[str | None]:
    return [
        event["data"]["message"]["text"]
        for event in events
        if event["type"] == "message.received" and event["source"] == platform
    ]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("platform", "example"), TEXTS)
async def test_an_answer_arrives_with_its_text(running: Site, platform: str, example: str) -> None:
    await running.platforms[platform].send_example(example, CONSUMERS[platform])
    await running.until(lambda es: TEXTS[platform, example] in texts(es, platform))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("platform", sorted(PLATFORMS))
async def test_no_example_stops_the_messages_after_it(running: Site, platform: str) -> None:
    emulated = running.platforms[platform]
    for example in emulated.examples:
        try:
            answers = await emulated.send_example(example, CONSUMERS[platform])
        except NotPossible:
            continue
        assert [answer.status for answer in answers] == [200] * len(answers), example
    await emulated.send(CONSUMERS[platform], "after all examples")
    await running.until(lambda es: "after all examples" in texts(es, platform))


async def test_the_command_lists_a_platforms_examples(tmp_path: Path) -> None:
    file = tmp_path / "connectors.yaml"
    file.write_text("connectors: {}\n")
    status, out, err = await airlock("simulate", "twilio", "--examples", "-c", file)
    assert (status, err) == (0, "")
    names = [line.split()[0] for line in out.splitlines()]
    assert names == list(PLATFORMS["twilio"].examples)
    status, _, err = await airlock("simulate", "pigeon", "--examples", "-c", file)
    assert (status, "no emulator for pigeon" in err) == (2, True)


async def test_the_command_sends_an_example_to_a_running_gateway(tmp_path: Path) -> None:
    async with site(tmp_path) as started:
        emulated = started.platforms["twilio"]
        await emulated.close()  # the command listens on its port
        file = tmp_path / "connectors.yaml"
        command = ("simulate", "twilio", "-c", file, "--example")
        status, out, err = await airlock(*command, "whatsapp-button")
        assert (status, err) == (0, ""), out
        await started.until(lambda es: "Track it" in texts(es, "twilio"))
        status, out, err = await airlock(*command, "photo-with-layout")
        assert (status, err) == (0, ""), out
        assert "the gateway fetched 1 file(s)" in out
        await started.until(lambda es: "ready" in [a["state"] for a in ended(es)])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--example", "pigeon"), "no example called 'pigeon'; its examples: whatsapp,"),
        (
            ("--example", "rcs", "--text", "hi"),
            "--example replaces --text, --photo, --video, --audio and --document",
        ),
        (("--example", "subaccount"), "name one in account_sids"),
    ],
)
async def test_an_impossible_example_is_wrong_usage(
    tmp_path: Path, words: tuple[str, ...], reason: str
) -> None:
    file = tmp_path / "connectors.yaml"
    emulated = PLATFORMS["twilio"]()
    emulated.origin = "http://127.0.0.1:9"
    file.write_text(json.dumps({"connectors": {"sms": emulated.settings()}}))
    status, _, err = await airlock("simulate", "sms", *words, "-c", file)
    assert (status, reason in err) == (2, True), err
