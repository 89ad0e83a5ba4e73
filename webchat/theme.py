"""The colours of a site's chat, and whether they can be read (WCAG 2.2, 1.4.3)."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

#: The contrast that text needs.
LEAST_CONTRAST = 4.5
_STEPS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Eight custom properties of the page. Colours are `#rrggbb`, `radius` is in pixels.

    The brand's colours and the radius hold in light and dark. In dark, the page has its own backgrounds and inks.
    """

    brand: str = "#1b6456"
    on_brand: str = "#ffffff"
    canvas: str = "#ffffff"
    surface: str = "#f1f2f0"
    ink: str = "#1c1f21"
    ink_soft: str = "#565c61"
    bad: str = "#a32a24"
    radius: int = 20

    def css(self) -> str:
        """Return the rules that differ from the page's own; empty if none does."""
        always = self._rules("brand", "on_brand", "radius")
        light = self._rules("canvas", "surface", "ink", "ink_soft", "bad")
        rules = [f":root {{ {always} }}"] if always else []
        if light:
            rules.append(f"@media not (prefers-color-scheme: dark) {{ :root {{ {light} }} }}")
        return "\n".join(rules)

    def unreadable(self) -> Iterator[str]:
        """Describe each pair that is hard to read, and the nearest colour that can be read. The name comes first."""
        for name, other in _PAIRS:
            colour, beside = getattr(self, name), getattr(self, other)
            if (found := contrast(colour, beside)) < LEAST_CONTRAST:
                nearest = nearest_readable(colour, beside)
                yield (
                    f"{name}: {colour} beside {other} {beside} has a contrast of {found:.1f}:1, and text needs "
                    f"{LEAST_CONTRAST}:1; the nearest colour that has it is {nearest}"
                )

    def _rules(self, *names: str) -> str:
        own = [name for name in names if getattr(self, name) != _DEFAULTS[name]]
        return " ".join(f"--{name.replace('_', '-')}: {self._value(name)};" for name in own)

    def _value(self, name: str) -> str:
        return f"{self.radius}px" if name == "radius" else str(getattr(self, name))


_DEFAULTS = {field.name: field.default for field in fields(Theme)}
#: What is written in the first colour on the second. The brand's colour is that of buttons' words, too.
_PAIRS = (
    ("brand", "on_brand"),
    ("brand", "canvas"),
    ("ink", "canvas"),
    ("ink", "surface"),
    ("ink_soft", "canvas"),
    ("bad", "canvas"),
)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours: 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def nearest_readable(colour: str, beside: str) -> str:
    """Return the colour with the least black or white in it that can be read beside another."""
    for step in range(1, _STEPS + 1):
        for target in (0, 255):
            mixed = _mix(colour, target, step / _STEPS)
            if contrast(mixed, beside) >= LEAST_CONTRAST:
                return mixed
    return colour


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(value / 255) for value in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _mix(colour: str, target: int, share: float) -> str:
    mixed = (round(value + (target - value) * share) for value in _channels(colour))
    return "#" + "".join(f"{value:02x}" for value in mixed)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
