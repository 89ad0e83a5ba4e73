"""The kit's conversation with an emulator: it finds mistakes that every recording shows as if they were right."""

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest

from connectors import (
    AnyEvent,
    Call,
    Delivery,
    Download,
    MediaRef,
    Message,
    Receipt,
    Rejected,
    Reply,
    Request,
    Sent,
    Text,
    Typing,
)
from connectors.apple import Apple
from connectors.conformance import Conformance
from connectors.messenger import Messenger

from .kit_run import TESTS, failures
from .test_conformance import TestApple as OfApple
from .test_conformance import TestMessenger as OfMessenger

#: The tests of the conversation.
EMULATED = [name for name in TESTS if "emulat" in name]


class TrimsWords(Messenger):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        found = super().parse(delivery)
        return [replace(e, text="x") if isinstance(e, Message) else e for e in found]


class ReadsOneFile(Messenger):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        found = super().parse(delivery)
        return [
            replace(e, attachments=e.attachments[:1]) if isinstance(e, Message) else e
            for e in found
        ]


class BelievesEverybody(Messenger):
    def verify(self, request: Request) -> None:
        del request


class FetchesTheCipher(Apple):
    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        return replace((yield from super().media(ref)), decrypt=None)


class GivesOurTokenAway(Messenger):
    def media(self, ref: MediaRef) -> Download:
        token = self.authorize(None)["authorization"]  # type: ignore[arg-type]  # the time does not matter
        return Download(Call("GET", ref.locator["url"], {"authorization": token}, auth=False))


class AnswersItself(Messenger):
    def send_text(self, out: Text) -> Generator[Call, Reply, Sent]:
        yield from super().send_text(out)
        return Sent(out.key)


class RetriesEverything(Messenger):
    def refusal(self, reply: Reply) -> Rejected:
        found = super().refusal(reply)
        found.retry = True
        return found


class ReadsNothing(Messenger):
    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        found = super().parse(delivery)
        return [replace(e, status="sent") if isinstance(e, Receipt) else e for e in found]


class NeverStopsTyping(Messenger):
    def send_typing(self, out: Typing) -> Generator[Call, Reply, None]:
        return super().send_typing(replace(out, on=True))


class MarksByTyping(Messenger):
    def mark_read(self, account: str, to: str, message_id: str) -> Generator[Call, Reply, None]:
        return super().send_typing(Typing("key", account, to, message_id))


class DoubtsTheAccount(Messenger):
    def check(self) -> Generator[Call, Reply, str]:
        yield from super().check()
        raise Rejected("unauthorized", operator=True)


@pytest.mark.parametrize(
    ("kind", "test"),
    [
        (TrimsWords, "test_an_emulated_message_is_read"),
        (ReadsOneFile, "test_emulated_files_are_fetched"),
        (BelievesEverybody, "test_an_emulated_forgery_is_refused"),
        (FetchesTheCipher, "test_emulated_files_are_fetched"),
        (GivesOurTokenAway, "test_emulated_files_are_fetched"),
        (AnswersItself, "test_a_text_arrives_at_the_emulator"),
        (RetriesEverything, "test_a_text_that_the_emulator_refuses_is_not_retried"),
        (ReadsNothing, "test_an_emulated_receipt_is_read"),
        (NeverStopsTyping, "test_an_action_arrives_at_the_emulator"),
        (MarksByTyping, "test_an_action_arrives_at_the_emulator"),
        (DoubtsTheAccount, "test_check_is_content_with_the_emulator"),
    ],
)
def test_a_mistake_shows_in_talking_to_the_emulator(kind: type[Any], test: str) -> None:
    suite: type[Conformance] = OfApple if issubclass(kind, Apple) else OfMessenger
    mistaken = type("Mistaken", (suite,), {"connector": kind(suite.connector.config)})
    said = failures(mistaken, EMULATED)
    assert test in said
    assert ";" in said[test], "the line does not say what to do"


def test_a_suite_without_an_emulator_passes() -> None:
    assert not failures(type("Alone", (OfMessenger,), {"emulator": None}), EMULATED)
