"""Emulated platforms with faults: deliveries are repeated, and hosts of files fail."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator import PLATFORMS, Delivered, Fault, Hosted, Platform, Sample, photo, video

#: Recent deliveries that may be repeated.
_MAX_REPEATABLE = 40


@dataclass(frozen=True, slots=True)
class Posted:
    """A delivery that can be repeated."""

    body: bytes
    headers: Mapping[str, str]
    ids: tuple[str, ...]
    url: str | None


@dataclass(frozen=True, slots=True)
class HostFault:
    """A fault of a media host, its frequency, and whether it makes the file unavailable."""

    weight: int
    fault: dict[str, Any]
    lost: bool = False
    #: Platforms on which a missing file counts as permanently missing.
    not_on: frozenset[str] = frozenset()


#: The files that consumers send, and their expected outcomes.
PHOTOS = tuple(photo(width=320, height=240, seed=seed, name=f"IMG_{seed}.JPG") for seed in range(4))
VIDEO = video("washer", 1.0, 160, 120, seed=5, name="video.mp4")
NOT_AN_IMAGE = Sample("page.jpg", "image/jpeg", b"<html>no picture</html>" * 9)
CUT_OFF = Sample("half.jpg", "image/jpeg", PHOTOS[0].content[:400])
ENDS: Mapping[str, tuple[str, str | None]] = {
    **{sample.name: ("ready", None) for sample in (*PHOTOS, VIDEO)},
    NOT_AN_IMAGE.name: ("rejected", "unsupported_type"),
    CUT_OFF.name: ("rejected", "corrupt"),
}

#: The outcome of a file that stays unavailable. On platforms with expiring URLs it counts as expired.
_LOST: Mapping[str, tuple[str, str]] = {
    "whatsapp": ("failed", "expired"),
    "apple": ("failed", "expired"),
    "messenger": ("failed", "gone"),
    "twilio": ("failed", "gone"),
}

_QUICK = (
    HostFault(60, {}),
    HostFault(12, {"status": 503, "times": 1}),
    HostFault(4, {"status": 503, "times": 2}),
    HostFault(8, {"truncate": True, "times": 1}),
    HostFault(4, {"status": 404, "times": 1}, not_on=frozenset({"messenger"})),
)
#: Ends as blocked_host until it is retried: `RetryingOperator` does that.
BLOCKED = "blocked_host"
_UNTIL_RETRIED = (HostFault(4, {"redirect": "http://10.0.0.1/never", "times": 1}),)
#: Takes up to a minute to end.
_SLOW = (
    HostFault(2, {"hang": True, "times": 1}),
    HostFault(2, {"drip": True, "times": 1}),
    HostFault(2, {"status": 404}, lost=True),
)


class FaultyPlatform(Platform):
    """A mixin for an emulated platform. `hosted_now` are the files of the current message."""

    dice: random.Random
    patient: bool

    def prepare(self, dice: random.Random, *, patient: bool, retried: bool) -> None:
        """Configure the faults. `patient` includes files that take long to end, `retried` those that need a manual retry."""
        self.dice = dice
        self.fault_kinds = _QUICK + (_SLOW if patient else ()) + (_UNTIL_RETRIED if retried else ())
        self.posted: list[Posted] = []
        self.hosted_now: list[Hosted] = []
        self.retries_for = 600.0

    def host(self, sample: Sample, key: str, content: bytes | None = None, **extra: Any) -> Hosted:
        hosted = super().host(sample, key, content, **extra)
        (fault_kind,) = self.dice.choices(self.fault_kinds, [m.weight for m in self.fault_kinds])
        if fault_kind.fault and self.name not in fault_kind.not_on:
            hosted.fault = Fault(**fault_kind.fault)
        hosted.extra["ends"] = _LOST[self.name] if fault_kind.lost else ENDS[sample.name]
        self.hosted_now.append(hosted)
        return hosted

    async def post(
        self,
        body: bytes,
        headers: Mapping[str, str],
        ids: Sequence[str],
        *,
        url: str | None = None,
        times: int = 1,
    ) -> list[Delivered]:
        delivered = await super().post(body, headers, ids, url=url, times=times)
        self.posted = [*self.posted[1 - _MAX_REPEATABLE :], Posted(body, headers, tuple(ids), url)]
        return delivered

    async def repeat(self) -> None:
        """Repeat an earlier delivery."""
        if self.posted:
            repeated = self.dice.choice(self.posted)
            await super().post(repeated.body, repeated.headers, repeated.ids, url=repeated.url)


def faulty_platform(
    name: str, webhook: str, dice: random.Random, *, patient: bool, retried: bool = True
) -> FaultyPlatform:
    """Return the platform `name`, delivering to `webhook`."""
    made = type(f"Faulty{name}", (FaultyPlatform, PLATFORMS[name]), {})(webhook)
    assert isinstance(made, FaultyPlatform)
    made.prepare(dice, patient=patient, retried=retried)
    return made
