"""A suite whose recordings were made with its connector, whatever that does: the author recorded with the bug in."""

import shutil
from pathlib import Path
from typing import Any

import orjson

from connectors.conformance import Conformance, exchanges, recordings
from connectors.kit.notation import reply_of, shown


def rerecorded(suite: type[Conformance], folder: Path) -> type[Conformance]:
    """The suite with copies of its recordings in `folder`, each with the results of the suite's own connector."""
    payloads = folder / "payloads"
    shutil.copytree(suite.payloads, payloads)
    _record_deliveries(suite, payloads)
    _record_exchanges(suite, payloads / "exchanges")
    _record_refusals(suite, payloads / "refusals")
    readme = suite.readme or next(
        (at / "README.md" for at in suite.payloads.parents if (at / "README.md").is_file()), None
    )
    return type("Rerecorded", (suite,), {"payloads": payloads, "readme": readme})


def _record_deliveries(suite: type[Conformance], folder: Path) -> None:
    for recording in recordings(folder):
        try:
            events = suite.connector.parse(recording.delivery(suite.connector))
        except Exception:  # noqa: BLE001 - the author sees that, too
            continue
        _update(folder / f"{recording.name}.json", {"events": orjson.loads(orjson.dumps(events))})


def _record_exchanges(suite: type[Conformance], folder: Path) -> None:
    subject = suite()
    for exchange in exchanges(folder.parent):
        try:
            found = subject._shown(exchange, subject._driven(exchange))
        except Exception:  # noqa: BLE001 - as above
            continue
        file = folder / f"{exchange.name}.json"
        _update(file, found, removed=("result", "refused"))


def _record_refusals(suite: type[Conformance], folder: Path) -> None:
    """One file for each reply, as the replies of one file may not mean the same any more."""
    for file in list(folder.glob("*.json")):
        raw = orjson.loads(file.read_bytes())
        file.unlink()
        for at, reply in enumerate(raw["replies"]):
            refusal = suite.connector.refusal(reply_of(reply, reply["purpose"]))
            code = {"code": refusal.code} if refusal.code else {}
            kept = {name: value for name, value in reply.items() if name != "code"}
            alone = {**raw, "refused": shown(refusal), "replies": [{**kept, **code}]}
            alone["refused"].pop("detail", None)
            (folder / f"{file.stem}_{at}.json").write_bytes(orjson.dumps(alone))


def _update(file: Path, found: Any, removed: tuple[str, ...] = ()) -> None:
    known = {k: v for k, v in orjson.loads(file.read_bytes()).items() if k not in removed}
    file.write_bytes(orjson.dumps({**known, **found}))
