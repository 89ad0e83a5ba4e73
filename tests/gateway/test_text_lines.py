"""One request id names an agent's text in every log line, answer and event, also after a restart."""

import asyncio
from pathlib import Path
from typing import Any

from connectors import (
    AnyEvent,
    Capabilities,
    Delivery,
    Flow,
    Party,
    Receipt,
    Rejected,
    Sent,
    Text,
)
from gateway.journal import ErasureRequest
from gateway.journal.sqlite.journal import SqliteJournal
from gateway.upkeep.platform_reports import informed
from tests.gateway.engines import Engine
from tests.gateway.logged import Lines, logged
from tests.gateway.notes import Notes, NotesConfig
from tests.gateway.people import message, tell
from tests.gateway.test_gateway import TOKEN, House, house, photo, with_photo
from tests.gateway.test_platform_reports import CONNECTORS


class Desk(Notes):
    """Notes that can be answered; `refuses` says whether texts are refused for now."""

    capabilities = Capabilities({"text": "yes", "photo": "yes", "send_text": "yes"}, max_text=1000)
    refuses = False

    def send_text(self, text: Text) -> Flow[Sent]:
        del text
        if self.refuses:
            raise Rejected("rate_limited", retry=True)
        return Sent("sent-1")
        yield  # a flow without calls

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        if "read" in delivery.content:
            ids = (delivery.content["read"],)
            return [
                Receipt(id="r", account="us", party=Party("ann"), status="read", message_ids=ids)
            ]
        return super().parse(delivery)


class Busy(Desk):
    refuses = True


def desk(kind: type[Desk]) -> Desk:
    return kind(NotesConfig(type="notes", api_url="http://127.0.0.1:9"))


async def test_one_request_id_follows_a_text_through_refusal_and_restart(tmp_path: Path) -> None:
    with logged(level="debug") as lines:
        async with house(tmp_path, connector=desk(Busy)) as home:
            await home.send({"id": "1", "from": "ann", "text": "hi"})
            conversation = (await home.core.until(1))[0]["subject"]
            text, request_id = await _write(home, conversation)
            await _until(lines, "text_postponed")
        async with house(tmp_path, connector=desk(Desk)) as home:
            sent = await _status(home, "sent")
            _, shown = await home.call("GET", f"/v1/messages/{text}")
            _, found = await home.call("GET", "/v1/messages?platform_id=sent-1")
            async with await _read(home) as response:
                receipt = response.headers["x-request-id"]
            read = await _status(home, "read")
            await _until(lines, "text_read")
            again, repeat = await _write(home, conversation)
        about = [line for line in lines() if line.get("message") == text]
    assert [sent["requestid"], read["requestid"]] == [request_id] * 2
    assert [shown["request_id"], found["request_id"]] == [request_id] * 2
    assert again == text
    names = [line["event"] for line in about]
    assert names[0] == "text_accepted"
    assert {"call_refused", "text_postponed", "text_sent", "event_taken", "text_read"} <= set(names)
    assert {line["request_id"] for line in about} == {request_id, repeat}
    assert [line["event"] for line in about if line["request_id"] == repeat] == ["text_repeated"]
    assert {line["conversation"] for line in about} == {conversation}
    (line,) = [line for line in about if line["event"] == "text_read"]
    assert line["receipt"] == receipt


async def test_a_text_that_fails_names_its_request_in_line_and_event(tmp_path: Path) -> None:
    class Gone(Desk):
        def send_text(self, text: Text) -> Flow[Sent]:
            raise Rejected("undeliverable")

    with logged() as lines:
        async with house(tmp_path, connector=desk(Gone)) as home:
            await home.send({"id": "1", "from": "ann", "text": "hi"})
            conversation = (await home.core.until(1))[0]["subject"]
            _, request_id = await _write(home, conversation)
            failed = (await home.core.until(2))[-1]
            await _until(lines, "text_failed")
        found = {line["event"]: line for line in lines()}
    assert failed["requestid"] == request_id
    assert found["text_refused"]["request_id"] == request_id
    assert found["text_failed"]["request_id"] == request_id
    assert found["text_failed"]["reason"] == "undeliverable"


