"""What an operator on call needs first: what is wrong, how bad it is, and what to do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workspace.timestamps import parse_timestamp


@dataclass(frozen=True, slots=True)
class Problem:
    """`key` stays the same while the problem lasts. `since` is None if the gateway does not say when it began."""

    key: str
    urgent: bool
    what: str
    todo: str
    since: int | None = None


#: For each check of the gateway: what it means if it fails, and what to do.
_CHECKS: Mapping[str, tuple[str, str]] = {
    "journal": (
        "Deliveries cannot be stored. Platforms are asked to send them again.",
        "Check the disk of the data folder: its free space, its permissions, and the system's log.",
    ),
    "storage": (
        "There is no room for files, or deliveries are refused.",
        "Free some space on the disk of the data folder, or shorten the retention.",
    ),
    "scanner": (
        "Files are not scanned for malware.",
        "Start the scanner, and check media.scanner. Without a scanner on purpose, nothing has to be done.",
    ),
    "decoders": (
        "Photos, videos, sounds and documents cannot be made safe as they should be.",
        "Look into the log for decoder errors. If a layer of the isolation is missing, the kernel lacks it.",
    ),
    "core": (
        "The conversation core does not accept events. They wait, and nothing is lost.",
        "Check the core's own health and core.url. Events follow by themselves as soon as it accepts them.",
    ),
}

_UNKNOWN_CHECK = ("A part of the gateway does not work.", "Look into the log of the gateway.")

#: For each state of a channel that is not well: whether a person must act now, what it means, and what to do.
_CHANNELS: Mapping[str, tuple[bool, str, str]] = {
    "needs action": (
        True,
        "The platform refuses our credentials or settings, so messages do not get through.",
        "Correct them in connectors.yaml and at the platform, then run `airlock check`.",
    ),
    "waiting": (
        False,
        "The platform does not answer at the moment.",
        "Airlock asks again by itself. If this lasts, look at the platform's status page.",
    ),
}

#: For each kind of failure: what has happened to how many, and what to do.
_FAILURES: Mapping[str, tuple[str, str, str]] = {
    "attachment": (
        "A file of a customer could not be shown",
        "{count} files of customers could not be shown",
        "Read the reasons below, remove the cause, and choose Retry all.",
    ),
    "event": (
        "An event was not accepted by the core",
        "{count} events were not accepted by the core",
        "Correct the core, then retry them below.",
    ),
    "text": (
        "An answer of an agent was not delivered",
        "{count} answers of agents were not delivered",
        "Agents see them and can send them again. If the reason is a setting, correct it.",
    ),
    "delivery": (
        "A delivery of a platform could not be read",
        "{count} deliveries of platforms could not be read",
        "Update Airlock or the plugin, then retry them below. Nothing is lost.",
    ),
}
_OTHER_FAILURE = (
    "Something has failed",
    "{count} things have failed",
    "Read the reasons below, and retry them once the cause is removed.",
)

_SILENT = Problem(
    "gateway",
    urgent=True,
    what="The gateway does not answer.",
    todo="Check that the process runs, and read the last lines of its log. Platforms repeat what they cannot deliver.",
)


def find_problems(report: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong according to the parts of an operators' report, the most urgent first."""
    if "content" not in report["health"]:
        return [_SILENT]
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
            what, todo = _CHECKS.get(name, _UNKNOWN_CHECK)
            text = _with_detail(what, check.get("detail"))
            yield Problem(f"check {name}", state == "fail", text, todo)


def _of_channels(channels: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    for channel in channels:
        health = channel.get("health") or {}
        if health.get("state") in _CHANNELS:
            urgent, what, todo = _CHANNELS[health["state"]]
            name = str(channel.get("connector"))
            text = _with_detail(f"{name}: {what}", health.get("detail"))
            yield Problem(f"channel {name}", urgent, text, todo)


def _of_failures(failures: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    by_kind: dict[str, list[int]] = {}
    for failure in failures:
        at = parse_timestamp(failure.get("at"), 0)
        by_kind.setdefault(str(failure.get("kind")), []).append(at)
    for kind, times in by_kind.items():
        one, many, todo = _FAILURES.get(kind, _OTHER_FAILURE)
        what = one if len(times) == 1 else many.format(count=len(times))
        yield Problem(f"failures {kind}", False, f"{what}.", todo, min(times) or None)


def _with_detail(what: str, detail: object) -> str:
    words = str(detail or "").replace("_", " ").strip()
    return f"{what} It says: {words}" if words else what
