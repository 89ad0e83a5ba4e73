"""Tools for connectors: reading batches, timestamps, kinds of attachments, and decompression."""

import gzip
import tracemalloc
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors import (
    Attachment,
    Echo,
    Message,
    Notice,
    Party,
    Unknown,
    Unreadable,
    attach_each,
    entries,
    fingerprint,
    inflate,
    kind_of,
    listed,
    open_each,
    parse_timestamp,
    read_each,
    unknown,
)


def message(raw: Any) -> Message:
    return Message(id=raw["id"], account="a", party=Party("p"), text=raw.get("text"))


def test_a_bad_entry_becomes_one_unknown_event_in_its_place() -> None:
    events = read_each(message, [{"id": "1"}, {"no": "id"}, 5, {"id": "2"}])
    assert [event.type for event in events] == ["message", "unknown", "unknown", "message"]
    assert events[1] == Unknown(
        id=events[1].id, reason="the field 'id' is missing", raw={"no": "id"}
    )


def test_a_field_of_the_wrong_type_is_named_not_quoted() -> None:
    (event,) = read_each(message, [{"id": "1", "text": {"secret": "words"}}])
    assert isinstance(event, Unknown)
    assert event.reason == "text: Input should be a valid string"
    assert event.raw == {"id": "1", "text": {"secret": "words"}}


@pytest.mark.parametrize(
    "empty", [{"id": ""}, {"account": ""}, {"party": Party("")}, {"party": Party("p", None, ("",))}]
)
def test_an_event_with_an_empty_id_is_unreadable(empty: dict[str, Any]) -> None:
    fields = {"id": "1", "account": "a", "party": Party("p"), **empty}
    (event,) = read_each(lambda _: Message(**fields), [{"raw": 1}])
    assert isinstance(event, Unknown)
    assert event.reason == "an id, an account or a person's id is empty"


def test_an_unreadable_file_becomes_an_unsupported_attachment_in_its_place() -> None:
    found = attach_each(
        lambda raw: Attachment("photo", details={"id": raw["id"]}), [{"id": 1}, 5, {}]
    )
    assert [one.kind for one in found] == ["photo", "unsupported", "unsupported"]
    assert found[2].details == {"reason": "the field 'id' is missing"}


def test_the_reason_of_an_unknown_event_quotes_no_values() -> None:
    def number(raw: Any) -> Message:
        return message({"id": str(int(raw))})

    (event,) = read_each(number, ["private words"])
    assert isinstance(event, Unknown)
    assert "private" not in event.reason


def test_the_reason_of_unreadable_is_kept() -> None:
    def picky(raw: Any) -> Message:
        raise Unreadable("is not for us")

    (event,) = read_each(picky, [1])
    assert isinstance(event, Unknown)
    assert event.reason == "is not for us"


def test_a_programming_error_is_not_swallowed() -> None:
    def broken(raw: Any) -> Message:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        read_each(broken, [1])


def test_one_entry_may_yield_several_events() -> None:
    events = read_each(lambda raw: [message(raw), message({"id": "b"})], [{"id": "a"}])
    assert [event.id for event in events] == ["a", "b"]


def test_a_bad_envelope_becomes_one_unknown_event() -> None:
    envelopes = [{"entries": [{"id": "1"}, {}]}, {"entries": 5}, 7, {"entries": [{"id": "2"}]}]
    events = open_each(lambda envelope: read_each(message, envelope["entries"]), envelopes)
    assert [event.type for event in events] == ["message", *["unknown"] * 3, "message"]


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ({}, []),
        ({"x": None}, []),
        ({"x": []}, []),
        ({"x": [1, None]}, [1, None]),
        ({"x": {"a": 1}}, [{"a": 1}]),
        ({"x": "text"}, ["text"]),
        ({"x": 0}, [0]),
    ],
)
def test_a_single_value_counts_as_a_list_of_one(raw: Any, found: list[Any]) -> None:
    assert listed(raw, "x") == found
    if raw.get("x") is not None:
        assert entries(raw, "x") == found


@pytest.mark.parametrize("raw", [{}, {"x": None}])
def test_entries_raises_if_the_field_is_missing_or_null(raw: Any) -> None:
    with pytest.raises(KeyError):
        entries(raw, "x")


def test_the_order_of_keys_does_not_change_a_fingerprint() -> None:
    assert unknown({"a": 1, "b": 2}, "x").id == unknown({"b": 2, "a": 1}, "y").id
    assert unknown({"a": 1}, "x").id != unknown({"a": 2}, "x").id
    assert fingerprint("1") != fingerprint(1)


