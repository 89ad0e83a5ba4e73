"""Tests of sending: a text is sent unchanged, and a second attempt makes the same call."""

import re
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from connectors.contract import Call, Text

from .run_flow import first_call
from .subject import TEXT, TYPING, Subject

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
#: Texts that careless quoting, trimming or templating would change.
TEXTS = (
    "Good morning",
    "two\nlines\n\nand a gap",
    " blanks at both ends ",
    "<b>no</b> & *no* _no_ `no` [no](no) \\n %s {0} $x",
    "“Größe” 🧺👩\u200d🔧 ﷽ 日本語",
    "0",
)


class SendingChecks(Subject):
    """Tests of `send_text`, `send_typing`, `mark_read` and `profile`."""

    def test_a_second_attempt_makes_the_same_call(self) -> None:
        again = type(self.connector)(self.connector.config)
        for text in (TEXT, replace(TEXT, key="msg_2", text="0", reply_to="message-1")):
            assert first_call(partial(again.send_text, text)) == self._call(text), (
                "a second attempt makes another call; derive ids from out.key, and use no clock or randomness"
            )

    def test_a_text_that_may_be_resent_carries_its_key(self) -> None:
        if not self.connector.resend_is_safe or not self.sends:
            return
        one, other = self._call(TEXT), self._call(replace(TEXT, key="msg_2"))
        assert one != other, "resend_is_safe is True, but the call does not contain the key"

    @pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
    def test_a_text_is_sent_unchanged(self, text: str) -> None:
        if self.sends:
            call = self._call(replace(TEXT, text=text))
            assert text in values_of(call), "the call does not contain the text unchanged"

    def test_the_longest_text_is_sent_whole(self) -> None:
        if self.sends:
            text = "x" * (self.connector.capabilities.max_text - 1) + "!"
            assert text in values_of(self._call(replace(TEXT, text=text))), (
                "the longest text is not sent whole; lower max_text instead of cutting texts"
            )

    def test_a_text_names_its_recipient(self) -> None:
        if self.sends:
            one, other = self._call(TEXT), self._call(replace(TEXT, to="consumer-2"))
            assert one is None or one != other, "the call does not name the recipient"

    def test_mark_read_names_the_message_or_its_sender(self) -> None:
        if self.connector.capabilities.support("mark_read") == "no":
            return
        call = first_call(lambda: self.connector.mark_read("", TEXT.to, "message-1"))
        assert call is not None, "mark_read makes no call"
        assert any(word in repr(call) for word in (TEXT.to, "message-1")), (
            "the call of mark_read names neither the message nor the consumer"
        )

    def test_ids_of_calls_are_used_once(self) -> None:
        """Platforms ignore a call whose id they have seen."""
        connector, offers = self.connector, self.connector.capabilities.support
        flows = {
            "send_text": lambda one: connector.send_text(replace(TEXT, key=f"msg_{one}")),
            "send_typing": lambda one: connector.send_typing(replace(TYPING, key=f"typing_{one}")),
            "mark_read": lambda one: connector.mark_read("", TEXT.to, f"message-{one}"),
        }
        for name, flow in flows.items():
            if offers(name) == "no":  # type: ignore[arg-type]  # the names of flows are those of features
                continue
            one, other = (_ids(first_call(partial(flow, at))) for at in (1, 2))
            same = sorted((one & other) - _ids(self.connector.config.model_dump(mode="json")))
            assert not same, (
                f"{name} uses the id {same[0]} in two calls, and the platform ignores the second; derive it from the"
                " key or the message too"
            )

    def test_send_typing_names_the_message_or_its_sender(self) -> None:
        if self.connector.capabilities.support("send_typing") == "no":
            return
        call = first_call(partial(self.connector.send_typing, TYPING))
        assert call is not None, "send_typing makes no call"
        assert any(word in repr(call) for word in (TEXT.to, "message-1")), (
            "the call of send_typing names neither the message nor the consumer"
        )

    def test_profile_names_the_consumer(self) -> None:
        call = first_call(lambda: self.connector.profile("", TEXT.to))
        assert call is None or TEXT.to in repr(call), (
            "the call of profile does not name the consumer"
        )

    # helpers ----------------------------------------------------------------------------------------

    @property
    def sends(self) -> bool:
        """Whether the first call of `send_text` sends the text. Exchanges test longer flows."""
        if self.connector.capabilities.support("send_text") == "no":
            return False
        call = self._call(TEXT)
        return call is not None and call.method != "GET"

    def _call(self, text: Text) -> Call | None:
        return first_call(partial(self.connector.send_text, text))


def _ids(value: Any) -> set[str]:
    """The UUIDs in a call or in settings."""
    return set(_UUID.findall(repr(value)))


def values_of(call: Call | None) -> set[Any]:
    """All values in the content of a call."""
    assert call is not None, "send_text makes no call"
    values = set(_leaves(call.json)) | set((call.form or {}).values())
    if call.body is not None:
        values |= {call.body.decode(errors="replace")}
    return values


def _leaves(value: Any) -> list[Any]:
    match value:
        case dict():
            return [leaf for inner in value.values() for leaf in _leaves(inner)]
        case list() | tuple():
            return [leaf for inner in value for leaf in _leaves(inner)]
        case _:
            return [value]
