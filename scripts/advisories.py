"""Asks the OSV database for published advisories on every package of the lock files.

    advisories.py [LOCK…]    default: requirements.lock and requirements-dev.lock

Exit status: 0 none, or the database cannot be reached; 1 an advisory applies; 2 it cannot be reached although
ADVISORIES=required. A check that could not be made is said to be so: it is not the same as no advisory.

OSV holds the advisories of the Python packages and of GitHub (https://google.github.io/osv.dev/post-v1-querybatch/).
"""

import http.client
import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from locked import ROOT, Package, packages

_DATABASE = "https://api.osv.dev"
_SECONDS = 30
_LOCKS = ("requirements.lock", "requirements-dev.lock")

#: Advisories that do not concern us, with the reason. An entry goes when the package is raised.
ACCEPTED: dict[str, str] = {}


class Unreachable(Exception):
    """The database did not answer, or not as documented."""


@dataclass(frozen=True, slots=True)
class Advisory:
    package: str
    id: str
    also: tuple[str, ...]
    summary: str
    fixed: tuple[str, ...]

    def __str__(self) -> str:
        names = " ".join((self.id, *self.also))
        remedy = f"fixed in {', '.join(self.fixed)}" if self.fixed else "no fixed version yet"
        return f"{self.package}: {names}: {self.summary or 'no summary'} ({remedy})"


def advisories(found: list[Package], database: str) -> list[Advisory]:
    """Return the advisories that apply. Raises Unreachable."""
    applying = {
        (package.name, package.version, id)
        for package, ids in zip(found, _ids(found, database), strict=True)
        for id in ids
    }
    described = [_described(name, version, id, database) for name, version, id in sorted(applying)]
    return [advisory for advisory in described if advisory is not None]


def _ids(found: list[Package], database: str) -> list[list[str]]:
    """Return the ids of the advisories of each package."""
    ids: list[list[str]] = [[] for _ in found]
    waiting: list[tuple[int, str | None]] = [(at, None) for at in range(len(found))]
    while waiting:
        asked, waiting = waiting, []
        answers = _call(
            f"{database}/v1/querybatch",
            {"queries": [_query(found[at], page) for at, page in asked]},
        ).get("results", [])
        if len(answers) != len(asked):
            raise Unreachable(f"{len(answers)} answers to {len(asked)} questions")
        for (at, _), answer in zip(asked, answers, strict=True):
            ids[at] += [str(entry["id"]) for entry in answer.get("vulns", [])]
            if page := answer.get("next_page_token"):
                waiting.append((at, str(page)))
    return ids


def _query(package: Package, page: str | None) -> dict[str, Any]:
    query: dict[str, Any] = {"package": {"purl": package.purl}}
    return query | ({"page_token": page} if page else {})


def _described(name: str, version: str, id: str, database: str) -> Advisory | None:
    entry = _call(f"{database}/v1/vulns/{id}")
    if "withdrawn" in entry:
        return None
    also = tuple(sorted(entry.get("aliases", [])))
    return Advisory(
        f"{name} {version}", id, also, entry.get("summary", ""), tuple(_fixes(entry, name))
    )


def _fixes(entry: dict[str, Any], name: str) -> Iterator[str]:
    for affected in entry.get("affected", []):
        if affected.get("package", {}).get("name", "").lower().replace("_", "-") == name:
            for spread in affected.get("ranges", []):
                if spread.get("type") != "GIT":
                    yield from (event["fixed"] for event in spread["events"] if "fixed" in event)


def _call(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as response:
            content = json.load(response)
    except (OSError, http.client.HTTPException, ValueError) as exc:
        raise Unreachable(f"{type(exc).__name__}: {exc}") from exc
    if not isinstance(content, dict):
        raise Unreachable("the answer is not an object")
    return content


def check(locks: list[Path], database: str, *, required: bool) -> int:
    found = [package for lock in locks for package in packages(lock)]
    try:
        applying = advisories(found, database)
    except Unreachable as exc:
        print(
            f"NOT CHECKED for advisories: {database} cannot be reached ({exc}). "
            "Run `make advisories` where the network reaches it."
        )
        return 2 if required else 0
    open_ones = [each for each in applying if ACCEPTED.keys().isdisjoint((each.id, *each.also))]
    for advisory in open_ones:
        print(advisory)
    accepted = len(applying) - len(open_ones)
    print(f"{len(found)} packages: {len(open_ones)} advisories, and {accepted} accepted")
    return 1 if open_ones else 0


def main() -> int:
    locks = [Path(name) for name in sys.argv[1:]] or [ROOT / name for name in _LOCKS]
    database = os.environ.get("ADVISORIES_DATABASE", _DATABASE)
    return check(locks, database, required=os.environ.get("ADVISORIES") == "required")


if __name__ == "__main__":
    raise SystemExit(main())
