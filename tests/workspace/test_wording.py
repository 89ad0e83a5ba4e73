"""Texts for states, reasons, progress, names and file names."""

import pytest

from workspace.handlers.media import content_disposition, safe_filename
from workspace.text.safe_text import clean_name
from workspace.text.wording import (
    can_retry,
    describe_progress,
    describe_reason,
    describe_state,
    fallback_name,
    format_duration,
    format_size,
)

REJECTED = {
    "too_large": "Not accepted: the file is too large",
    "unsupported_type": "Not accepted: this type of file is not supported",
    "malware": "Not accepted: malware was found in the file",
    "corrupt": "Not accepted: the file is damaged",
    "too_many_pixels": "Not accepted: it has too many pixels",
    "too_long": "Not accepted: it is too long",
    "protected": "Not accepted: the file needs a password",
    "disabled": "Not accepted: videos are turned off for this channel",
    "something_new": "Not accepted: something new",
}
FAILED = {
    "gone": "Could not be downloaded: the platform no longer has it",
    "expired": "Could not be downloaded: the platform's link has expired",
    "unauthorized": "Could not be downloaded: the platform did not accept our credentials; please ask an operator",
    "unreachable": "Could not be downloaded: the platform did not answer",
    "checksum_mismatch": "Could not be downloaded: the file arrived damaged",
    "blocked_host": "Could not be downloaded: its address is not allowed",
    "scanner_unavailable": "Could not be checked: the malware scanner is not responding",
    "decoder_crashed": "Could not be made safe: the file could not be decoded",
    "something_new": "Could not be downloaded: something new",
}


@pytest.mark.parametrize(("reason", "sentence"), REJECTED.items())
def test_rejection_has_a_reason(reason: str, sentence: str) -> None:
    found = describe_state({"kind": "video", "state": "rejected", "reason": reason})
    assert found == sentence


@pytest.mark.parametrize(("reason", "sentence"), FAILED.items())
def test_failed_attachment_has_a_reason(reason: str, sentence: str) -> None:
    found = describe_state({"kind": "photo", "state": "failed", "reason": reason})
    assert found == sentence


@pytest.mark.parametrize(
    ("reason", "detail", "sentence"),
    [
        ("too_large", "31000000 bytes, the limit is 25000000", "Too large: 31 MB, limit 25 MB"),
        (
            "too_large",
            "25100000 bytes are announced, the limit is 25000000",
            "Too large: 25.1 MB, limit 25 MB",
        ),
        (
            "too_many_pixels",
            "12000 x 9000 pixels, the limit is 64000000",
            "Too many pixels: 108 megapixels, limit 64 megapixels",
        ),
        ("too_long", "5400 s, the limit is 3600", "Too long: 1:30:00, limit 1:00:00"),
        (
            "too_large",
            "31000000 bytes; the limit for a video is 25000000",
            "Too large: 31 MB, limit 25 MB",
        ),
        ("too_large", "31000000 bytes; no file may have so many", "Too large: 31 MB"),
        ("too_large", "more than 25000000 bytes came", "Too large: more than 25 MB"),
        ("too_many_pixels", "frames of 9000 x 9000 pixels", "Too many pixels: 81 megapixels"),
        ("too_long", "5400 s", "Too long: 1:30:00"),
        ("too_long", "encoding it takes too long", "Not accepted: it is too long"),
        ("too_large", None, "Not accepted: the file is too large"),
        ("malware", "Eicar-Test 68 bytes, limit 1", "Not accepted: malware was found in the file"),
    ],
)
def test_numbers_in_the_detail_are_shown(reason: str, detail: str | None, sentence: str) -> None:
    attachment = {"kind": "video", "state": "rejected", "reason": reason, "detail": detail}
    assert describe_state(attachment) == sentence


@pytest.mark.parametrize(
    ("detail", "sentence", "retry"),
    [
        ("the retention time is over", "No longer kept: the retention time is over", False),
        (
            "only the newest 20 photos are kept",
            "No longer kept: only the newest 20 photos are kept",
            False,
        ),
        ("410 from media.example.com", FAILED["expired"], True),
        (None, FAILED["expired"], True),
    ],
)
def test_expired_attachment_offers_no_retry(detail: str | None, sentence: str, retry: bool) -> None:
    attachment = {"kind": "photo", "state": "failed", "reason": "expired", "detail": detail}
    assert describe_state(attachment) == sentence
    assert can_retry(attachment) is retry


def test_consumer_without_name_gets_a_fallback_name() -> None:
    assert fallback_name("whatsapp", "4915550000001") == "+4915550000001"
    assert fallback_name("twilio", "+15550001") == "+15550001"
    assert fallback_name("messenger", "7712345678901234") == "Customer 1234"
    assert fallback_name("apple", "urn:mbid:AQAAYab9x/+=") == "Customer AB9X"


def test_reasons_of_failed_messages_are_described() -> None:
    assert (
        describe_reason("opted_out")
        == "the customer opted out of messages; you can reply once they write again"
    )
    assert describe_reason("a_new_word") == "a new word"
    assert describe_reason(None) is None


