"""Recorded refusals: error replies of a platform, and their meaning.

Files `refusals/*.json` beside the recordings, one for each meaning, each

    {"note": …, "refused": {"reason": "window_closed"},
     "replies": [{"purpose": "send", "status": 400, "headers": {}, "content": {"code": 131047}}, …]}

`refused` omits default values: no retry, no wait, no action by an operator.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from .calls import CallChecks
from .notation import reply_of, shown


@dataclass(frozen=True, slots=True)
class Refusal:
    """One meaning, and the replies that have this meaning. `note` states their origin."""

    name: str
    replies: tuple[Mapping[str, Any], ...]
    refused: Mapping[str, Any]
    note: str = ""


def refusals(folder: Path) -> Iterator[Refusal]:
    """All refusals in the subfolder `refusals`, sorted by name."""
    for path in sorted((folder / "refusals").glob("*.json")):
        yield Refusal(path.stem, **orjson.loads(path.read_bytes()))


class RefusalChecks(CallChecks):
    """Tests of `refusal` with recorded replies."""

    def test_refusal_matches_the_recorded_refusals(self) -> None:
        wrong: list[str] = []
        for recorded in refusals(self.payloads):
            for raw in recorded.replies:
                found = shown(self.connector.refusal(reply_of(raw, raw["purpose"])))
                if found != recorded.refused:
                    wrong.append(f"{recorded.name}: {raw} means {found}")
        assert not wrong, "\n".join(wrong)
