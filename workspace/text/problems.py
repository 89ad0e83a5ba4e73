"""What an operator on call needs first: what is wrong, how bad it is, and what to do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workspace.timestamps import parse_timestamp

from .language import is_said, say, say_count
from .safe_text import clean_text


@dataclass(frozen=True, slots=True)
class Problem:
    """`key` stays the same while the problem lasts. `since` is None if the gateway does not say when it began."""

    key: str
    urgent: bool
    what: str
    todo: str
    since: int | None = None


#: Whether a person must act now, for each state of a channel that is not well.
_CHANNELS: Mapping[str, bool] = {"needs action": True, "waiting": False}


def find_problems(report: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong according to the parts of an operators' report, the most urgent first."""
    if "content" not in report["health"]:
        return [Problem("gateway", True, say("problem.gateway"), say("problem.gateway.todo"))]
    found = [
        *_of_checks(report["health"]["content"]),
        *_of_channels(report["channels"].get("content", ())),
        *_of_failures(report["failures"].get("content", ())),
    ]
    return sorted(found, key=lambda problem: not problem.urgent)


def _of_checks(checks: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    for check in checks:
        name, state = str(check.get("name")), check.get("state")
        if state != "ok":
            key = _known("problem.check", name)
            text = _with_detail(say(key), check.get("detail"))
            yield Problem(f"check {name}", state == "fail", text, say(f"{key}.todo"))


def _of_channels(channels: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    for channel in channels:
        health = channel.get("health") or {}
        state = str(health.get("state"))
        if state in _CHANNELS:
            name, key = str(channel.get("connector")), f"problem.channel.{state}"
            text = _with_detail(say(key, channel=name), health.get("detail"))
            yield Problem(f"channel {name}", _CHANNELS[state], text, say(f"{key}.todo"))


def _of_failures(failures: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    by_kind: dict[str, list[int]] = {}
    for failure in failures:
        at = parse_timestamp(failure.get("at"), 0)
        by_kind.setdefault(str(failure.get("kind")), []).append(at)
    for kind, times in by_kind.items():
        key = _known("problem.failures", kind)
        what, todo = say_count(key, len(times)), say(f"{key}.todo")
        yield Problem(f"failures {kind}", False, what, todo, min(times) or None)


def _known(kind: str, name: str) -> str:
    return f"{kind}.{name}" if is_said(f"{kind}.{name}.todo") else f"{kind}.other"


def _with_detail(what: str, detail: object) -> str:
    words = clean_text(str(detail or "").replace("_", " ").strip())
    return say("problem.says", what=what, words=words) if words else what
