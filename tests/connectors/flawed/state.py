"""Flaws that keep something between calls."""

import functools
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from connectors import AnyEvent, Message
from tests.connectors.sound import Acme

from .registry import fails

TOKENS: dict[str, Mapping[str, str]] = {}


@fails("authorize_goes_by_the_time_it_is_given")
class KeepsATokenInTheClass(Acme):
    known: ClassVar[list[datetime]] = []

    def authorize(self, now: datetime) -> Mapping[str, str]:
        self.known.append(now)
        return {"authorization": f"{len(self.known)} {self.known[0]:%s}"}


@fails("nothing_outside_a_function_is_changed")
class KeepsATokenInAModule(Acme):
    def authorize(self, now: datetime) -> Mapping[str, str]:
        return TOKENS.setdefault("token", super().authorize(now))


@fails("the_code_caches_nothing")
class CachesTokens(Acme):
    @functools.lru_cache  # noqa: B019 - the flaw itself
    def authorize(self, now: datetime) -> Mapping[str, str]:
        return super().authorize(now)


@fails("no_default_is_shared_between_calls")
class SharesADefault(Acme):
    def message(self, raw: Any, seen: list[AnyEvent] = []) -> Message:  # noqa: B006 - the flaw itself
        return super().message(raw)