async def test_an_erasure_that_ends_after_a_restart_names_its_request(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path, hold_seconds=2)
    await journal.request_erasure(ErasureRequest("era_0", "ann", None, "req-1"))
    await journal.close()
    with logged() as lines:
        async with house(tmp_path):
            await _until(lines, "erasure_done")
        (done,) = [line for line in lines() if line["event"] == "erasure_done"]
    assert (done["erasure"], done["request_id"]) == ("era_0", "req-1")


async def test_a_message_that_was_taken_back_keeps_its_request_id(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        home.files["1"] = photo()
        async with await home.send(with_photo(home)) as response:
            request_id = response.headers["x-request-id"]
        await home.core.until(1)
        await home.send({"id": "2", "from": "ann", "takes_back": "1"})
        events = (await home.core.until(3))[1:]
    updated = {event["type"]: event for event in events}["attachment.updated"]
    assert updated["requestid"] == updated["data"]["message"]["request_id"] == request_id


async def test_reports_name_the_request_that_led_to_them(engine: Engine, tmp_path: Path) -> None:
    journal = await engine.open(tmp_path)
    journal.informed = informed(CONNECTORS)
    await tell(journal, message("1", "ann"))
    (conversation,) = await journal.conversations_of("ann", None)
    assert await journal.close_conversation(conversation, "req-close")
    (closed,) = await journal.due_reports("desk", 2**50, 10)
    assert await journal.erase(conversation, "req-erase")
    (erased,) = await journal.due_reports("desk", 2**50, 10)
    await journal.close()
    assert [closed.request_id, erased.request_id] == ["req-close", "req-erase"]


async def test_an_unreadable_delivery_is_found_with_its_request(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        async with await home.send({"wamid": "wamid.X"}) as response:
            request_id = response.headers["x-request-id"]
        await home.core.until(1)
        _, found = await home.call("GET", "/v1/messages?platform_id=wamid.X")
        _, failure = await home.call("GET", f"/v1/failures/{found['failures'][0]}")
    assert [found["request_id"], failure["request_id"]] == [request_id] * 2


async def test_a_retry_names_its_call_and_the_delivery(tmp_path: Path) -> None:
    with logged() as lines:
        async with house(tmp_path) as home:
            media = [["photo", "https://blocked.example.org/1.jpg"]]
            note = {"id": "1", "from": "ann", "text": "hi", "media": media}
            async with await home.send(note) as response:
                came_with = response.headers["x-request-id"]
            await home.core.until(1)
            await home.send({"no": "id"})
            await home.core.until(2)
            calls = {}
            for what in ("attachment", "delivery"):
                _, failures = await home.call("GET", "/v1/failures")
                (id,) = [one["id"] for one in failures["failures"] if one["kind"] == what]
                headers = {"authorization": f"Bearer {TOKEN}"}
                url = f"{home.gateway.url}/v1/failures/{id}/retry"
                async with home.http.post(url, headers=headers) as response:
                    calls[f"{what}_retried"] = response.headers["x-request-id"]
            found = {line["event"]: line for line in lines() if line["event"] in calls}
    assert {name: line["request_id"] for name, line in found.items()} == calls
    assert found["attachment_retried"]["came_with"] == came_with


async def _write(home: House, conversation: str) -> tuple[str, str]:
    """Write an answer; return its id and that of the request."""
    url = f"{home.gateway.url}/v1/conversations/{conversation}/messages"
    headers = {"authorization": f"Bearer {TOKEN}", "idempotency-key": "k"}
    body = {"text": "we will look", "agent": "eve"}
    async with home.http.post(url, json=body, headers=headers) as response:
        assert response.status == 202
        return (await response.json())["id"], response.headers["x-request-id"]


async def _read(home: House) -> Any:
    url = f"{home.gateway.url}/webhooks/desk"
    return await home.http.post(url, json={"read": "sent-1"}, headers={"x-password": "open sesame"})


async def _status(home: House, status: str) -> Any:
    """Return the event that says this of a text."""
    async with asyncio.timeout(20):
        while True:
            for event in home.core.events:
                if event["data"].get("status") == status:
                    return event
            await asyncio.sleep(0.01)


async def _until(lines: Lines, event: str) -> None:
    async with asyncio.timeout(20):
        while not any(line["event"] == event for line in lines()):
            await asyncio.sleep(0.01)
