"""Flaws in `send_text`, `send_typing`, `mark_read` and `profile`."""

import html
import itertools
from collections.abc import Generator
from dataclasses import replace

from connectors import (
    Call,
    Capabilities,
    Reply,
    Sent,
    Text,
    Typing,
    offers,
)
from tests.connectors.sound import Acme

from .registry import fails

SendFlow = Generator[Call, Reply, Sent]

UNCHANGED = "a_text_is_sent_unchanged"


class ChangesTexts(Acme):
    def changed(self, out: Text) -> Text:
        return out

    def send_text(self, out: Text) -> SendFlow:
        return super().send_text(self.changed(out))


@fails(UNCHANGED)
class TrimsTexts(ChangesTexts):
    def changed(self, out: Text) -> Text:
        return replace(out, text=out.text.strip())


@fails(UNCHANGED)
class EscapesTexts(ChangesTexts):
    def changed(self, out: Text) -> Text:
        return replace(out, text=html.escape(out.text))


@fails("the_longest_text_is_sent_whole")
class TruncatesTexts(ChangesTexts):
    def changed(self, out: Text) -> Text:
        return replace(out, text=out.text[:80])


@fails("a_text_names_its_recipient")
class SendsToEverybody(ChangesTexts):
    def changed(self, out: Text) -> Text:
        return replace(out, to="everybody")


@fails("a_text_that_may_be_resent_carries_its_key")
class SendsWithoutAKey(ChangesTexts):
    def changed(self, out: Text) -> Text:
        return replace(out, key="")


@fails("a_second_attempt_makes_the_same_call")
class SendsWithANewKeyEachTime(ChangesTexts):
    numbers = itertools.count()

    def changed(self, out: Text) -> Text:
        return replace(out, key=f"{out.key}-{next(self.numbers)}")


@fails("mark_read_names_the_message_or_its_sender")
class MarksNoMessageAsRead(Acme):
    def mark_read(self, account: str, to: str, message_id: str) -> Generator[Call, Reply, None]:
        yield Call("POST", f"{self.config.api}/seen")


@fails("profile_names_the_consumer")
class LooksUpTheNameOfNobody(Acme):
    def profile(self, account: str, party: str) -> Generator[Call, Reply, str | None]:
        yield Call("GET", f"{self.config.api}/people")
        return None


@fails("flows_refuse_a_nonsensical_reply")
class ReturnsABlankName(Acme):
    def profile(self, account: str, party: str) -> Generator[Call, Reply, str | None]:
        yield Call("GET", f"{self.config.api}/people/{party}")
        return " "


@fails("send_typing_names_the_message_or_its_sender")
class ShowsTypingWithoutARecipient(Acme):
    capabilities = Capabilities(
        offers(
            yes=("text", "photo", "photo_caption", "read", "send_text", "send_typing", "mark_read")
        ),
        max_text=100,
    )

    def send_typing(self, out: Typing) -> Generator[Call, Reply, None]:
        yield Call("POST", f"{self.config.api}/typing")


@fails("flows_match_the_recorded_exchanges")
class ReportsSuccessWithoutACall(Acme):
    def send_text(self, out: Text) -> Sent:  # type: ignore[override]  # the flaw itself
        return Sent(out.key)
