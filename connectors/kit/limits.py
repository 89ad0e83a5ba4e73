"""Tests of the limits for texts, of each account that the recordings show."""

from dataclasses import replace
from functools import partial

import orjson

from connectors.capabilities import TextLimits
from normalizer.events import MAX_EXTRA

from .run_flow import first_call
from .sending import SendingChecks, values_of
from .subject import TEXT

#: The least that a limit can be, and what it counts. The smallest MMS has 30 KB.
_LEAST = {"max_bytes": 10_000, "max_count": 1}
_UNITS = {"max_bytes": "bytes", "max_count": "files"}
_MINUTE, _YEAR = 60, 366 * 86_400


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

    def test_quantities_are_in_the_units_of_the_contract(self) -> None:
        """Sizes in bytes, times in seconds: a size in megabytes or a window in hours makes all else too large."""
        chart = self.connector.capabilities
        for feature, limit in chart.limits.items():
            for name, least in _LEAST.items():
                value = getattr(limit, name)
                assert value is None or value >= least, (
                    f"limits[{feature!r}].{name} is {value}; {name} counts {_UNITS[name]}, as in max_bytes=5_000_000"
                )
        patience = self.connector.media_patience
        for name, seconds in (("reply_window", chart.reply_window), ("media_patience", patience)):
            known = seconds is None or _MINUTE <= seconds <= _YEAR
            assert known, f"{name} is {seconds}; it is in seconds: a day is 86_400.0"

    def test_no_recorded_file_is_larger_than_its_limit(self) -> None:
        limits = self.connector.capabilities.limits
        for recording in self.recorded:
            for event in self.parsed(recording):
                for found in getattr(event, "attachments", ()):
                    limit = limits.get(found.kind)
                    size = found.media.size if found.media else None
                    fits = (
                        limit is None or limit.max_bytes is None or (size or 0) <= limit.max_bytes
                    )
                    assert fits, (
                        f"{recording.name}: a {found.kind} has {size} bytes, but the chart says that at most"
                        f" {limit.max_bytes if limit else 0} are possible; correct `limits`, or the size"
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
