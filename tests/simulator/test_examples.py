"""Every example of every platform is delivered as the platform delivers, and named for the command line."""

import json
import re
from urllib.parse import parse_qsl

import pytest

from simulator import PLATFORMS, Platform, Twilio
from simulator.examples import NotPossible
from simulator.scenario import somebody
from tests.simulator.webhook import Arrived, staged

EXAMPLES = [(name, example) for name, kind in PLATFORMS.items() for example in kind.examples]
#: The kinds of messages that a person must be able to send.
WANTED = {
    "whatsapp": {
        *("template-button", "button", "list", "form", "order", "number-change", "user-id-change"),
        *("call", "history", "echo-photo", "echo-edit", "echo-revoke", "unsupported"),
        *("half-character", "failed"),
    },
    "instagram": {
        *("story-reply", "story-mention", "post", "reel", "heart", "quick-reply", "ice-breaker"),
        *("open-thread", "reaction", "unsend", "echo", "unsupported", "half-character"),
    },
    "messenger": {
        *("product", "reel", "buttons-echo", "feedback", "open-thread", "quick-reply"),
        *("postback", "half-character"),
    },
    "twilio": {
        *("whatsapp", "whatsapp-form", "whatsapp-button", "whatsapp-list", "rcs", "stop"),
        *("file-without-address", "photo-with-layout", "subaccount"),
        *("failed-30003", "failed-30005", "failed-30006", "failed-30008", "failed-21610"),
    },
    "web": {"signed-in", "joined", "quote", "typing", "batch", "erasure", "half-character"},
    "apple": {
        *("list-picker", "time-picker", "quick-reply", "form"),
        *("repeated-answer", "half-character"),
    },
}


def is_readable(platform: Platform, arrived: Arrived) -> bool:
    if platform.name == "twilio":
        return bool(dict(parse_qsl(arrived.body.decode(), keep_blank_values=True))["MessageSid"])
    return bool(json.dumps(arrived.content))


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
async def test_every_example_is_delivered_and_accepted(name: str, example: str) -> None:
    async with staged(PLATFORMS[name]) as stage:
        if isinstance(stage.platform, Twilio):
            stage.platform.add_subaccount("+15550004444")
        answers = await stage.platform.send_example(example, somebody(name))
        assert answers
        assert all(answer.accepted for answer in answers)
        assert len(stage.webhook.arrived) == len(answers)
        assert all(is_readable(stage.platform, arrived) for arrived in stage.webhook.arrived)
        required = [hosted for hosted in stage.platform.hosted.values() if not hosted.is_optional]
        assert bool(required) is stage.platform.examples[example].has_files


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_every_example_has_a_short_name_and_a_summary(name: str, example: str) -> None:
    assert re.fullmatch(r"[a-z0-9-]{3,24}", example)
    assert 0 < len(PLATFORMS[name].examples[example].summary) <= 80


@pytest.mark.parametrize("name", PLATFORMS)
def test_all_wanted_kinds_have_an_example(name: str) -> None:
    assert PLATFORMS[name].examples.keys() >= WANTED[name]


async def test_an_example_twice_has_other_ids() -> None:
    for name, example in (
        ("messenger", "postback"),
        ("instagram", "heart"),
        ("whatsapp", "echo"),
        ("twilio", "rcs"),
    ):
        async with staged(PLATFORMS[name]) as stage:
            for _ in range(2):
                await stage.platform.send_example(example, somebody(name))
            first, second = (arrived.body for arrived in stage.webhook.arrived)
            assert first != second


async def test_a_subaccount_example_needs_a_subaccount() -> None:
    async with staged(Twilio) as stage:
        with pytest.raises(NotPossible, match="account_sids"):
            await stage.platform.send_example("subaccount", somebody("twilio"))
