"""Tests of the limits for texts, of each account that the recordings show."""

from dataclasses import replace
from functools import partial

import orjson

from connectors.capabilities import TextLimits
from normalizer.events import MAX_EXTRA

from .run_flow import first_call
from .sending import SendingChecks, values_of
from .subject import TEXT


class LimitChecks(SendingChecks):
    """Tests of `limits`."""

    def test_limits_are_valid_for_every_account(self) -> None:
        sends = self.connector.capabilities.support("send_text") != "no"
        for account in self._accounts():
            found = self.connector.limits(account)
            assert isinstance(found, TextLimits), f"limits({account!r}) is not a TextLimits"
            assert found == self.connector.limits(account), f"limits({account!r}) change"
            assert (found.max_text > 0) == sends, (
                f"limits({account!r}) allow {found.max_text} characters, but the chart says otherwise"
            )
            for name in ("reply_window", "texts_per_second"):
                value = getattr(found, name)
                assert value is None or value > 0, (
                    f"limits({account!r}).{name} is {value}; None stands for no limit"
                )

    def test_the_longest_text_of_an_account_is_sent_whole(self) -> None:
        if not self.sends:
            return
        for account in self._accounts():
            text = "x" * (self.connector.limits(account).max_text - 1) + "!"
            out = replace(TEXT, account=account, text=text)
            call = first_call(partial(self.connector.send_text, out))
            assert call is None or text in values_of(call), (
                f"a text of {len(text)} characters from {account!r} is not sent whole; lower limits(account).max_text"
            )

    def test_extra_is_small(self) -> None:
        for recording in self.recorded:
            for event in self.parsed(recording):
                size = len(orjson.dumps(getattr(event, "extra", None)))
                assert size <= MAX_EXTRA, (
                    f"{recording.name}: extra has {size} bytes, but only {MAX_EXTRA} are passed on; keep what the core"
                    " can use"
                )

    def _accounts(self) -> list[str]:
        """The accounts in the recordings, and that of the tests."""
        events = [event for one in self.recorded for event in self.parsed(one)]
        return sorted({TEXT.account, *(event.account for event in events if event.account)})
