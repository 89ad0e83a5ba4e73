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
    "proofs are compared with ==": (
        Messenger,
        "meta",
        "if not matches_any((_mac(secret, request.body) for secret in secrets), given):",
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
    "tokens choose their own algorithm": (
        Apple,
        "apple.token",
        "algorithms=[_ALGORITHM], audience",
        'algorithms=["HS256", "HS512"], audience',
        "a_forgery_of_its_own_kind_is_refused",
    ),
    "one bad message costs the whole change": (
        WhatsApp,
        "whatsapp.events",
        "*read_each(lambda raw: _message(raw, account, people), ",
        "*(_message(raw, account, people) for raw in ",
        "a_poisoned_entry_costs_its_neighbours_nothing",
    ),
    "two statuses have one id": (
        WhatsApp,
        "whatsapp.events",
        '"id": f"status:{id}:{word}"',
        '"id": f"status:{id}"',
        "events_are_told_apart",
    ),
    "a delivery that is none escapes": (
        Apple,
        "apple.connector",
        "return read_each(read_message, [delivery.content])",
        "return [read_message(delivery.content)]",
        "what_is_no_delivery_costs_an_unknown",
    ),
    "our token goes to the content network": (
        Messenger,
        "messenger.connector",
        'Call("GET", ref.locator["url"], auth=False)',
        'Call("GET", ref.locator["url"])',
        "an_exchange_keeps_credentials_home",
    ),
    "an answer is believed unread": (
        Messenger,
        "messenger.connector",
        'case {"message_id": str(id)}:\n                return Sent(id)\n        raise self.refusal(reply)',
        'case _:\n                return Sent(str((reply.content or {}).get("message_id", "")))',
        "an_answer_that_makes_no_sense_is_a_refusal",
    ),
    "each attempt has an id of its own": (
        Apple,
        "apple.connector",
        "str(uuid.uuid5(NAMESPACE, key))",
        "str(uuid.uuid4())",
        "a_second_attempt_is_the_same_as_the_first",
    ),
}


@pytest.mark.parametrize("bug", BUGS.values(), ids=[name.replace(" ", "_") for name in BUGS])
def test_a_planted_bug_is_found(bug: Bug) -> None:
    sound, module, before, after, promise = bug
    assert not broken(sound, [f"test_{promise}"]), "found without having been planted"
    assert broken(planted(sound, module, before, after), [f"test_{promise}"]), "overlooked"
