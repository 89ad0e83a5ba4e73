"""Planted bugs of different kinds in the built-in connectors. The kit finds each of them.

`scripts/mutate_connectors.py` runs thousands, and `scripts/planted_bugs.py` all of `bugs.py`.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.conformance import Conformance

from .bugs import PLANTED
from .kit_run import failing, failures
from .planting import planted
from .rerecorded import rerecorded
from .test_conformance import TestApple as Apple
from .test_conformance import TestMessenger as Messenger
from .test_conformance import TestTwilio as Twilio
from .test_conformance import TestWhatsApp as WhatsApp


@dataclass(frozen=True)
class Bug:
    """`module` reads `after` in place of `before`, and `test` of the kit must fail."""

    suite: type[Conformance]
    module: str
    before: str
    after: str
    test: str


BUGS = {
    "the_signature_is_compared_with_==": Bug(
        Messenger,
        "meta",
        "if not matches_any((_mac(secret, request.body) for secret in secrets), given):",
        "if given not in [_mac(secret, request.body) for secret in secrets]:",
        "test_verify_compares_in_constant_time",
    ),
    "only_the_first_secret_is_tried": Bug(
        WhatsApp,
        "meta",
        "secrets = revealed(self.config.app_secrets)",
        "secrets = revealed(self.config.app_secrets[:1])",
        "test_verify_accepts_a_genuine_request",
    ),
    "the_body_is_stripped_before_it_is_verified": Bug(
        Messenger,
        "meta",
        "return hmac.new(secret.encode(), message, sha256)",
        "return hmac.new(secret.encode(), message.strip(), sha256)",
        "test_verify_rejects_a_change_to_anything_it_covers",
    ),
    "an_expired_token_stays_valid": Bug(
        Apple,
        "jwt",
        "if not now < expires:",
        "if expires < 0:",
        "test_verify_rejects_every_platform_specific_forgery",
    ),
    "one_bad_thread_loses_the_whole_history": Bug(
        WhatsApp,
        "whatsapp.coexistence",
        "return open_each(lambda thread: _thread(thread, change), threads)",
        "return [event for thread in threads for event in _thread(thread, change)]",
        "test_a_bad_entry_does_not_affect_its_neighbours",
    ),
    "two_statuses_share_one_id": Bug(
        WhatsApp,
        "whatsapp.statuses",
        '"id": f"status:{id}:{word}"',
        '"id": f"status:{id}"',
        "test_every_event_has_an_id_of_its_own",
    ),
    "invalid_content_raises": Bug(
        Apple,
        "apple.connector",
        "return read_each(lambda raw: read_message(raw, delivery.headers), [delivery.content])",
        "return [read_message(delivery.content, delivery.headers)]",
        "test_parse_turns_invalid_content_into_one_unknown_event",
    ),
    "our_token_is_sent_to_the_cdn": Bug(
        Messenger,
        "messenger_platform.connector",
        'Call("GET", ref.locator["url"], auth=False)',
        'Call("GET", ref.locator["url"])',
        "test_recorded_exchanges_send_credentials_only_to_declared_hosts",
    ),
    "an_empty_reply_counts_as_sent": Bug(
        Messenger,
        "messenger_platform.connector",
        'case {"message_id": str(id)}:\n                return Sent(id)\n        raise self.named(self.refusal(reply), out.account)',
        'case _:\n                return Sent(str((reply.content or {}).get("message_id", "")))',
        "test_flows_refuse_a_nonsensical_reply",
    ),
    "each_attempt_sends_a_new_id": Bug(
        Apple,
        "apple.connector",
        "str(uuid.uuid5(NAMESPACE, key))",
        "str(uuid.uuid4())",
        "test_a_second_attempt_makes_the_same_call",
    ),
    # refusals
    "an_unlisted_code_blames_the_text": Bug(
        WhatsApp,
        "meta",
        "verdict = verdict_on(error, self.codes, self.vague)",
        'verdict = verdict_on(error, self.codes, self.vague) or Verdict("invalid")',
        "test_an_unlisted_code_blames_nobody",
    ),
    "code_100_ends_a_file": Bug(
        WhatsApp,
        "meta",
        "verdict = verdict_on(error, self.codes, self.vague)",
        'verdict = verdict_on(error, self.codes, self.vague) or Verdict("gone")',
        "test_an_unlisted_code_blames_nobody",
    ),
    "metas_code_is_lost": Bug(
        Messenger,
        "meta",
        "error.detail, code=error.code)",
        "error.detail)",
        "test_refusal_shows_the_platforms_code",
    ),
    "twilios_code_is_lost": Bug(
        Twilio,
        "twilio.connector",
        "code=str(code) if code else None",
        "code=None",
        "test_refusal_shows_the_platforms_code",
    ),
    "twilios_words_are_lost": Bug(
        Twilio,
        "twilio.connector",
        "words(code, *said)",
        '"HTTP " + str(reply.status)',
        "test_refusal_passes_on_the_platforms_words",
    ),
    "apples_words_are_lost": Bug(
        Apple,
        "apple.connector",
        "REFUSALS.get((reply.purpose, reply.status)))",
        'REFUSALS.get((reply.purpose, reply.status)), "HTTP")',
        "test_refusal_passes_on_the_platforms_words",
    ),
    "a_server_error_counts_as_explained": Bug(
        Apple,
        "apple.connector",
        "REFUSALS.get((reply.purpose, reply.status)))",
        'REFUSALS.get((reply.purpose, reply.status), Verdict("temporary", True)))',
        "test_a_refusal_without_a_code_is_not_explained",
    ),
}


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_the_kit_finds_a_planted_bug(bug: Bug) -> None:
    assert not failing(bug.suite, [bug.test]), "fails without the bug"
    assert failing(planted(bug.suite, bug.module, bug.before, bug.after), [bug.test])


SUITES = {"apple": Apple, "messenger": Messenger, "twilio": Twilio, "whatsapp": WhatsApp}
#: Bugs that the kit finds although the author recorded with the bug in, and the tests that find them.
RECORDED = {
    "a_reply_is_not_named": "test_a_quoted_message_is_named",
    "latitude_and_longitude_are_exchanged": "test_a_location_is_where_the_delivery_says",
    "read_counts_as_delivered": "test_a_receipt_has_the_state_that_is_reported",
    "an_echo_becomes_a_message": "test_a_message_comes_from_its_sender",
    "a_deletion_becomes_a_message": "test_an_event_agrees_with_its_name",
    "a_watermark_loses_its_fraction": "test_a_time_is_one_of_the_deliverys_times",
    "to_and_from_are_exchanged": "test_a_message_comes_from_its_sender",
    "our_password_goes_to_any_host": "test_a_foreign_host_gets_no_credentials",
    "a_token_for_others_is_accepted": "test_verify_checks_every_claim_that_it_reads",
    "the_app_of_an_echo_is_lost": "test_the_app_of_an_echo_is_named",
    "the_first_account_sends_everything": "test_each_account_sends_its_own_texts",
    "the_language_is_lost": "test_the_language_of_a_person_reaches_an_event",
    "our_key_is_lost": "test_our_key_comes_back_with_a_status",
    "no_status_is_asked_for": "test_a_text_asks_for_its_status",
    "a_text_quotes_its_own_key": "test_a_quoting_text_names_the_quoted_message",
    "the_type_of_a_file_is_ignored": "test_what_a_reply_claims_of_a_file_is_passed_on",
    "everybody_has_the_first_name": "test_a_name_belongs_to_its_person",
    "a_text_that_failed_at_once_is_sent": "test_an_exchange_ends_as_its_replies_or_its_note_say",
    "the_end_of_a_conversation_is_a_notice": "test_an_end_is_an_end",
    "a_file_is_not_decrypted": "test_every_part_of_a_locator_is_used",
    "a_token_is_made_once_a_month": "test_authorize_goes_by_the_time_it_is_given",
}


@pytest.mark.parametrize(("name", "test"), RECORDED.items(), ids=RECORDED)
def test_the_kit_finds_a_bug_that_was_recorded(name: str, test: str, tmp_path: Path) -> None:
    bug = PLANTED[name]
    sound = SUITES[bug.platform]
    assert not failing(sound, [test]), "fails without the bug"
    flawed = rerecorded(planted(sound, bug.module, bug.before, bug.after), tmp_path)
    assert not failing(flawed, ["test_parse_returns_the_recorded_events"]), "is not recorded"
    (line,) = failures(flawed, [test]).values()
    assert "\n" not in line
    assert ";" in line, "the line does not say what to do"
