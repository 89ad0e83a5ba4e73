"""The schemas accept the contract's example and the journal's events, and refuse invalid events."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from gateway.events.schemas import TYPES, schema, validate
from gateway.journal import Batch, NewAttachment, Outcome, Reading
from gateway.journal.sqlite.journal import SqliteJournal
from normalizer.events import (
    AnyEvent,
    Attachment,
    Closed,
    Deletion,
    Echo,
    Edit,
    Identity,
    MediaRef,
    Message,
    Notice,
    Party,
    Reaction,
    Receipt,
    Unknown,
)
from tests.gateway.test_journal import announced

CONTRACT_TYPES = {
    "message.received",
    "attachment.updated",
    "message.status",
    "message.edited",
    "message.deleted",
    "reaction.changed",
    "conversation.closed",
    "event.unrecognised",
}
SHA256 = "0a" * 32
ABOUT: dict[str, Any] = {
    "account": "106540352242922",
    "party": Party("491511234567", "Mia"),
    "sent_at": datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC),
}


def picture(media_type: str = "image/jpeg", side: int = 320) -> dict[str, Any]:
    return {
        "media_type": media_type,
        "bytes": 24_100,
        "sha256": SHA256,
        "width": side,
        "height": side,
    }


def example() -> dict[str, Any]:
    """Return the example of the contract."""
    return {
        "specversion": "1.0",
        "id": "evt_a1",
        "type": "message.received",
        "source": "support-whatsapp",
        "subject": "conv_b2",
        "time": "2026-11-22T01:02:03.123Z",
        "datacontenttype": "application/json",
        "data": {
            "conversation": {
                "id": "conv_b2",
                "connector": "support-whatsapp",
                "platform": "whatsapp",
                "account": "106540352242922",
                "consumer": {"id": "491511234567", "name": "Mia"},
            },
            "message": {
                "id": "msg_c3",
                "platform_id": "wamid.x",
                "sequence": 17,
                "sent_at": "2026-11-22T01:02:01Z",
                "received_at": "2026-11-22T01:02:03.123Z",
                "text": "it does this all day",
                "transcript": "[video message]",
                "reply_to": None,
                "attachments": [
                    {
                        "id": "att_c3_0",
                        "kind": "video",
                        "state": "ready",
                        "reason": None,
                        "name": "IMG_0042.MOV",
                        "width": 1080,
                        "height": 1920,
                        "duration_seconds": 12.4,
                        "renditions": {
                            "video": picture("video/mp4"),
                            "poster": picture(),
                            "thumbnail": picture(),
                        },
                    }
                ],
            },
        },
    }


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the example with one value changed; `...` removes it."""
    event = copy.deepcopy(example())
    *way, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    place: Any = event
    for part in way:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return event


MESSAGE = "data/message"
ATTACHMENT = "data/message/attachments/0"


def test_the_example_of_the_contract_is_valid() -> None:
    validate(example())
    validate(orjson.dumps(example()))


def test_every_type_of_the_contract_has_a_schema() -> None:
    assert set(TYPES) == CONTRACT_TYPES | {
        "account.notice",
        "message.echoed",
        "conversation.notice",
        "conversation.updated",
        "conversation.merged",
    }
    found = schema()
    names = [branch["$ref"].rpartition("/")[2] for branch in found["oneOf"]]
    assert {found["$defs"][name]["properties"]["type"]["const"] for name in names} == set(TYPES)


def _keys(value: Any, path: str = "") -> list[str]:
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, part in parts:
        found.append(f"{path}{key}")
        if isinstance(part, dict | list):
            found += _keys(part, f"{path}{key}/")
    return found


