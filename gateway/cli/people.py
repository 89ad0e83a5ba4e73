"""`airlock people` and `airlock lookup`: find, export and erase a person; find a message by the platform's id."""

import json
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from gateway.settings import Settings

from .running_gateway import Unreachable, call_api, fetch

#: Seconds between two looks at an erasure that is not done.
_PAUSE = 0.5


def lookup(settings: Settings, platform_id: str, connector: str | None) -> int:
    """Print what became of a message; exit status 1 if it never came."""
    query = {"platform_id": platform_id, **({"connector": connector} if connector else {})}
    try:
        _print(call_api(settings, "GET", f"/v1/messages?{urlencode(query)}"))
    except Unreachable as exc:
        print(f"airlock lookup: {exc}", file=sys.stderr)
        return 1
    return 0


def people(
    settings: Settings,
    action: str,
    who: str | None,
    folder: Path | None,
    connector: str | None,
    *,
    yes: bool,
) -> int:
    """Run one action. Exit status 1 if it fails, 2 if something is missing in the command."""
    if action != "list" and not who:
        needed = "the id of the erasure" if action == "receipt" else "an id of the person"
        print(f"airlock people {action}: give {needed}", file=sys.stderr)
        return 2
    if action == "export" and folder is None:
        print("airlock people export: give the folder to write to", file=sys.stderr)
        return 2
    where = {"connector": connector} if connector else {}
    try:
        match action:
            case "export":
                return _export(settings, who or "", folder or Path(), where)
            case "erase":
                return _erase(settings, who or "", where, yes=yes)
            case "receipt":
                _print(call_api(settings, "GET", f"/v1/erasures/{quote(who or '', safe='')}"))
                return 0
            case _:
                return _list(settings, {**({"consumer": who} if who else {}), **where})
    except (Unreachable, OSError) as exc:
        print(f"airlock people {action}: {exc}", file=sys.stderr)
        return 1


def _list(settings: Settings, query: dict[str, str]) -> int:
    before: dict[str, str] = {}
    while True:
        page = call_api(settings, "GET", f"/v1/conversations?{urlencode({**query, **before})}")
        for one in page["conversations"]:
            consumer = one["consumer"]
            parts = (one["id"], one["connector"], consumer["id"], consumer["name"] or "-")
            print("  ".join((*parts, one["last_message_at"] or "-")))
        if page["next"] is None:
            return 0
        before = {"before": page["next"]}


def _export(settings: Settings, consumer: str, folder: Path, where: dict[str, str]) -> int:
    """Write the lines to `export.jsonl`, and the files of attachments below `files`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    query = urlencode({"consumer": consumer, **where})
    content = fetch(settings, f"/v1/exports?{query}")
    (folder / "export.jsonl").write_bytes(content)
    lines = [json.loads(line) for line in content.splitlines()]
    count = 0
    for line in lines:
        for name, link in line.get("links", {}).items():
            count += _save(settings, folder / "files" / line["id"], name, link)
    print(f"{len(lines)} lines and {count} files in {folder}")
    return 0


def _save(settings: Settings, folder: Path, name: str, link: str) -> int:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    parts = urlsplit(link)
    # Our own address: the public one may not be reachable from here.
    (folder / Path(name).name).write_bytes(fetch(settings, f"{parts.path}?{parts.query}"))
    return 1


def _erase(settings: Settings, consumer: str, where: dict[str, str], *, yes: bool) -> int:
    if not yes:
        question = f"Erase everything about {consumer}? It cannot be undone. Type yes: "
        if not sys.stdin.isatty() or input(question) != "yes":
            print("airlock people erase: nothing was erased; confirm with --yes", file=sys.stderr)
            return 1
    id = call_api(settings, "POST", "/v1/erasures", {"consumer": consumer, **where})["id"]
    while (receipt := call_api(settings, "GET", f"/v1/erasures/{id}"))["state"] != "done":
        time.sleep(_PAUSE)
    _print(receipt)
    return 0


def _print(content: Any) -> None:
    print(json.dumps(content, indent=2, ensure_ascii=False))
