"""docs/events.md shows every type of event as a running gateway sends it, and names every state and reason."""

import json
import re
import subprocess
import sys
from typing import Any, get_args

import pytest

from gateway.events.schemas import TYPES, validate
from gateway.http.operations import OPERATIONS
from normalizer.events import TRANSCRIPT_LINES
from normalizer.media import FailedReason, RejectedReason

from .pages import ROOT, listings, rows, section, text_of

PAGE = ROOT / "docs" / "events.md"
SHOWN = {
    name: json.loads(code)
    for name, code in re.findall(
        r"<!-- example: ([a-z]+) -->\n```json\n(.*?)```\n<!-- /example -->",
        text_of(PAGE),
        re.DOTALL,
    )
}
#: Values that differ from run to run: ids, times, and hashes of encoded files.
_VOLATILE = re.compile(
    r"(evt|msg|conv|att)_[0-9a-f]+|req-[0-9a-f]+-[0-9a-f]+|\d{4}-\d\d-\d\dT[\d:.]+Z|[0-9a-f]{64}|wamid\.[\w=]+|m_[0-9a-f]+"
)


@pytest.mark.parametrize("name", SHOWN)
def test_every_example_fits_the_event_schema(name: str) -> None:
    validate(SHOWN[name])


def test_every_type_of_event_has_a_heading_and_an_example() -> None:
    assert {event["type"] for event in SHOWN.values()} == set(TYPES)
    for type in TYPES:
        assert f'"type": "{type}"' in section(PAGE, f"### {type}")


@pytest.mark.system
def test_the_examples_are_what_a_gateway_sends_today() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "event_examples.py"), "--print"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stderr[-2000:]
    made = json.loads(ran.stdout)
    assert _plain(SHOWN) == _plain(made), "run scripts/event_examples.py and look at what changed"


def test_every_attachment_state_and_reason_is_explained() -> None:
    table = [
        tuple(cell.strip().strip("`") for cell in line.strip("|").split("|"))
        for line in section(PAGE, "## States and reasons").splitlines()
        if line.startswith("| `")
    ]
    assert {row[1] for row in table if row[0] == "rejected"} == set(get_args(RejectedReason))
    assert {row[1] for row in table if row[0] == "failed"} == set(get_args(FailedReason))
    assert {row[0] for row in table} == {"pending", "ready", "rejected", "failed"}


def test_every_line_of_a_transcript_is_named() -> None:
    for line in TRANSCRIPT_LINES.values():
        assert f"`{line}`" in text_of(PAGE)


def test_exactly_the_calls_of_the_api_are_listed() -> None:
    listed = set(rows(section(PAGE, "## Calls to Airlock"))) - {"call"}
    calls = {
        f"{one.method.upper()} {one.path}" for one in OPERATIONS if one.path.startswith("/v1/")
    }
    assert listed == calls


def test_the_listings_contain_only_the_specifications_secret() -> None:
    secrets = {
        secret
        for listing in listings(PAGE)
        for secret in re.findall(r"whsec_[A-Za-z0-9+/=]+", listing.code)
    }
    # This is the secret in the Standard Webhooks specification.
    assert secrets == {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}


def _plain(value: Any, key: str = "") -> Any:
    match value:
        case dict():
            return {name: _plain(part, name) for name, part in value.items()}
        case list():
            return [_plain(part, key) for part in value]
        case str():
            return _VOLATILE.sub("…", value) if key != "timestamp" else "…"
        case int() | float() if key in {"bytes", "duration_seconds", "waveform"}:
            return 0
        case _:
            return value