@pytest.mark.parametrize("path", _keys(example()))
def test_every_key_of_the_example_is_required_and_typed(path: str) -> None:
    for wrong in (..., ["x"], True) if not path.endswith("attachments") else (..., "x", True):
        with pytest.raises(ValidationError):
            validate(changed(path, wrong))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "data",
        "data/conversation",
        "data/conversation/consumer",
        MESSAGE,
        ATTACHMENT,
        f"{ATTACHMENT}/renditions",
        f"{ATTACHMENT}/renditions/video",
    ],
)
def test_an_unknown_key_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        validate(changed(f"{path}/surprise".removeprefix("/"), 1))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("specversion", "0.3"),
        ("id", "msg_1"),
        ("id", "evt_a b"),
        ("id", "evt_a\n"),
        ("type", "message.recieved"),
        ("source", ""),
        ("source", "another-connector"),
        ("subject", "conv_other"),
        ("time", "2026-11-22 01:02:03Z"),
        ("time", "2026-11-22T01:02:03+01:00"),
        ("datacontenttype", "text/plain"),
        ("data/conversation/id", "c2"),
        (f"{MESSAGE}/sequence", 0),
        (f"{MESSAGE}/sequence", "17"),
        (f"{MESSAGE}/sequence", 1.5),
        (f"{MESSAGE}/platform_id", ""),
        (f"{MESSAGE}/sent_at", 1700000000),
        (f"{MESSAGE}/transcript", "it does this all day"),
        (f"{MESSAGE}/attachments", []),
        (f"{MESSAGE}/choice", None),
        (f"{ATTACHMENT}/id", "msg_1"),
        (f"{ATTACHMENT}/kind", "movie"),
        (f"{ATTACHMENT}/state", "done"),
        (f"{ATTACHMENT}/state", "pending"),
        (f"{ATTACHMENT}/state", "failed"),
        (f"{ATTACHMENT}/reason", "corrupt"),
        (f"{ATTACHMENT}/width", 0),
        (f"{ATTACHMENT}/duration_seconds", -1),
        (f"{ATTACHMENT}/detail", None),
        (f"{ATTACHMENT}/renditions", {}),
        (f"{ATTACHMENT}/renditions", {"thumbnail": picture()}),
        (f"{ATTACHMENT}/renditions/thumbnail/media_type", "image/png"),
        (f"{ATTACHMENT}/renditions/video/media_type", "video/quicktime"),
        (f"{ATTACHMENT}/renditions/video/sha256", "0A" * 32),
        (f"{ATTACHMENT}/renditions/video/bytes", 0),
    ],
)
def test_a_wrong_value_is_refused(path: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        validate(changed(path, value))


@pytest.mark.parametrize(
    ("state", "reason", "fits"),
    [
        ("pending", None, True),
        ("pending", "gone", False),
        ("rejected", "too_large", True),
        ("rejected", "malware", True),
        ("rejected", "gone", False),
        ("rejected", None, False),
        ("failed", "gone", True),
        ("failed", "decoder_crashed", True),
        ("failed", "corrupt", False),
        ("failed", None, False),
        ("failed", "tired", False),
    ],
)
def test_state_and_reason_must_agree(state: str, reason: str | None, fits: bool) -> None:
    event = changed(f"{ATTACHMENT}/renditions", {})
    event["data"]["message"]["attachments"][0] |= {"state": state, "reason": reason}
    _expect(event, fits)


@pytest.mark.parametrize(
    ("kind", "extra", "fits"),
    [
        ("location", {"location": {"latitude": 52.5, "longitude": 13, "name": "Berlin"}}, True),
        ("location", {"location": {"latitude": 52.5}}, False),
        ("location", {"location": {"latitude": 95, "longitude": 13}}, False),
        ("contact", {"contacts": [{"name": {"formatted_name": "Ann"}}]}, True),
        ("contact", {"contacts": {"name": "Ann"}}, False),
        ("photo", {}, False),
    ],
)
def test_only_attachments_without_a_file_are_ready_without_renditions(
    kind: str, extra: dict[str, Any], fits: bool
) -> None:
    event = changed(f"{MESSAGE}/transcript", f"[{kind}]" if kind != "photo" else "[photo message]")
    event["data"]["message"]["attachments"][0] |= {"kind": kind, "renditions": {}, **extra}
    _expect(event, fits)


def test_an_update_contains_exactly_one_attachment() -> None:
    event = changed("type", "attachment.updated")
    event["data"]["message"]["transcript"] = "[photo message]\n[video message]"
    validate(event)

    event["data"]["message"]["attachments"] *= 2
    _expect(event, fits=False)


def _expect(event: dict[str, Any], fits: bool) -> None:
    if fits:
        validate(event)
    else:
        with pytest.raises(ValidationError):
            validate(event)


# events of the journal ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event",
    [
        Message(id="m", **ABOUT, text="hello"),
        Message(id="m", **ABOUT, text="Yes", reply_to="other", forwarded=True, choice="yes"),
        Message(id="m", **ABOUT, text="old", history=True, extra={"order": [1]}),
        Message(id="m", **ABOUT, text="from an ad", referral={"source_url": "https://ad.example"}),
        Receipt(id="r", **ABOUT, status="read", message_ids=("a", "b"), key="msg_1"),
        Receipt(id="r", **ABOUT, status="failed", message_ids=("a",), reason="window_closed"),
        Receipt(
            id="r", **ABOUT, status="failed", message_ids=("a",), reason="x", code="5", detail="y"
        ),
        Identity(id="i", **ABOUT, former=("a1",), text="changed their number"),
        Receipt(id="r", **ABOUT, status="delivered", watermark=ABOUT["sent_at"]),
        Reaction(id="r", **ABOUT, target="m", emoji="\N{THUMBS UP SIGN}"),
        Reaction(id="r", **ABOUT, target="m", emoji=None),
        Edit(id="e", **ABOUT, target="m", text="hello again"),
        Edit(id="e", **ABOUT, target="m", text=None, attachments=(Attachment("photo"),)),
        Deletion(id="d", **ABOUT, target="m"),
        Closed(id="c", **ABOUT),
        Echo(id="e", **ABOUT, message_id="m", text="written elsewhere", sender_app="Inbox"),
        Notice(id="n", **ABOUT, kind="opt_in", text="wants news", details={"topic": "news"}),
        Unknown(id="u", reason="lacks 'from'", raw={"a": [1, None]}, **ABOUT),
        Unknown(id="u", reason="no JSON"),
    ],
    ids=lambda event: event.type,
)
async def test_the_events_of_every_fact_are_valid(tmp_path: Path, event: AnyEvent) -> None:
    for body in await _recorded(tmp_path, event):
        validate(body)


