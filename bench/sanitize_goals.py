"""Goals of the sanitizing step, and the results."""

from bench.report import table

Times = dict[str, float]

_AT_MOST = {
    ("12 MP sRGB", 4096): 1.6,
    ("12 MP sRGB", 2560): 1.5,
    ("12 MP Display P3, turned", 4096): 2.8,
    ("12 MP Display P3, turned", 2560): 2.8,
    ("2 MP sRGB", 4096): 1.15,
    ("0.3 MP sRGB", 4096): 1.5,
}
_FASTER = {
    "12 MP sRGB": {"naive Pillow": 3.0, "pyvips": 1.3, "vipsthumbnail": 3.0},
    "0.3 MP sRGB": {"naive Pillow": 1.0},
}
_HEIC, _VIDEO = 1.2, 0.5
_REFUSED, _READY, _MEMORY = 0.010, 0.5, 256 << 20


class Goals:
    """Table of goals and results, collected line by line."""

    def __init__(self) -> None:
        self._rows: list[list[str]] = []
        self._refused = self._ready = 0.0
        self._memory = 0

    def table(self) -> str:
        worst = [
            self._line("slowest refusal of a hostile file", self._refused, _REFUSED, 1e3, " ms"),
            self._line("slowest hostile file that is ready", self._ready, _READY, 1e3, " ms"),
            self._line("largest sandbox of a hostile file", self._memory, _MEMORY, 2**-20, " MiB"),
        ]
        return table(["", "goal", "reached", ""], [*self._rows, *worst])

    def photo(self, name: str, side: int, seconds: Times) -> None:
        most = _AT_MOST.get((name, side))
        if most:
            self._at_most(
                f"{name} ÷ floor, preview {side}", seconds["ours"] / seconds["floor"], most
            )
        for rival, least in _FASTER.get(name, {}).items():
            if rival in seconds:
                what = f"{name}: {rival} ÷ ours, preview {side}"
                self._at_least(what, seconds[rival] / seconds["ours"], least)

    def heic(self, side: int, seconds: Times) -> None:
        ratio = seconds["ours"] / seconds["floor"]
        self._at_most(f"12 MP HEIC ÷ decoding alone, preview {side}", ratio, _HEIC)

    def video(self, name: str, seconds: Times) -> None:
        if "ffmpeg" in seconds:
            self._at_most(
                f"{name} ÷ two runs of ffmpeg", seconds["ours"] / seconds["ffmpeg"], _VIDEO
            )

    def sandbox(
        self, empty: float, small: float, share: float, deadline: float, scaling: float
    ) -> None:
        """Add results in seconds; `share` is relative to the time of a 12 MP photo, `scaling` to one sandbox."""
        self._at_most("sandbox: an empty job", empty, 0.0005, 1e3, " ms")
        self._at_most("sandbox: added to a photo of 0.3 MP", small, 0.002, 1e3, " ms")
        self._at_most("sandbox: added to a photo of 12 MP", share, 0.25, 100, " %")
        self._at_most("sandbox: error after a deadline", deadline, 0.010, 1e3, " ms")
        self._at_least("two sandboxes against one", scaling, 1.85)

    def hostile(self, outcome: str, took: float, memory: int) -> None:
        if outcome == "ready":
            self._ready = max(self._ready, took)
        else:
            self._refused = max(self._refused, took)
        self._memory = max(self._memory, memory)

    def ceilings(self, within: float, encodes: float) -> None:
        self._at_least("pictures within their byte limits", within, 1.0, 100, " %")
        self._at_most("encodes for each file of a photo", encodes, 1.05)

    def scan(self, ratio: float) -> None:
        self._at_most("scanning 23 MB ÷ what clamd computes", ratio, 1.25)

    def _at_most(
        self, what: str, value: float, most: float, factor: float = 1, unit: str = ""
    ) -> None:
        self._rows.append(self._line(what, value, most, factor, unit))

    def _at_least(
        self, what: str, value: float, least: float, factor: float = 1, unit: str = ""
    ) -> None:
        self._rows.append(self._line(what, value, least, factor, unit, most=False))

    def _line(
        self,
        what: str,
        value: float,
        goal: float,
        factor: float,
        unit: str,
        *,
        most: bool = True,
    ) -> list[str]:
        reached = value <= goal if most else value >= goal
        sign = "≤" if most else "≥"
        digits = 0 if factor * goal >= 50 else 2
        return [
            what,
            f"{sign} {goal * factor:.{digits}f}{unit}",
            f"{value * factor:.{digits}f}{unit}",
            "" if reached else "missed",
        ]
