"""Every delivery leaves lines in the log that share its ids, from the webhook to the core."""

import ast
import asyncio
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import LogSettings
from tests.gateway.logged import Lines, logged
from tests.gateway.test_gateway import House, house, photo, with_photo

ROOT = Path(__file__).parents[2]
IDS = ("request_id", "connector", "conversation", "message", "attachment")


async def test_all_lines_of_a_delivery_share_its_ids(tmp_path: Path) -> None:
    with logged(level="debug") as lines:
        async with house(tmp_path) as home:
            home.files["1"] = photo()
            async with await home.send(with_photo(home, text="a dent")) as response:
                request_id = response.headers["x-request-id"]
            (event,) = await home.core.until(1)
        found = [line for line in lines() if line.get("request_id") == request_id]
    names = [line["event"] for line in found]
    assert names[0] == "delivery_accepted"
    assert {"message_recorded", "downloaded", "attachment_ended", "event_taken"} <= set(names)
    ids = {name: {line[name] for line in found if name in line} for name in IDS}
    message = event["data"]["message"]
    assert ids == {
        "request_id": {request_id},
        "connector": {"desk"},
        "conversation": {event["subject"]},
        "message": {message["id"]},
        "attachment": {message["attachments"][0]["id"]},
    }
    assert event["requestid"] == message["request_id"] == request_id


async def test_a_repeat_and_a_refusal_leave_lines_with_their_request(tmp_path: Path) -> None:
    with logged() as lines:
        async with house(tmp_path) as home:
            for _ in range(2):
                async with await home.send({"id": "1", "from": "ann", "text": "hi"}) as response:
                    repeat = response.headers["x-request-id"]
            async with await home.send({"id": "2"}, password="wrong") as response:
                refused = response.headers["x-request-id"]
            await _until(lines, "message_repeated")
        found = lines()
    assert _one(found, "message_repeated")["request_id"] == repeat
    refusal = _one(found, "delivery_unproven")
    assert (refusal["request_id"], refusal["client"]) == (refused, "127.0.0.1")


async def test_answers_have_ids_that_a_stranger_cannot_choose(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        seen = [await _id(home, path, "chosen-by-a-stranger") for path in PATHS]

    assert len(set(seen)) == len(PATHS)
    assert all(re.fullmatch(r"req-[0-9a-f]{10}-[0-9a-f]+", one) for one in seen)


#: What each kind of handler answers.
PATHS = (
    "/healthz",
    "/v1/failures",
    "/nothing",
    "/webhooks/desk",
    "/workspace/sign-in",
    "/media/a/b",
)


async def test_the_access_log_has_a_line_without_the_query(tmp_path: Path) -> None:
    with logged() as lines:
        async with house(tmp_path, log=LogSettings(access=True)) as home:
            id = await _id(home, "/v1/conversations?consumer=canary", "")
        found = lines()
    line = _one(found, "request_answered")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/v1/conversations", 401)
    assert line["request_id"] == id
    assert "canary" not in str(found)


async def test_a_level_above_info_silences_what_every_delivery_leaves(tmp_path: Path) -> None:
    with logged(level="warning") as lines:
        async with house(tmp_path) as home:
            await home.send({"id": "1", "from": "ann", "text": "hi"})
            await home.core.until(1)
        assert not lines()


def test_the_console_format_has_the_same_ids(capsys: pytest.CaptureFixture[str]) -> None:
    from gateway.observability.lines import note
    from gateway.observability.logs import configure
    from tests.gateway.logged import logging_as_before

    with logging_as_before():
        configure(form="console")
        note("delivery_accepted", {"request_id": "req-1", "connector": "desk"})

    shown = capsys.readouterr().err
    assert "delivery_accepted" in shown
    assert "request_id=req-1" in shown


def test_a_record_of_the_workspace_has_its_event_and_detail_apart() -> None:
    with logged() as lines:
        logging.getLogger("workspace.handlers.sign_in").warning("sign_in_failed: %s", "192.0.2.1")
        (line,) = lines()
    assert (line["event"], line["detail"]) == ("sign_in_failed", "192.0.2.1")


def test_names_of_log_events_are_short_words_not_sentences() -> None:
    names = {name for folder in ("gateway", "workspace") for name in _event_names(ROOT / folder)}
    assert len(names) > 40
    for name in names:
        assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+){0,3}", name), name
        assert not set(name.split("_")) & {
            "the",
            "a",
            "an",
            "or",
            "and",
            "of",
            "for",
            "by",
            "be",
            "cannot",
        }, name


def _event_names(folder: Path) -> set[str]:
    """Return the names of events that the code of a package logs."""
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                found |= _names_in(node)
    return found


def _names_in(call: ast.Call) -> set[str]:
    match call.func:
        case ast.Attribute(value=ast.Name("log"), attr=level) if level in _LEVELS:
            position = 0
        case ast.Name("note"):
            position = 0
        case ast.Name("retry_until_done" | "every"):
            position = 3
        case _:
            return set()
    chosen = call.args[position : position + 1]
    return {
        one.value
        for part in chosen
        for one in ast.walk(part)
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }


_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


async def _id(home: House, path: str, given: str) -> str:
    headers = {"x-request-id": given}
    async with home.http.get(home.gateway.url + path, headers=headers) as response:
        (id,) = response.headers.getall("x-request-id")
        return id


def _one(lines: list[dict[str, Any]], event: str) -> dict[str, Any]:
    (found,) = [line for line in lines if line["event"] == event]
    return found


async def _until(lines: Lines, event: str) -> None:
    async with asyncio.timeout(20):
        while not any(line["event"] == event for line in lines()):
            await asyncio.sleep(0.01)
