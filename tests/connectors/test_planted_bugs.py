"""The kit finds bugs that are planted in the four connectors, one line at a time."""

import pytest

from connectors.conformance import Conformance

from .planting import planted
from .test_conformance import TestApple as Apple
from .test_conformance import TestMessenger as Messenger
from .test_conformance import TestTwilio as Twilio
from .test_conformance import TestWhatsApp as WhatsApp
from .trials import broken

Bug = tuple[type[Conformance], str, str, str, str]

#: Where, what is said there, what is said instead, and the promise that is broken.
BUGS: dict[str, Bug] = {
    "a proof of the right length is enough": (
        WhatsApp,
        "meta",
        "if not any_same((_mac(secret, request.body) for secret in secrets), given):",
        "if not given:",
        "the_proof_missing_changed_or_cut_is_refused",
    ),
    "proofs are compared with ==": (
        Messenger,
        "meta",
        "if not any_same((_mac(secret, request.body) for secret in secrets), given):",
        "if given not in [_mac(secret, request.body) for secret in secrets]:",
        "comparing_takes_as_long_for_a_wrong_proof_as_for_a_right_one",
    ),
    "only the first secret counts": (
        WhatsApp,
        "meta",
        "secrets = revealed(self.config.app_secrets)",
        "secrets = revealed(self.config.app_secrets[:1])",
        "a_genuine_request_is_taken",
    ),
    "the body is stripped before it is proved": (
        Messenger,
        "meta",
        "return hmac.new(secret.encode(), message, sha256)",
        "return hmac.new(secret.encode(), message.strip(), sha256)",
        "what_the_proof_covers_cannot_be_changed",
    ),
    "the word of a handshake is not compared": (
        WhatsApp,
        "meta",
        'if not (same(request.query.get("hub.verify_token", ""), token) and asked):',
        "if not asked:",
        "a_handshake_with_the_wrong_word_is_not_answered",
    ),
    "the query is not proved": (
        Twilio,
        "twilio_signature",
        'bare = url.partition("#")[0]',
        'bare = url.partition("?")[0]',
        "what_the_proof_covers_cannot_be_changed",
    ),
    "a form that cannot be read escapes": (
        Twilio,
        "twilio",
        "except ValueError:",
        "except LookupError:",
        "a_body_of_garbage_never_makes_the_check_fall_over",
    ),
    "the clock is ours": (
        Apple,
        "apple_token",
        "_check_time(claims, at.timestamp(), max_age)",
        "_check_time(claims, __import__('time').time(), max_age)",
        "it_is_believed_at_any_time_of_its_own",
    ),
    "only the first message is read": (
        WhatsApp,
        "whatsapp_events",
        'listed(value, "messages")),',
        'listed(value, "messages")[:1]),',
        "a_poisoned_entry_costs_its_neighbours_nothing",
    ),
    "only the first change is read": (
        WhatsApp,
        "whatsapp",
        'entries(entry, "changes"))',
        'entries(entry, "changes")[:1])',
        "a_poisoned_entry_costs_its_neighbours_nothing",
    ),
    "only the first entry is read": (
        Messenger,
        "meta",
        'entries(content, "entry"))',
        'entries(content, "entry")[:1])',
        "a_poisoned_entry_costs_its_neighbours_nothing",
    ),
    "one bad message costs the whole change": (
        WhatsApp,
        "whatsapp_events",
        "*read_each(lambda raw: _message(raw, account, people), ",
        "*(_message(raw, account, people) for raw in ",
        "a_poisoned_entry_costs_its_neighbours_nothing",
    ),
    "what is on standby is dropped": (
        Messenger,
        "messenger",
        '*listed(entry, "standby")]',
        "]",
        "a_recording_means_what_was_recorded",
    ),
    "only the first file is read": (
        Twilio,
        "twilio_events",
        "for number in sorted(numbers)",
        "for number in sorted(numbers)[:1]",
        "a_recording_means_what_was_recorded",
    ),
    "captions are lost": (
        WhatsApp,
        "whatsapp_content",
        "return Content(caption or None, (Attachment(kind, ref),))",
        "return Content(None, (Attachment(kind, ref),))",
        "a_recording_means_what_was_recorded",
    ),
    "two statuses have one id": (
        WhatsApp,
        "whatsapp_events",
        '"id": f"status:{id}:{word}"',
        '"id": f"status:{id}"',
        "events_are_told_apart",
    ),
    "a deletion has the id of its message": (
        Messenger,
        "messenger_events",
        'id=f"deletion:{mid}"',
        "id=mid",
        "events_are_told_apart",
    ),
    "account and consumer are mixed up in echoes": (
        Messenger,
        "messenger_events",
        '"recipient" if echo else "sender"',
        '"sender"',
        "a_recording_means_what_was_recorded",
    ),
    "the delivery is changed while it is read": (
        WhatsApp,
        "whatsapp_events",
        '"party": _party(people, raw.get("from_user_id"), raw.get("from")),',
        '"party": _party(people, raw.pop("from_user_id", None), raw.get("from")),',
        "reading_twice_is_reading_once",
    ),
    "the time is now": (
        Messenger,
        "messenger_events",
        'moment(item["timestamp"])',
        "__import__('datetime').datetime.now(__import__('datetime').UTC)",
        "reading_twice_is_reading_once",
    ),
    "a delivery that is none escapes": (
        Apple,
        "apple",
        "return read_each(read_message, [delivery.content])",
        "return [read_message(delivery.content)]",
        "what_is_no_delivery_costs_an_unknown",
    ),
    "the end of a conversation is a notice": (
        Apple,
        "apple_events",
        '"close": _close',
        '"close": _notice',
        "a_recording_means_what_was_recorded",
    ),
    "the chart forgets echoes": (
        Messenger,
        "messenger",
        '"button", "echo", "delivered"',
        '"button", "delivered"',
        "its_chart_tells_what_its_recordings_show",
    ),
    "the chart promises edits": (
        Apple,
        "apple",
        '"button", "typing", "send_text"',
        '"button", "typing", "edit", "send_text"',
        "it_has_the_grade_it_claims",
    ),
    "our token goes to the content network": (
        Messenger,
        "messenger",
        'Call("GET", ref.locator["url"], auth=False)',
        'Call("GET", ref.locator["url"])',
        "an_exchange_keeps_credentials_home",
    ),
    "our password goes wherever a delivery says": (
        Twilio,
        "twilio",
        "if not is_ours(url, self._apis, self._accounts):",
        "if not url:",
        "an_exchange_keeps_credentials_home",
    ),
    "the host of the files is not declared": (
        WhatsApp,
        "whatsapp",
        'frozenset({"graph.facebook.com", "lookaside.fbsbx.com"})',
        'frozenset({"graph.facebook.com"})',
        "an_exchange_keeps_credentials_home",
    ),
    "the token is in the address": (
        WhatsApp,
        "meta",
        'query["appsecret_proof"] = appsecret_proof(',
        'query["access_token"] = token.get_secret_value() + appsecret_proof(',
        "credentials_go_only_where_they_belong",
    ),
    "a refusal tells the token": (
        Messenger,
        "meta",
        'told = f"HTTP {reply.status}, ',
        'told = f"{self.config.access_token.get_secret_value()} HTTP {reply.status}, ',
        "every_refusal_can_be_read",
    ),
    "an expired address is the end": (
        WhatsApp,
        "whatsapp",
        "for status in (401, 403, 404, 410)}",
        "for status in (418,)}",
        "an_exchange_goes_as_it_was_recorded",
    ),
    "a file that is not there yet is gone": (
        Apple,
        "apple",
        '("lookup", 404): NOT_YET,',
        "",
        "an_exchange_goes_as_it_was_recorded",
    ),
    "an encrypted file is left encrypted": (
        Apple,
        "apple",
        "decrypt=decrypt, size=ref.size",
        "size=ref.size",
        "an_exchange_goes_as_it_was_recorded",
    ),
    "an answer is believed unread": (
        Messenger,
        "messenger",
        'case {"message_id": str(id)}:\n                return Sent(id)\n        raise self.refusal(reply)',
        'case _:\n                return Sent(str((reply.content or {}).get("message_id", "")))',
        "an_answer_that_makes_no_sense_is_a_refusal",
    ),
    "a failure inside a success is a success": (
        Twilio,
        "twilio",
        ' if reply.content.get("error_code") is None:',
        ":",
        "an_exchange_goes_as_it_was_recorded",
    ),
    "each attempt has an id of its own": (
        Apple,
        "apple",
        "str(uuid.uuid5(NAMESPACE, key))",
        "str(uuid.uuid4())",
        "a_second_attempt_is_the_same_as_the_first",
    ),
    "the same words have the same id": (
        Apple,
        "apple",
        "id = _uuid(out.key)",
        "id = _uuid(out.text)",
        "a_key_tells_attempts_from_texts",
    ),
    "our key is not given away": (
        Messenger,
        "messenger",
        '{"text": out.text, "metadata": out.key}',
        '{"text": out.text}',
        "an_exchange_goes_as_it_was_recorded",
    ),
    "texts are trimmed": (
        Twilio,
        "twilio",
        '"Body": out.text,',
        '"Body": out.text.strip(),',
        "what_was_written_is_what_is_sent",
    ),
    "deliveries of other accounts are taken": (
        Twilio,
        "twilio",
        'if not self._accounts.issuperset(form.get("AccountSid", ())):',
        "if not self._accounts:",
        "what_is_proved_but_not_for_us_is_refused",
    ),
    "the business that is written to is not looked at": (
        Apple,
        "apple",
        'if request.headers.get("destination-id", "").lower() not in config.businesses:',
        "if not config.businesses:",
        "what_is_proved_but_not_for_us_is_refused",
    ),
    "our calls prove nothing": (
        WhatsApp,
        "meta",
        'return {"authorization": f"Bearer {self.config.access_token.get_secret_value()}"}',
        "return {}",
        "an_exchange_goes_as_it_was_recorded",
    ),
    "a handshake is answered with nothing": (
        Messenger,
        "meta",
        'return Response(body=request.query.get("hub.challenge", "").encode(errors="replace"))',
        "return Response()",
        "an_exchange_goes_as_it_was_recorded",
    ),
    "consumers are sent a text for each message": (
        Twilio,
        "twilio",
        'return Response(body=NO_ANSWER, media_type="text/xml")',
        'return Response(body=b"OK")',
        "an_exchange_goes_as_it_was_recorded",
    ),
    "a limited rate is the end": (
        Twilio,
        "twilio",
        "return judge(reply, known, ",
        'return judge(reply, known, "") if reply.status != 429 else Rejected("no", detail=',
        "what_passes_is_tried_again",
    ),
}


@pytest.mark.parametrize("bug", BUGS.values(), ids=[name.replace(" ", "_") for name in BUGS])
def test_a_planted_bug_is_found(bug: Bug) -> None:
    sound, module, before, after, promise = bug
    assert not broken(sound, [f"test_{promise}"]), "found without having been planted"
    assert broken(planted(sound, module, before, after), [f"test_{promise}"]), "overlooked"
