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
        profile={"name": "Ben", "last_name": "Other"},
    ),
    "a_number_of_the_chat": _message("m-22", 1760000022, text="and now", number=22),
    "an_opt_out": _message("m-23", 1760000023, text="STOP"),
    "a_voice_message": _message(
        "m-24", 1760000025, files=[{"id": "f24", "type": "audio/ogg", "note_type": "voice"}]
    ),
    "a_message_of_another_time": _message("m-25", 1760000026, text="so", edited_at=1760000027),
    "our_key": {
        "updates": [{"kind": "seen", "id": "m-0", "at": 1760000024, "from": "ben", "key": "msg_1"}]
    },
}
