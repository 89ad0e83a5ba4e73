"""Deliveries of Acme that show what only machines read, and words that mean something."""

from typing import Any


def _message(id: str, at: int, **fields: Any) -> dict[str, Any]:
    message = {"kind": "message", "id": id, "at": at, "from": "ben", "text": "", **fields}
    return {"updates": [message]}


FURTHER_CONTENTS: dict[str, Any] = {
    "a_file_with_its_size": _message(
        "m-20", 1760000020, files=[{"id": "f20", "type": "image/png", "size": 51200}]
    ),
    "the_language_and_the_whole_name": _message(
        "m-21",
        1760000021,
        text="bonjour",
        locale="fr_CA",
        profile={"first_name": "Ben", "last_name": "Other"},
    ),
    "a_number_of_the_chat": _message("m-22", 1760000022, text="and now", number=22),
    "an_opt_out": _message("m-23", 1760000023, text="STOP"),
    "a_voice_message": _message(
        "m-24", 1760000025, files=[{"id": "f24", "type": "audio/ogg", "note_type": "voice"}]
    ),
    "a_message_of_another_time": _message("m-25", 1760000026, text="so", edited_at=1760000027),
    "a_place_with_a_name": _message(
        "m-26",
        1760000028,
        place={"lat": 48.1, "lng": 11.6, "name": "The shop", "address": "1 Long Street"},
    ),
    "a_number": {
        "updates": [
            {
                "kind": "message",
                "id": "m-27",
                "at": 1760000030,
                "from": "4915112345678",
                "text": "one",
            }
        ]
    },
    "a_number_with_a_plus": {
        "updates": [
            {
                "kind": "message",
                "id": "m-28",
                "at": 1760000031,
                "from": "+4915112345678",
                "text": "two",
            }
        ]
    },
    "a_bill": _message(
        "m-29",
        1760000033,
        files=[{"id": "f29", "type": "application/pdf", "file_name": "bill.pdf"}],
    ),
    "somebody_left": {"updates": [{"kind": "blocked", "at": 1760000032, "from": "ben"}]},
    "somebody_joined": {"updates": [{"kind": "joined", "at": 1760000029, "from": "ben"}]},
    "our_key": {
        "updates": [{"kind": "seen", "id": "m-0", "at": 1760000024, "from": "ben", "key": "msg_1"}]
    },
}
