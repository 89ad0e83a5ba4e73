"""Who is reading or typing in which conversation, as the pages report it. Kept in memory only."""

from collections.abc import Callable
from typing import Literal

Doing = Literal["reading", "typing"]

#: Milliseconds after which a page that no longer reports counts as closed. Pages report every 20 seconds.
LIFETIME = 45_000

#: What an agent does in each conversation.
Seen = dict[str, dict[str, Doing]]


class Presence:
    """`announce` wakes the live updates after a change."""

    def __init__(self, announce: Callable[[], None]) -> None:
        self._announce = announce
        self._reports: dict[tuple[str, str], tuple[Doing, int]] = {}

    def report(self, conversation: str, agent: str, doing: Doing | None, now: int) -> None:
        """Record what an agent does in a conversation; None if the agent has left it."""
        key = (conversation, agent)
        before = self._reports.pop(key, None)
        if doing is not None:
            self._reports[key] = (doing, now + LIFETIME)
        if doing != (before and before[0]):
            self._announce()

    def of_others(self, agent: str, now: int) -> Seen:
        """Return what the other agents do."""
        self._reports = {key: one for key, one in self._reports.items() if one[1] > now}
        seen: Seen = {}
        for (conversation, other), (doing, _) in sorted(self._reports.items()):
            if other != agent:
                seen.setdefault(conversation, {})[other] = doing
        return seen
