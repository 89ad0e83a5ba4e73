"""Mistakes of the two newest blind counts (docs/connectors/testing.md), planted as those of `bugs.py`."""

from .planting import Planted

FURTHER: dict[str, Planted] = {
    "a_closed_window_is_retried": Planted(
        "whatsapp",
        "whatsapp.error_codes",
        "WINDOW_CLOSED: (131047,),",
        'Verdict("window_closed", retry=True): (131047,),',
    ),
    "everybody_has_the_first_name": Planted(
        "whatsapp",
        "whatsapp.people",
        "contact = next((self.contacts[id] for id in known if id in self.contacts), {})",
        "contact = next(iter(self.contacts.values()), {})",
    ),
    "receipts_of_a_person_share_an_id": Planted(
        "messenger",
        "messenger_platform.events",
        "id=_id(key, common, watermark if until else fingerprint(receipt)),",
        "id=_id(key, common),",
    ),
    "story_replies_of_a_person_share_an_id": Planted(
        "instagram",
        "instagram.events",
        'id=f"story_reply:{event.id}",',
        'id=f"story_reply:{event.party.id}",',
    ),
    "a_limit_is_in_megabytes": Planted(
        "instagram",
        "instagram.connector",
        '"photo": Limit(max_bytes=8_000_000),',
        '"photo": Limit(max_bytes=8),',
    ),
    "a_text_that_failed_at_once_is_sent": Planted(
        "twilio",
        "twilio.connector",
        'case {"sid": str(sid)} if reply.content.get("error_code") is None:',
        'case {"sid": str(sid)}:',
    ),
    "the_word_false_is_a_set_flag": Planted(
        "twilio",
        "twilio.events",
        'forwarded="true" in (form.get("Forwarded"), form.get("FrequentlyForwarded")),',
        'forwarded=bool(form.get("Forwarded") or form.get("FrequentlyForwarded")),',
    ),
    "the_end_of_a_conversation_is_a_notice": Planted(
        "apple", "apple.events", '    "close": _close,', '    "close": _notice,'
    ),
    "a_file_is_not_decrypted": Planted(
        "apple",
        "apple.connector",
        "auth=False), decrypt=decrypt, size=ref.size)",
        "auth=False), size=ref.size)",
    ),
    "the_former_id_of_a_person_is_lost": Planted(
        "web",
        "web.events",
        "Party(party.id, party.name, (former,))",
        "Party(party.id, party.name)",
    ),
    "the_offset_of_a_time_is_ignored": Planted(
        "web",
        "web.events",
        "time = datetime.fromisoformat(value)",
        'time = datetime.fromisoformat(f"{value[:19]}+00:00")',
    ),
    "an_unknown_type_is_a_text": Planted(
        "whatsapp",
        "whatsapp.content",
        "found = _READERS.get(type, _unsupported)(raw, account)",
        "found = _READERS.get(type, _text)(raw, account)",
    ),
    "messages_to_oneself_share_an_id": Planted(
        "instagram",
        "instagram.events",
        'id=f"self:{fingerprint(item)}"',
        'id=f"self:{page}"',
    ),
    "a_text_that_is_sent_is_pending": Planted(
        "twilio",
        "twilio.events",
        "    if status in PENDING:",
        '    if status in PENDING or status == "sent":',
    ),
    "a_password_is_a_bearer_token": Planted(
        "twilio",
        "twilio.connector",
        '{"authorization": f"Basic {pair.decode()}"}',
        '{"authorization": f"Bearer {pair.decode()}"}',
    ),
    "other_names_of_headers_are_not_tried": Planted(
        "apple",
        "apple.connector",
        'Call("GET", address, headers, expects=OTHER_NAMES_NEEDED)',
        'Call("GET", address, headers)',
    ),
    "a_message_is_read_by_our_own_id": Planted(
        "web",
        "web.connector",
        'self._report("read", to=to, message_id=client_id(message_id))',
        'self._report("read", to=to, message_id=message_id)',
    ),
}
