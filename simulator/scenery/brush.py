"""A brush that draws in units of its subject, independently of the picture's size."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Brush:
    """A brush for a square box on the ground: x and y run from 0 to 1, y downwards."""

    canvas: ImageDraw.ImageDraw
    left: float
    top: float
    side: float

    @classmethod
    def on(cls, picture: Image.Image, *, travelled: float) -> "Brush":
        width, height = picture.size
        side = 0.62 * min(width, height * 1.1)
        left = travelled * (width - side)
        return cls(ImageDraw.Draw(picture), left, 0.90 * height - side, side)

    def at(self, x: float, y: float) -> Point:
        return self.left + x * self.side, self.top + y * self.side

    def shape(self, points: Sequence[Point], fill: Colour) -> None:
        self.canvas.polygon([self.at(*point) for point in points], fill=fill)

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: Colour, r: float = 0) -> None:
        corners = (*self.at(x0, y0), *self.at(x1, y1))
        self.canvas.rounded_rectangle(corners, radius=r * self.side, fill=fill)

    def oval(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        self.canvas.ellipse((*self.at(x - rx, y - ry), *self.at(x + rx, y + ry)), fill=fill)

    def disc(self, x: float, y: float, radius: float, fill: Colour) -> None:
        self.oval(x, y, radius, radius, fill)

    def ring(self, x: float, y: float, radius: float, colour: Colour, thick: float) -> None:
        corners = (*self.at(x - radius, y - radius), *self.at(x + radius, y + radius))
        self.canvas.ellipse(corners, outline=colour, width=self._pixels(thick))

    def line(self, points: Sequence[Point], colour: Colour, thick: float) -> None:
        marks = [self.at(*point) for point in points]
        self.canvas.line(marks, fill=colour, width=self._pixels(thick), joint="curve")

    def _pixels(self, share: float) -> int:
        return max(1, round(share * self.side))
