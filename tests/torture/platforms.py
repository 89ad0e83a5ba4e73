"""The emulated platforms as they are on a bad day: deliveries come again, and files misbehave."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator import PLATFORMS, Delivered, Fault, Hosted, Platform, Sample, photo, video

#: Deliveries that may come once more.
_MAX_REPEATABLE = 40


@dataclass(frozen=True, slots=True)
class Posted:
    """A delivery as it was made, to be made again."""

    body: bytes
    headers: Mapping[str, str]
    ids: tuple[str, ...]
    url: str | None


@dataclass(frozen=True, slots=True)
class HostFault:
    """How a host misbehaves, how often, and whether the file is lost by that."""

    weight: int
    fault: dict[str, Any]
    lost: bool = False
    #: Platforms of which a file that is not there is not there for ever.
    not_on: frozenset[str] = frozenset()


#: What consumers send, and what must become of it.
PHOTOS = tuple(photo(width=320, height=240, seed=seed, name=f"IMG_{seed}.JPG") for seed in range(4))
VIDEO = video("washer", 1.0, 160, 120, seed=5, name="film.mp4")
NOT_AN_IMAGE = Sample("page.jpg", "image/jpeg", b"<html>no picture</html>" * 9)
CUT_OFF = Sample("half.jpg", "image/jpeg", PHOTOS[0].content[:400])
ENDS: Mapping[str, tuple[str, str | None]] = {
    **{sample.name: ("ready", None) for sample in (*PHOTOS, VIDEO)},
    NOT_AN_IMAGE.name: ("rejected", "unsupported_type"),
    CUT_OFF.name: ("rejected", "corrupt"),
}

#: What a file is that stays away. Some platforms give out addresses that expire: theirs is not the last word.
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
#: Ends as blocked_host until somebody presses retry: `Impatient` does.
BLOCKED = "blocked_host"
_UNTIL_RETRIED = (HostFault(4, {"redirect": "http://10.0.0.1/never", "times": 1}),)
#: Takes up to a minute to end.
_SLOW = (
    HostFault(2, {"hang": True, "times": 1}),
    HostFault(2, {"drip": True, "times": 1}),
    HostFault(2, {"status": 404}, lost=True),
)


class FaultyPlatform(Platform):
    """Mixed into an emulated platform. `hosted_now` are the files of the message being made."""

    dice: random.Random
    patient: bool

    def prepare(self, dice: random.Random, *, patient: bool, retried: bool) -> None:
        """`patient`: also with files that take long to end; `retried`: and with those that need a retry by hand."""
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
        """Deliver something once more that was accepted long ago."""
        if self.posted:
            repeated = self.dice.choice(self.posted)
            await super().post(repeated.body, repeated.headers, repeated.ids, url=repeated.url)


def faulty_platform(
    name: str, webhook: str, dice: random.Random, *, patient: bool, retried: bool = True
) -> FaultyPlatform:
    """The platform `name`, delivering to `webhook`."""
    made = type(f"Faulty{name}", (FaultyPlatform, PLATFORMS[name]), {})(webhook)
    assert isinstance(made, FaultyPlatform)
    made.prepare(dice, patient=patient, retried=retried)
    return made
