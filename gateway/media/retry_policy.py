"""Retry policy for attachments: which failures are retried, when, and how often."""

import random
from collections import Counter
from dataclasses import dataclass, field

from gateway.backoff import delay

#: Reasons with a fixed number of retries, and the seconds before each. After the last one the attachment ends with
#: the reason; a manual retry starts over.
_FEW: dict[str, tuple[float, ...]] = {
    "gone": (1, 3, 10, 30),  # some platforms answer 404 for a while after their own webhook
    "expired": (0.5, 3, 10),  # each attempt requests a new URL
    "unauthorized": (2, 10),  # the token may be about to be replaced
    "checksum_mismatch": (1,),
    "decoder_crashed": (1,),
    "blocked_host": (),
}

#: Platforms ask for long pauses after wrong credentials and block callers that keep failing. The attachment fails
#: soon instead, so that an agent sees it, and is retried manually once the credentials are fixed.
_IGNORE_RETRY_AFTER = frozenset({"unauthorized"})


@dataclass(frozen=True, slots=True)
class Retry:
    """Another attempt, after this many seconds."""

    after: float


@dataclass(slots=True)
class FailedTries:
    """The failed attempts of one file, counted for each reason.

    Otherwise, a disk that was full for a minute would leave no try for a platform that answers 404 once, or make the
    pause after a broken download as long as the one after ten of them.
    """

    _counts: Counter[str] = field(default_factory=Counter)

    def count(self, reason: str, *, recorded: int, local: bool = False) -> int:
        """Note a failed attempt, and return how many with the same cause preceded it.

        `recorded` are the attempts before this one that the journal knows. After a start, their reasons are unknown:
        they count, but leave one try.
        """
        cause = "local" if local else reason
        if not self._counts and recorded:
            pauses = _FEW.get(cause)
            self._counts[cause] = (
                recorded if pauses is None else min(recorded, max(0, len(pauses) - 1))
            )
        self._counts[cause] += 1
        return self._counts[cause] - 1


def next_try(
    reason: str,
    *,
    attempts: int,
    retry_after: float | None,
    age: float,
    patience: float,
    local: bool = False,
) -> Retry | None:
    """Return the retry that follows failed attempt number `attempts` + 1 of this cause; None to end with `reason`.

    All times are in seconds. `retry_after` is the pause that the platform asks for, `age` the time since the message
    arrived, and `patience` the time for which the platform keeps the file. `local` marks failures of the gateway's
    own scanner or disk, which can be retried often.
    """
    pauses = _FEW.get(reason)
    if pauses is not None:
        if attempts >= len(pauses):
            return None
        minimum = 0.0 if reason in _IGNORE_RETRY_AFTER else retry_after or 0.0
        wait = max(pauses[attempts] * random.uniform(1.0, 1.2), minimum)  # noqa: S311 - spreads load
    else:
        wait = max(
            delay(attempts + 1, base=1.0, ceiling=15.0 if local else 1800.0), retry_after or 0.0
        )
    return Retry(wait) if age + wait <= patience else None