@pytest.mark.parametrize(
    ("reason", "code", "detail", "words"),
    [
        ("unknown", "131060", "Message unavailable", "refused"),
        ("misconfigured", "131030", "Recipient not in allowed list", "not set up correctly"),
        ("not_in_control", "10/2018300", "another app controls this thread", "another app"),
        ("unknown", None, "disallows use of 'data'", "refused"),
    ],
)
def test_the_platforms_words_stand_beside_the_reason(
    reason: str, code: str | None, detail: str, words: str
) -> None:
    found = describe_reason(reason, code, detail)
    assert found is not None
    assert words in found
    assert f"“{detail}”" in found
    assert code is None or f"(code {code})" in found


@pytest.mark.parametrize("detail", [None, "", "HTTP 502"])
def test_a_bare_status_is_not_shown_as_words(detail: str | None) -> None:
    assert describe_reason("temporary", None, detail) == describe_reason("temporary")


def test_a_refused_files_words_stand_beside_the_state() -> None:
    attachment = {"kind": "photo", "state": "failed", "reason": "unreachable"}
    words = describe_state({**attachment, "code": "100/33", "detail": "does not exist"})
    assert "the platform refused it" in words
    assert "“does not exist” (code 100/33)" in words
    assert describe_state({**attachment, "detail": "short body"}) == describe_state(attachment)


def test_ready_attachment_has_no_text_and_pending_has_one() -> None:
    assert describe_state({"state": "ready"}) == ""
    assert describe_state({"state": "pending"}) == "Downloading…"


def test_durations_and_sizes_are_formatted() -> None:
    assert [format_duration(s) for s in (0, 0.6, 59.4, 60, 754, 3600, 3725.2)] == [
        "0:00",
        "0:01",
        "0:59",
        "1:00",
        "12:34",
        "1:00:00",
        "1:02:05",
    ]
    assert [format_size(s) for s in (12, 24_100, 5_242_880, 25_000_000)] == [
        "12 bytes",
        "24 kB",
        "5.2 MB",
        "25 MB",
    ]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("IMG_0042.MOV", "IMG_0042.mp4"),
        ("../../etc/passwd", "passwd.mp4"),
        ("C:\\temp\\holiday.avi", "holiday.mp4"),
        ("con.mp4", "video-abcdefgh.mp4"),
        ("..", "video-abcdefgh.mp4"),
        ("", "video-abcdefgh.mp4"),
        (None, "video-abcdefgh.mp4"),
        ("\u202e4pm.exe", "4pm.mp4"),
        ('a"b\r\nSet-Cookie: x=1.mp4', "a_b Set-Cookie_ x_1.mp4"),
        ("Geburtstag Zoë 🎂.mp4", "Geburtstag Zoë.mp4"),
        (".htaccess", "htaccess.mp4"),
        ("x" * 300 + ".mp4", "x" * 80 + ".mp4"),
        ("वीडियो.MOV", "वीडियो.mp4"),
        ("การเดินทาง.mp4", "การเดินทาง.mp4"),
        ("می\u200cروم.mp4", "می\u200cروم.mp4"),
    ],
)
def test_downloaded_file_has_a_safe_name(name: str | None, safe: str) -> None:
    body = {"id": "att_abcdefgh", "kind": "video", "name": name}
    assert safe_filename(body, "video/mp4") == safe


def test_non_ascii_file_name_is_encoded() -> None:
    assert content_disposition("Zoë.mp4") == (
        "attachment; filename=\"Zo_.mp4\"; filename*=UTF-8''Zo%C3%AB.mp4"
    )


def test_clean_name_keeps_joined_characters() -> None:
    family = "👨‍👩‍👧"
    assert clean_name(f"  Zoë   {family} ") == f"Zoë {family}"
    assert clean_name("\u202e\u2066\u200b") is None
    assert clean_name("x" * 1000) == "x" * 200


NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        ({"step": "waiting", "tries": 0}, "Downloading…"),
        ({"step": "waiting_for_turn", "tries": 2}, "Waiting for its turn…"),
        ({"step": "fetching", "tries": 3}, "Downloading…"),
        ({"step": "scanning", "tries": 1}, "Scanning for malware…"),
        ({"step": "making_safe", "percent": None}, "Making it safe…"),
        ({"step": "making_safe", "percent": 0}, "Making it safe… 0%"),
        ({"step": "something new"}, "Downloading…"),
        (None, "Downloading…"),
        (
            {"step": "waiting", "tries": 1, "next_try_at": "2027-01-15T08:00:10Z"},
            "Not downloaded yet: tried once, trying again in a moment",
        ),
        (
            {"step": "waiting", "tries": 4, "next_try_at": "2027-01-15T08:12:00Z"},
            "Not downloaded yet: tried 4 times, trying again in 12 min",
        ),
        ({"step": "waiting", "tries": 2}, "Not downloaded yet: tried 2 times"),
    ],
)
def test_progress_is_described(progress: object, words: str) -> None:
    assert describe_progress({"state": "pending", "progress": progress}, NOW) == words


def test_attachment_that_is_not_pending_has_no_progress() -> None:
    assert describe_progress({"state": "ready"}, NOW) == ""