@pytest.mark.parametrize(
    "attachment",
    [
        NewAttachment("photo", "rejected", "disabled"),
        NewAttachment("photo", "failed", "gone", "a.jpg"),
        NewAttachment("audio", "rejected", "unsupported_type", "a.ogg"),
        NewAttachment(
            "location", "ready", details=b'{"location": {"latitude": 1, "longitude": 2.5}}'
        ),
        NewAttachment("contact", "ready", details=b'{"contacts": [{"name": "Ann"}]}'),
        NewAttachment(
            "unsupported", "rejected", "unsupported_type", details=b'{"unsupported": {"type": "x"}}'
        ),
    ],
    ids=lambda attachment: attachment.kind,
)
async def test_the_events_of_ended_attachments_are_valid(
    tmp_path: Path, attachment: NewAttachment
) -> None:
    message = Message(id="m", **ABOUT, attachments=(Attachment(attachment.kind),))

    (body,) = await _recorded(tmp_path, message, attachment)

    validate(body)


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (
            "photo",
            Outcome(
                "ready",
                width=4,
                height=3,
                renditions={"thumbnail": picture(), "preview": picture("image/png")},
            ),
        ),
        (
            "video",
            Outcome(
                "ready",
                width=4,
                height=3,
                duration=1.5,
                renditions={
                    "thumbnail": picture(),
                    "poster": picture(),
                    "video": picture("video/mp4"),
                },
            ),
        ),
        ("photo", Outcome("rejected", "corrupt", "cut off")),
        ("video", Outcome("failed", "unreachable", name="a.mp4")),
    ],
)
async def test_the_events_of_a_pending_attachment_are_valid(
    tmp_path: Path, kind: Any, outcome: Outcome
) -> None:
    attachment = Attachment(kind, MediaRef({"url": "https://a.example/1"}))
    pending = NewAttachment(kind, "pending", media=orjson.dumps(attachment.media))
    message = Message(id="m", **ABOUT, attachments=(attachment,))
    journal = await SqliteJournal.open(tmp_path, hold_seconds=0)
    recorded = await journal.record(Batch((), (_reading(message, pending),)))
    (entry,) = recorded.entries
    frozen = await journal.freeze(entry.conversation, entry.key)
    (job,) = recorded.jobs

    seen = announced(journal)
    await journal.finish(job.message, job.position, outcome)
    await journal.close()

    (ended,) = seen
    bodies = [frozen.body, ended.entries[0].body]
    assert [orjson.loads(body or b"")["type"] for body in bodies] == [
        "message.received",
        "attachment.updated",
    ]
    for body in bodies:
        validate(body or b"")


async def _recorded(folder: Path, event: AnyEvent, *attachments: NewAttachment) -> list[bytes]:
    journal = await SqliteJournal.open(folder, hold_seconds=0)
    recorded = await journal.record(Batch((), (_reading(event, *attachments),)))
    await journal.close()
    bodies = [entry.body for entry in recorded.entries if entry.body]
    assert bodies
    return bodies


def _reading(event: AnyEvent, *attachments: NewAttachment) -> Reading:
    return Reading("support-whatsapp", "whatsapp", 1_700_000_000_000, event, attachments)


# the schema as a document -----------------------------------------------------------------------


def test_the_schema_is_json_and_complete() -> None:
    found = json.loads(json.dumps(schema()))

    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    references = set(_references(found))
    assert references == {f"#/$defs/{name}" for name in found["$defs"]}


def test_only_locations_allow_unknown_keys() -> None:
    definitions = schema()["$defs"]
    open_ones = {
        name
        for name, definition in definitions.items()
        if definition.get("additionalProperties") is not False
    }

    assert open_ones == {"Location"}


def test_optional_keys_have_no_default() -> None:
    for name, definition in schema()["$defs"].items():
        for key, value in definition["properties"].items():
            assert "default" not in value, f"{name}.{key}"


def _references(value: Any) -> list[str]:
    match value:
        case {"$ref": str(reference), **rest}:
            return [reference, *_references(rest)]
        case dict():
            return [found for part in value.values() for found in _references(part)]
        case list():
            return [found for part in value for found in _references(part)]
        case _:
            return []