@pytest.mark.parametrize(
    "stamp", [1760000000, "1760000000", 1760000000000, "1760000000000", 1760000000.9]
)
def test_timestamps_in_seconds_and_milliseconds_are_distinguished(stamp: Any) -> None:
    assert parse_timestamp(stamp) == datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "stamp",
    [
        "2025-10-09T08:53:20Z",
        "2025-10-09T08:53:20",
        "2025-10-09t10:53:20.000000000+02:00",
        "2025-10-09 04:53:20-0400",
    ],
)
def test_an_iso_time_is_read_in_any_zone_and_precision(stamp: str) -> None:
    assert parse_timestamp(stamp) == datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stamp", "microsecond"),
    [("2025-10-09T08:53:20.5Z", 500_000), ("2025-10-09T08:53:20.123456789Z", 123_456)],
)
def test_digits_beyond_microseconds_are_cut_off(stamp: str, microsecond: int) -> None:
    assert parse_timestamp(stamp).microsecond == microsecond


@pytest.mark.parametrize(
    "stamp",
    ["2025-13-09T08:53:20Z", "2025-10-09", "2025-10-09T08:53:20Zx", "2025-10-09T08:53:20+99:00"],
)
def test_an_impossible_iso_time_becomes_an_unknown_event(stamp: str) -> None:
    def read(raw: Any) -> Notice:
        return Notice(id="1", account="a", kind="x", sent_at=parse_timestamp(raw))

    assert [event.type for event in read_each(read, [stamp])] == ["unknown"]


@pytest.mark.parametrize("stamp", [None, "", "soon", [], {}, 10**30, "9" * 30, float("nan")])
def test_an_invalid_timestamp_becomes_an_unknown_event(stamp: Any) -> None:
    def read(raw: Any) -> Notice:
        return Notice(id="1", account="a", kind="x", sent_at=parse_timestamp(raw))

    assert [event.type for event in read_each(read, [stamp])] == ["unknown"]


@pytest.mark.parametrize(
    ("media_type", "name", "kind"),
    [
        ("image/jpeg", None, "photo"),
        ("IMAGE/HEIC", None, "photo"),
        ("image/jpg", "x.pdf", "photo"),
        ("image/svg+xml", None, "document"),
        ("video/quicktime", None, "video"),
        ("video/3gpp; codecs=h263", None, "video"),
        ("audio/ogg; codecs=opus", None, "audio"),
        ("audio/x-caf", None, "audio"),
        ("text/vcard", None, "contact"),
        ("text/x-vCard; charset=utf-8", None, "contact"),
        ("application/pdf", "photo.jpg", "document"),
        ("text/html", "photo.jpg", "document"),
        ("application/octet-stream", "IMG_1.HEIC", "photo"),
        ("application/octet-stream", "clip.mov", "video"),
        (None, "clip.MP4", "video"),
        ("", "x.vcf", "contact"),
        ("", "noending", "document"),
        (None, None, "document"),
    ],
)
def test_the_kind_follows_the_type_or_else_the_name(
    media_type: str | None, name: str | None, kind: str
) -> None:
    assert kind_of(media_type, name) == kind


def test_a_zip_bomb_is_not_decompressed_beyond_the_limit() -> None:
    bomb = gzip.compress(bytes(64_000_000))
    tracemalloc.start()
    with pytest.raises(ValueError, match="more than 1000 bytes"):
        inflate(bomb, 1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_decompression_stops_at_the_limit() -> None:
    packed = gzip.compress(b"x" * 1000)
    assert inflate(packed, 1000) == b"x" * 1000
    assert inflate(b"plain", 10) == b"plain"
    with pytest.raises(ValueError, match="more than 999 bytes"):
        inflate(packed, 999)
    for damaged in (packed[:-1], packed[:20], b"\x1f\x8b", b"\x1f\x8b" + b"x" * 30):
        with pytest.raises(ValueError, match="the body"):
            inflate(damaged, 1000)


def test_an_echo_keeps_its_account_and_party_apart() -> None:
    (event,) = read_each(
        lambda raw: Echo(id="echo:1", account="us", party=Party("them"), message_id="1"), [1]
    )
    assert (event.account, event.party) == ("us", Party("them"))


def test_a_matched_contact_is_not_used_for_another_sender() -> None:
    from . import accounts

    value = {
        "metadata": {"phone_number_id": "1"},
        "contacts": [{"profile": {"name": "Ann"}, "wa_id": "15550001111"}],
        "messages": [
            {"from": number, "id": number, "timestamp": "1", "type": "text", "text": {"body": "x"}}
            for number in ("15550001111", "15550003333")
        ],
    }
    content = {
        "object": "whatsapp_business_account",
        "entry": [{"id": "2", "changes": [{"field": "messages", "value": value}]}],
    }
    parties = [event.party for event in accounts.whatsapp().parse(accounts.delivery(content))]
    assert parties == [Party("15550001111", "Ann"), Party("15550003333")]
