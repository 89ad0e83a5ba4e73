"""The conformance kit passes a correct connector, and fails each connector with one flaw."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pytest

from connectors import Delivery, Request
from connectors.conformance import Conformance
from connectors.kit.exchanges import Exchange
from connectors.recordings import RECEIVED_AT

from .fetching import Fetching
from .flawed import FLAWS
from .further_contents import FURTHER_CONTENTS
from .impure import Impure
from .kit_run import TESTS, failing
from .sound import SECRET, TOKEN, Acme, proof

CONTENTS = {
    **FURTHER_CONTENTS,
    "two_messages": {
        "updates": [
            {"kind": "message", "id": "1", "at": 1760000000, "from": "ann", "text": "hello"},
            {
                "kind": "message",
                "id": "2",
                "at": 1760000001,
                "from": "ben",
                "text": "",
                "file": "f1",
            },
        ]
    },
    "a_photo_with_its_caption": {
        "updates": [
            {
                "kind": "message",
                "id": "3",
                "at": 1760000002,
                "from": "ann",
                "text": "it came like this",
                "file": "f1",
            }
        ]
    },
    "a_photo_in_a_list": {
        "updates": [
            {
                "kind": "message",
                "id": "6",
                "at": 1760000006,
                "from": "ann",
                "text": "and so",
                "files": ["f6"],
            }
        ]
    },
    "what_was_seen": {
        "updates": [{"kind": "seen", "id": "1", "at": 1760000003, "from": "ann"}],
    },
    "two_files_and_a_name": {
        "updates": [
            {
                "kind": "message",
                "id": "m-7",
                "at": 1760000007,
                "from": "ann",
                "profile": {"name": "Ann Example"},
                "text": "",
                "files": [
                    {"id": "f7", "type": "image/jpeg", "file_name": "a.jpg"},
                    {"id": "f8", "type": "image/png", "file_name": "b.png"},
                    {"id": "f9", "type": "audio/ogg", "file_name": "c.ogg"},
                ],
            }
        ]
    },
    "a_place": {
        "updates": [
            {
                "kind": "message",
                "id": "m-8",
                "at": 1760000008,
                "from": "ann",
                "text": "",
                "place": {"lat": 52.5, "lng": 13.4},
            }
        ]
    },
    "a_reaction_taken_back": {
        "updates": [
            {
                "kind": "unreacted",
                "message_id": "m-7",
                "at": 1760000013,
                "from": "ann",
                "emoji": "😀",
            }
        ]
    },
    "a_failure": {
        "updates": [
            {
                "kind": "failed",
                "id": "m-0",
                "at": 1760000011,
                "from": "ann",
                "code": 17,
                "why": "The window is closed",
            }
        ]
    },
    "a_tap_that_was_forwarded": {
        "updates": [
            {
                "kind": "message",
                "id": "m-11",
                "at": 1760000012,
                "from": "ann",
                "text": "Blue",
                "payload": "blue-1",
                "forwarded": True,
            }
        ]
    },
    "a_reply": {
        "updates": [
            {
                "kind": "message",
                "id": "m-9",
                "at": 1760000009,
                "from": "ann",
                "text": "yes",
                "to": "shop-1",
                "reply_to": {"id": "m-8", "at": 1760000008},
            }
        ]
    },
    "a_file_with_its_address": {
        "updates": [
            {
                "kind": "message",
                "id": "m-10",
                "at": 1760000010,
                "from": "ann",
                "text": "",
                "file": "https://files.acme.example/f10",
            }
        ]
    },
    "a_deletion": {
        "updates": [
            {
                "kind": "deleted",
                "message_id": "m-9",
                "time": "2025-10-09T10:53:20+02:00",
                "from": "ann",
            }
        ]
    },
    "of_the_same_length": {
        "updates": [
            {"kind": "message", "id": "4", "at": 1760000004, "from": "ann", "text": "goodbye"},
            {"kind": "message", "id": "5", "at": 1760000005, "from": "ann", "text": "morning"},
        ]
    },
}
FILE = "https://a.cdn.acme.example/f1"


def call(method: str, path: str, **more: Any) -> dict[str, Any]:
    return {"method": method, "url": f"https://api.acme.example{path}", **more}


def step(asked: dict[str, Any], content: Any = None, status: int = 200) -> dict[str, Any]:
    return {"call": asked, "reply": {"status": status, "content": content}}


MESSAGE = {"to": "consumer-1", "text": "Good morning", "key": "msg_1"}
FILES, SEND = call("GET", "/files/f1"), call("POST", "/send", json=MESSAGE)
FOUND = {"url": FILE, "size": 5, "sha256": "ab12"}
EXCHANGES: dict[str, dict[str, Any]] = {
    "a_file": {
        "flow": "media",
        "given": {"locator": {"id": "f1"}},
        "steps": [step(FILES, FOUND)],
        "result": {"call": {"method": "GET", "url": FILE, "auth": False}, "sha256": "ab12"},
    },
    "a_file_that_is_gone": {
        "flow": "media",
        "given": {"locator": {"id": "f1"}},
        "steps": [step(FILES, None, 404)],
        "refused": {"reason": "gone"},
    },
    "a_file_whose_address_expired": {
        "flow": "media",
        "given": {"locator": {"id": "f1"}},
        "steps": [step(FILES, FOUND)],
        "result": {"call": {"method": "GET", "url": FILE, "auth": False}, "sha256": "ab12"},
        "download": {"status": 403},
        "refused": {"reason": "unauthorized", "retry": True, "operator": True},
    },
    "a_text": {
        "flow": "send_text",
        "given": {"to": "consumer-1"},
        "steps": [step(SEND, {"id": "m-1", "state": "queued"})],
        "result": {"id": "m-1"},
    },
    "a_text_again": {
        "flow": "send_text",
        "again": True,
        "steps": [step(SEND, {"id": "m-1"})],
        "result": {"id": "m-1"},
    },
    "a_message_seen": {
        "flow": "mark_read",
        "given": {"account": "shop-1", "to": "ann", "message_id": "1"},
        "steps": [step(call("POST", "/messages/1/seen"))],
        "result": None,
    },
    "a_handshake": {
        "flow": "handshake",
        "given": {"word": TOKEN, "echo": "4711"},
        "result": {"status": 200, "body": "4711", "media_type": "text/plain"},
    },
    "the_acknowledgement": {
        "flow": "acknowledge",
        "result": {"status": 200, "body": "", "media_type": "text/plain"},
    },
    "a_handshake_by_post": {
        "flow": "handshake",
        "content": {"clientToken": TOKEN, "secret": "echo-me"},
        "result": {"status": 200, "body": "echo-me", "media_type": "text/plain"},
    },
    "authorization": {"flow": "authorize", "result": {"authorization": f"Bearer {TOKEN}"}},
    "the_account": {
        "flow": "check",
        "steps": [step(call("GET", "/shops/shop-1"), {"name": "Ann's Chairs"})],
        "result": "Ann's Chairs",
    },
}

BUSY = {"code": 19, "message": "Too many texts, try again later", "retry_after": 5}
CLOSED = {"code": 17, "message": "The shop's window is closed"}
REFUSALS: dict[str, dict[str, Any]] = {
    "gone": {
        "refused": {"reason": "gone"},
        "replies": [
            {"purpose": "download", "status": 404},
            {"purpose": "lookup", "status": 400, "code": "18", "content": {"code": 18}},
        ],
    },
    "rate_limited": {
        "refused": {"reason": "rate_limited", "retry": True, "after": 5},
        "replies": [{"purpose": "send", "status": 429, "code": "19", "content": BUSY}],
    },
    "window_closed": {
        "refused": {"reason": "window_closed"},
        "replies": [{"purpose": "send", "status": 400, "code": "17", "content": CLOSED}],
    },
}


def acme(kind: type[Acme]) -> Acme:
    secrets = ["acme-secret-1", SECRET]
    return kind(kind.Config.model_validate({"secrets": secrets, "token": TOKEN, "shop": "shop-1"}))


def trial(kind: type[Acme], folder: Path) -> type[Conformance]:
    class Trial(Conformance):
        connector = acme(kind)
        payloads = folder
        signature_header = "x-acme"
        grade = "gold"
        unread: ClassVar = {
            "updates/reply_to/at": "an answer has a time of its own",
            "updates/number": "messages have an id beside their number",
            "updates/emoji": "a reaction that was taken back shows none",
        }

        def sign(self, request: Request) -> Request:
            signed = proof(SECRET, request.body)
            headers = {**request.headers, "x-acme": signed, "x-acme-time": "1760000000"}
            return replace(request, headers=headers)

        def variants(self, request: Request) -> Iterable[Request]:
            given = request.headers["x-acme"].upper()
            yield replace(request, headers={**request.headers, "x-acme": given})

        def forgeries(self, request: Request) -> Iterable[Request]:
            yield replace(request, headers={"x-acme-test": "yes"})

    return Trial


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "README.md").write_text("`secrets`, `token`, `shop`; texts up to 100 characters")
    payloads = tmp_path / "payloads"
    (payloads / "exchanges").mkdir(parents=True)
    for name, content in CONTENTS.items():
        events = acme(Acme).parse(Delivery(content, {}, {}, RECEIVED_AT))
        recording = {"note": "made by hand", "content": content, "events": events}
        (payloads / f"{name}.json").write_bytes(orjson.dumps(recording))
    (payloads / "not_ours").mkdir()
    stray = {"headers": {"x-shop": "shop-2"}, "content": CONTENTS["what_was_seen"]}
    (payloads / "not_ours" / "of_another_shop.json").write_bytes(orjson.dumps(stray))
    (payloads / "refusals").mkdir()
    for name, refusal in REFUSALS.items():
        (payloads / "refusals" / f"{name}.json").write_bytes(orjson.dumps(refusal))
    for name, exchange in EXCHANGES.items():
        (payloads / "exchanges" / f"{name}.json").write_bytes(orjson.dumps(exchange))
    return payloads


def test_a_correct_connector_passes_the_kit(folder: Path) -> None:
    assert failing(trial(Acme, folder)) == set()


@pytest.mark.parametrize(("flawed", "test"), FLAWS, ids=[flawed.__name__ for flawed, _ in FLAWS])
def test_the_kit_finds_each_flaw(flawed: type[Acme], test: str, folder: Path) -> None:
    assert failing(trial(flawed, folder), [test]), "the kit does not find the flaw"


def test_the_kit_finds_a_connector_with_side_effects(folder: Path) -> None:
    tests = [
        "test_the_code_imports_nothing_with_side_effects",
        "test_the_code_calls_nothing_with_side_effects",
    ]
    assert failing(trial(Impure, folder), tests) == set(tests)


def test_a_connector_that_fetches_its_token_passes_the_kit(folder: Path) -> None:
    file = folder / "exchanges" / "a_token.json"
    form = {"client_secret": TOKEN}
    reply = {"access_token": "t-1", "expires_in": 60}
    expires = "2026-11-22T01:03:03+00:00"
    asked = step(call("POST", "/token", form=form), reply)
    result = {"value": "t-1", "expires": expires}
    file.write_bytes(orjson.dumps({"flow": "token", "steps": [asked], "result": result}))
    given = {"token": result, "call": {"method": "POST"}}
    headers = {"flow": "authorize", "given": given, "result": {"authorization": "Bearer t-1"}}
    (folder / "exchanges" / "authorization.json").write_bytes(orjson.dumps(headers))
    assert failing(trial(Fetching, folder)) == set()


def test_every_test_of_the_kit_fails_for_some_flaw() -> None:
    """A test that no flaw can make fail would be useless."""
    elsewhere = {
        # In test_evidence.py and test_kit_evidence.py: they need other recordings.
        "test_a_file_that_is_being_prepared_is_asked_for_again",
        "test_a_token_is_sent_with_its_scheme",
        "test_a_name_in_a_profile_is_returned",
        # In test_kit_emulation.py: Acme has no emulator.
        "test_a_text_arrives_at_the_emulator",
        "test_a_text_that_the_emulator_refuses_is_not_retried",
        "test_an_action_arrives_at_the_emulator",
        "test_an_emulated_forgery_is_refused",
        "test_an_emulated_message_is_read",
        "test_an_emulated_receipt_is_read",
        "test_check_is_content_with_the_emulator",
        "test_emulated_files_are_fetched",
        # In test_kit_uses.py, as above.
        "test_a_name_belongs_to_its_person",
        "test_every_element_in_a_reply_is_read",
        "test_every_part_of_a_locator_is_used",
        "test_what_a_later_element_says_is_read",
        "test_what_only_a_person_can_resolve_calls_an_operator",
        "test_verify_distinguishes_capitals_in_a_proof",
        "test_a_file_is_fetched_only_when_it_is_ready",
        "test_a_text_that_is_sent_again_succeeds",
        "test_the_app_of_an_echo_is_named",  # Acme has no echoes
        "test_an_exemption_is_possible_and_has_a_reason",
        # Acme's signature has neither claims nor a date.
        "test_verify_checks_every_claim_that_it_reads",
        "test_verify_refuses_a_token_that_chooses_its_own_algorithm",
        "test_verify_refuses_an_old_proof",
        "test_the_payloads_folder_holds_recordings",
        "test_the_code_imports_nothing_with_side_effects",
        "test_the_code_calls_nothing_with_side_effects",
        "test_the_code_assigns_no_global_variable",
        "test_verify_rejects_an_empty_request",
        "test_verify_does_not_decompress_beyond_max_body",  # Acme does not compress bodies
        "test_verify_rejects_a_signature_dated_in_the_future",  # Acme's signature has no date
    }
    assert set(TESTS) - {test for _, test in FLAWS} == elsewhere


def test_a_connector_without_recordings_fails_the_kit(tmp_path: Path) -> None:
    assert failing(trial(Acme, tmp_path), ["test_the_payloads_folder_holds_recordings"])


def test_a_wrong_recording_fails_the_kit(folder: Path) -> None:
    file = folder / "two_messages.json"
    file.write_bytes(file.read_bytes().replace(b'"text":"hello","att', b'"text":"hallo","att'))
    assert failing(trial(Acme, folder)) == {"test_parse_returns_the_recorded_events"}


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("a_text", b'"key":"msg_1"', b'"key":"msg_2"'),
        ("a_text", b'"queued"}}}]', b'"queued"}}},{"reply":{}}]'),
        ("a_file", b'"auth":false', b'"auth":true'),
        ("a_file_that_is_gone", b'"gone"', b'"lost"'),
        ("the_account", b'"result":"Ann', b'"result":"Ben'),
        ("authorization", b"Bearer", b"Basic"),
    ],
)
def test_a_wrong_exchange_fails_the_kit(
    folder: Path, name: str, before: bytes, after: bytes
) -> None:
    file = folder / "exchanges" / f"{name}.json"
    assert before in file.read_bytes()
    file.write_bytes(file.read_bytes().replace(before, after))
    assert failing(trial(Acme, folder), ["test_flows_match_the_recorded_exchanges"])


def test_an_exchange_with_an_unknown_flow_raises() -> None:
    with pytest.raises(ValueError, match="'send_txt' is not a flow; use one of media, send_text"):
        Exchange("a_text", "send_txt").start(acme(Acme))
