"""Deliveries of events: signatures, durability, repeats and unreadable content."""

import base64
import io
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.workspace import samples
from tests.workspace.running import KEY, SECRET, RunningWorkspace, run_workspace, sign

HELLO = samples.received("evt_1", samples.message())
BODY = orjson.dumps(HELLO)


async def test_signed_event_is_on_disk_when_acknowledged(running: RunningWorkspace) -> None:
    await running.deliver(HELLO)
    with closing(sqlite3.connect(running.database)) as other:
        assert other.execute("SELECT text FROM messages").fetchall() == [("hello",)]


Forgery = Callable[[dict[str, str]], dict[str, str]]

#: Each makes a forgery out of valid headers. They run in the test, because signatures expire.
FORGERIES: dict[str, Forgery] = {
    "no headers": lambda _: {},
    "no signature": lambda proof: {**proof, "webhook-signature": ""},
    "no id": lambda proof: {**proof, "webhook-id": ""},
    "no timestamp": lambda proof: {**proof, "webhook-timestamp": ""},
    "another key": lambda _: sign("evt_1", BODY, key=b"another key"),
    "another id": lambda _: sign("evt_1", BODY, id_signed="evt_2"),
    "another body": lambda _: sign("evt_1", BODY + b" "),
    "too old": lambda _: sign("evt_1", BODY, at=time.time() - 310),
    "from the future": lambda _: sign("evt_1", BODY, at=time.time() + 400),
    "a version we do not know": lambda proof: {
        **proof,
        "webhook-signature": proof["webhook-signature"].replace("v1,", "v2,"),
    },
    "cut": lambda proof: {**proof, "webhook-signature": proof["webhook-signature"][:-4]},
    "not base64": lambda proof: {**proof, "webhook-signature": "v1,***"},
    "not ascii": lambda proof: {**proof, "webhook-signature": "v1,äöü"},
    "words for a time": lambda proof: {**proof, "webhook-timestamp": "yesterday"},
    "a superscript for a time": lambda proof: {**proof, "webhook-timestamp": "²"},
    "a very long time": lambda proof: {**proof, "webhook-timestamp": "9" * 5000},
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_forged_delivery_is_refused_and_stores_nothing(
    running: RunningWorkspace, name: str
) -> None:
    async with running.post_event(BODY, FORGERIES[name](sign("evt_1", BODY))) as response:
        assert response.status == 401
        assert KEY.decode() not in await response.text()
    assert (await running.get("api/conversations"))["conversations"] == []


async def test_several_signatures_and_secrets_work_during_rotation(
    tmp_path: Path,
) -> None:
    new = "whsec_" + base64.b64encode(b"the next secret, longer").decode()
    async with run_workspace(tmp_path, secrets=(new, SECRET)) as running:
        stranger = sign("evt_1", BODY, key=b"stranger")["webhook-signature"]
        proof = sign("evt_1", BODY)
        both = {**proof, "webhook-signature": f"{stranger} {proof['webhook-signature']}"}
        async with running.post_event(BODY, both) as response:
            assert response.status == 204


async def test_repeated_event_changes_nothing(running: RunningWorkspace) -> None:
    await running.deliver(HELLO)
    changed = {**HELLO, "data": {**HELLO["data"], "message": samples.message(text="other")}}
    await running.deliver(HELLO, changed)
    (line,) = (await running.open_conversation())["lines"]
    assert line["text"] == "hello"


async def test_late_repeat_does_not_restore_an_old_state(running: RunningWorkspace) -> None:
    def update(id: str, state: str) -> dict[str, Any]:
        message = samples.message(attachments=[samples.photo(state=state)])
        data = {"conversation": samples.conversation(), "message": message}
        return samples.event(id, "attachment.updated", data)

    await running.deliver(update("evt_a", "ready"), update("evt_b", "failed"))
    await running.deliver(update("evt_a", "ready"))
    (line,) = (await running.open_conversation())["lines"]
    assert line["attachments"][0]["state"] == "failed"


async def test_lines_are_ordered_by_sequence_not_by_arrival(
    running: RunningWorkspace,
) -> None:
    for sequence in (3, 1, 2):
        await running.deliver(samples.received(f"evt_{sequence}", samples.message(sequence)))
    assert [line["sequence"] for line in (await running.open_conversation())["lines"]] == [1, 2, 3]


STRANGE = {
    "unknown_type": samples.event("evt_s", "weather.changed", {"sun": True}),
    "no_data": {"specversion": "1.0", "id": "evt_s", "type": "message.received"},
    "no_message": samples.event("evt_s", "message.received", {"conversation": {}}),
    "data_is_a_list": samples.event("evt_s", "message.received", []),
    "wrong_types": samples.event(
        "evt_s",
        "message.received",
        {"conversation": samples.conversation(), "message": samples.message(attachments=[7])},
    ),
    "text_is_an_object_id_is_a_list": samples.event(
        "evt_s",
        "message.received",
        {"conversation": samples.conversation(), "message": {**samples.message(), "id": ["x"]}},
    ),
    "status_of_nothing": samples.event("evt_s", "message.status", {"status": "read"}),
    "edit_of_an_unknown_message": samples.event(
        "evt_s", "message.edited", {"message": {"id": "msg_none", "text": "x"}}
    ),
    "unrecognised_without_conversation": samples.event(
        "evt_s", "event.unrecognised", {"reason": "lacks 'id'", "raw": {}}
    ),
}


@pytest.mark.parametrize("name", STRANGE)
async def test_unreadable_event_is_stored_and_blocks_nothing(
    running: RunningWorkspace, name: str
) -> None:
    await running.deliver(STRANGE[name], HELLO)
    assert [line["text"] for line in (await running.open_conversation())["lines"]] == ["hello"]
    with closing(sqlite3.connect(running.database)) as other:
        ((body,),) = other.execute("SELECT body FROM events WHERE id = 'evt_s'").fetchall()
    assert orjson.loads(body) == STRANGE[name]


async def test_signed_body_that_is_not_an_object_is_refused(running: RunningWorkspace) -> None:
    for body in (b"[]", b"not json", b"", b"\xff"):
        async with running.post_event(body, sign("evt_1", body)) as response:
            assert response.status == 400


async def test_too_large_body_is_refused(
    running: RunningWorkspace,
) -> None:
    body = b" " * 9_000_000
    async with running.post_event(io.BytesIO(body), sign("evt_1", body)) as response:
        assert response.status == 413


async def test_invalid_secret_fails_the_start_without_being_shown(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="signing secret") as refused:
        async with run_workspace(tmp_path, secrets=("whsec_§§",)):
            pass
    assert "§§" not in str(refused.value)


async def test_events_survive_a_restart(tmp_path: Path) -> None:
    async with run_workspace(tmp_path) as running:
        await running.deliver(HELLO)
    async with run_workspace(tmp_path) as running:
        await running.deliver(HELLO)
        assert [line["text"] for line in (await running.open_conversation())["lines"]] == ["hello"]


async def post_batch(running: RunningWorkspace, content: Any) -> int:
    body = orjson.dumps(content)
    headers = {**sign("batch_1", body), "Content-Type": "application/cloudevents-batch+json"}
    async with running.post_event(body, headers) as response:
        return int(response.status)


async def test_a_batch_is_stored_as_its_events_are(running: RunningWorkspace) -> None:
    second = samples.received("evt_2", samples.message(2, text="again"))
    assert await post_batch(running, [HELLO, second]) == 204
    assert await post_batch(running, [HELLO, second]) == 204
    await running.deliver(HELLO)
    with closing(sqlite3.connect(running.database)) as other:
        assert other.execute("SELECT text FROM messages ORDER BY sequence").fetchall() == [
            ("hello",),
            ("again",),
        ]


@pytest.mark.parametrize("content", [HELLO, [HELLO, 7], [{"type": "message.received"}], ["x"]])
async def test_a_malformed_batch_stores_nothing(running: RunningWorkspace, content: Any) -> None:
    assert await post_batch(running, content) == 400
    with closing(sqlite3.connect(running.database)) as other:
        assert other.execute("SELECT count(*) FROM events").fetchall() == [(0,)]
