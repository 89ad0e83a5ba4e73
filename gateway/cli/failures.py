"""`airlock failures` and `airlock replay`: list and retry what a running gateway could not parse, fetch or deliver."""

import json
import sys
from typing import Any

from gateway.settings import Settings

from .running_gateway import Unreachable, call_api


def failures(settings: Settings, action: str, ids: list[str]) -> int:
    """Run one action. Exit status 1 if an id is unknown, a retry fails or the gateway does not answer."""
    if action in {"show", "retry"} and not ids:
        print(
            f"airlock failures {action}: give the id of a failure; `airlock failures list` prints them",
            file=sys.stderr,
        )
        return 2
    try:
        return _ACTIONS[action](settings, ids)
    except Unreachable as exc:
        print(f"airlock failures: {exc}", file=sys.stderr)
        return 1


def replay(settings: Settings) -> int:
    """Parse again every delivery that could not be parsed."""
    try:
        found = call_api(settings, "GET", "/v1/failures?limit=1000")["failures"]
        ids = [failure["id"] for failure in found if failure["kind"] == "delivery"]
        return _retry(settings, ids) if ids else _nothing()
    except Unreachable as exc:
        print(f"airlock replay: {exc}", file=sys.stderr)
        return 1


def _nothing() -> int:
    print("no delivery needs to be parsed again")
    return 0


def _list(settings: Settings, ids: list[str]) -> int:
    del ids
    found = call_api(settings, "GET", "/v1/failures?limit=1000")["failures"]
    for failure in found:
        print("  ".join(str(part) for part in _columns(failure)))
    if not found:
        print("there are no failures")
    return 0


def _columns(failure: dict[str, Any]) -> tuple[str, ...]:
    where = failure.get("connector") or "core"
    return failure["at"], failure["kind"], failure["id"], where, _cause(failure)


def _cause(failure: dict[str, Any]) -> str:
    """The reason; with the platform's code and words if it gave a code, and with the host that is not allowed."""
    code, detail = failure.get("code"), failure.get("detail")
    reason = f"{failure['reason']} ({code})" if code else str(failure["reason"])
    if not detail or not (code or failure["reason"] == "blocked_host"):
        return reason  # `show` prints the rest
    words = "".join(character if character.isprintable() else " " for character in detail)
    return f"{reason}: {words}"


def _show(settings: Settings, ids: list[str]) -> int:
    for id in ids:
        print(
            json.dumps(
                call_api(settings, "GET", f"/v1/failures/{id}"), indent=2, ensure_ascii=False
            )
        )
    return 0


def _retry(settings: Settings, ids: list[str]) -> int:
    results = call_api(settings, "POST", f"/v1/failures/{','.join(ids)}/retry")["results"]
    for result in results:
        print(f"{result['id']}  {result['status']}  {result['detail']}")
    return 1 if any(result["status"] in {"failed", "unknown"} for result in results) else 0


_ACTIONS = {"list": _list, "show": _show, "retry": _retry}
