"""Which troubles with a file are worth another try, when, and how often."""

import random
from dataclasses import dataclass

from gateway.backoff import delay

#: Reasons that get a fixed number of tries, with the seconds before each. After the last one the
#: attachment ends with that reason, and a retry by hand starts anew.
_FEW: dict[str, tuple[float, ...]] = {
    "gone": (1, 3, 10, 30),  # some platforms answer 404 for a while after their own webhook
    "expired": (0.5, 3, 10),  # a fresh address is asked for each time
    "unauthorized": (2, 10),  # a token may be about to be replaced
    "checksum_mismatch": (1,),
    "decoder_crashed": (1,),
    "blocked_host": (),
}

#: Whoever keeps failing with wrong credentials is shut out, so platforms want long pauses here. An
#: agent is told instead, soon, and a retry by hand follows when the credentials have been mended.
_IGNORE_RETRY_AFTER = frozenset({"unauthorized"})


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after this many seconds."""

    after: float


def next_try(
    reason: str,
    *,
    attempts: int,
    retry_after: float | None,
    age: float,
    patience: float,
    local: bool = False,
) -> Retry | None:
    """What follows failed attempt number `attempts` + 1: a retry, or None to end with `reason`.

    `retry_after` is what the platform wants us to wait (Retry-After); `age` is how long ago the message came and
    `patience` how long this platform keeps the file, all in seconds. `local`: the trouble is in our own
    house, where looking often costs nobody anything.
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
