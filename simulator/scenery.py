"""Draws the scenes that sample photos and videos show, from shapes and numbers alone."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Scene = Literal["parcel", "washer", "car", "bicycle"]
SCENES: tuple[Scene, ...] = ("parcel", "washer", "car", "bicycle")

Colour = tuple[int, int, int]
Point = tuple[float, float]

SMOOTHING = 2  # drawn this much larger, then reduced: soft edges
LARGEST_DRAWN = 1600  # longer sides are drawn at this size and enlarged

SKIES: tuple[tuple[Colour, Colour], ...] = (
    ((70, 130, 200), (252, 222, 178)),
    ((44, 104, 176), (196, 226, 240)),
    ((88, 86, 150), (250, 188, 150)),
    ((40, 120, 160), (222, 238, 214)),
)
WALLS: tuple[tuple[Colour, Colour], ...] = (
    ((232, 226, 214), (214, 204, 188)),
    ((206, 222, 226), (184, 204, 210)),
)
PAINTS: tuple[Colour, ...] = ((200, 54, 48), (32, 110, 160), (34, 128, 96), (222, 148, 34))


def drawn(scene: Scene, width: int, height: int, *, seed: int, moment: float = 0.0) -> Image.Image:
    """The scene upright, `moment` 0..1 through whatever moves in it. Never symmetrical."""
    shrink = min(1.0, LARGEST_DRAWN / max(width, height))
    smoothing = SMOOTHING if shrink == 1.0 else 1
    size = (round(width * shrink * smoothing), round(height * shrink * smoothing))
    picture = _backdrop(scene, *size, seed).copy()
    SUBJECTS[scene](Brush.on(picture, scene, moment), random.Random(seed), moment)
    return (
        picture
        if size == (width, height)
        else picture.resize((width, height), Image.Resampling.BICUBIC)
    )


@dataclass(frozen=True, slots=True)
class Brush:
    """Draws in a square box that stands on the ground: x and y from 0 to 1, y downwards."""

    canvas: ImageDraw.ImageDraw
    left: float
    top: float
    side: float

    @classmethod
    def on(cls, picture: Image.Image, scene: Scene, moment: float) -> "Brush":
        width, height = picture.size
        side = 0.62 * min(width, height * 1.1)
        travel = (0.10 + 0.34 * moment) if scene in MOVING else 0.18
        return cls(ImageDraw.Draw(picture), travel * (width - side), 0.90 * height - side, side)

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


@lru_cache(maxsize=8)
def _backdrop(scene: Scene, width: int, height: int, seed: int) -> Image.Image:
    chance = random.Random(seed)
    return (_room if scene in INDOORS else _landscape)(width, height, chance)


def _landscape(width: int, height: int, chance: random.Random) -> Image.Image:
    picture = _gradient(width, height, *chance.choice(SKIES))
    _sun(picture, chance)
    _clouds(picture, chance)
    canvas = ImageDraw.Draw(picture)
    for depth, colour in enumerate(((122, 150, 160), (92, 134, 116), (70, 118, 82))):
        canvas.polygon(_hill(width, height, depth, chance), fill=colour)
    canvas.rectangle((0, 0.80 * height, width, height), fill=(96, 96, 102))
    canvas.rectangle((0, 0.80 * height, width, 0.815 * height), fill=(206, 200, 184))
    for mark in range(-1, 9):
        start = (mark + 0.3) * width / 7
        canvas.rectangle(
            (start, 0.945 * height, start + width / 14, 0.957 * height), fill=(228, 222, 206)
        )
    return picture


def _room(width: int, height: int, chance: random.Random) -> Image.Image:
    picture = _gradient(width, height, *chance.choice(WALLS))
    canvas = ImageDraw.Draw(picture)
    floor = 0.78 * height
    canvas.rectangle((0, floor, width, height), fill=(178, 158, 136))
    for row in range(4):
        y = floor + (height - floor) * (row / 4) ** 1.3
        canvas.line((0, y, width, y), fill=(160, 140, 118), width=max(1, height // 300))
    for column in range(-6, 14):
        foot = (width * (column * 0.25 - 0.6), height)
        canvas.line(
            (width * column / 8, floor, *foot), fill=(160, 140, 118), width=max(1, height // 300)
        )
    canvas.rectangle((0, floor - 0.03 * height, width, floor), fill=(240, 236, 228))
    _window(picture, chance)
    return picture


def _window(picture: Image.Image, chance: random.Random) -> None:
    width, height = picture.size
    left, top = round(0.66 * width), round(0.10 * height)
    right, bottom = round(0.92 * width), round(0.52 * height)
    view = _gradient(right - left, bottom - top, *chance.choice(SKIES))
    picture.paste(view, (left, top))
    canvas = ImageDraw.Draw(picture)
    bar = max(2, height // 60)
    canvas.rectangle((left, top, right, bottom), outline=(246, 244, 240), width=bar)
    middle = (left + right) // 2
    canvas.line((middle, top, middle, bottom), fill=(246, 244, 240), width=bar)
    canvas.rectangle((left - bar, bottom, right + bar, bottom + bar * 2), fill=(250, 248, 244))


def _gradient(width: int, height: int, above: Colour, below: Colour) -> Image.Image:
    share = np.linspace(0.0, 1.0, height)[:, None]
    column = np.array(above) * (1 - share) + np.array(below) * share
    return Image.fromarray(column.astype(np.uint8)[:, None, :]).resize((width, height))


def _sun(picture: Image.Image, chance: random.Random) -> None:
    width, height = picture.size
    x, y = width * chance.uniform(0.74, 0.88), height * chance.uniform(0.16, 0.28)
    down, across = np.ogrid[:height, :width]
    distance = np.hypot(across - x, down - y) / (0.07 * min(width, height))
    glow = np.clip(1.0 / (1.0 + (distance / 1.6) ** 3), 0.0, 1.0)
    glow = np.where(distance < 1.0, 1.0, glow)
    mask = Image.fromarray((glow * 255).astype(np.uint8))
    picture.paste(Image.new("RGB", picture.size, (255, 244, 208)), mask=mask)


def _clouds(picture: Image.Image, chance: random.Random) -> None:
    width, height = picture.size
    mask = Image.new("L", picture.size)
    canvas = ImageDraw.Draw(mask)
    for _ in range(3):
        x, y = width * chance.uniform(0.05, 0.62), height * chance.uniform(0.08, 0.30)
        for _ in range(5):
            reach = width * chance.uniform(0.03, 0.06)
            canvas.ellipse((x - reach, y - reach * 0.34, x + reach, y + reach * 0.34), fill=170)
            x += reach * 0.7
    soft = mask.filter(ImageFilter.GaussianBlur(max(1, width // 220)))
    picture.paste(Image.new("RGB", picture.size, (255, 255, 255)), mask=soft)


def _hill(width: int, height: int, depth: int, chance: random.Random) -> list[Point]:
    base, swing = (0.56 + 0.08 * depth) * height, (0.10 - 0.022 * depth) * height
    phase, waves = chance.uniform(0, 6), chance.uniform(1.1, 2.1) + depth * 0.4
    crest = [
        (x, base - swing * math.sin(phase + waves * math.tau * x / width / 1.6))
        for x in np.linspace(0, width, 60).tolist()
    ]
    return [*crest, (width, height), (0, height)]


def _parcel(brush: Brush, chance: random.Random, moment: float) -> None:
    del chance
    brush.oval(0.52, 0.97, 0.56, 0.05, (140, 122, 104))
    front, side, lid = (196, 148, 96), (166, 120, 74), (216, 172, 120)
    brush.shape([(0.02, 0.38), (0.66, 0.44), (0.66, 0.98), (0.02, 0.90)], front)
    brush.shape([(0.66, 0.44), (0.98, 0.34), (0.98, 0.84), (0.66, 0.98)], side)
    brush.shape([(0.02, 0.38), (0.36, 0.29), (0.98, 0.34), (0.66, 0.44)], lid)
    brush.shape([(0.29, 0.405), (0.40, 0.415), (0.66, 0.31), (0.57, 0.305)], (226, 206, 160))
    brush.shape([(0.29, 0.405), (0.40, 0.415), (0.40, 0.60), (0.29, 0.585)], (226, 206, 160))
    lift = 0.02 + 0.05 * moment
    brush.shape([(0.66, 0.44), (0.98, 0.34), (1.02, 0.34 - lift), (0.72, 0.43 - lift)], lid)
    dent = [(0.50, 0.70), (0.60, 0.64), (0.67, 0.70), (0.74, 0.80), (0.66, 0.92), (0.56, 0.86)]
    brush.shape(dent, (120, 84, 52))
    brush.shape([(0.54, 0.72), (0.60, 0.68), (0.65, 0.78), (0.60, 0.85)], (88, 60, 38))
    brush.line([(0.50, 0.70), (0.44, 0.64), (0.46, 0.60)], (120, 84, 52), 0.010)
    brush.line([(0.56, 0.86), (0.48, 0.90)], (120, 84, 52), 0.010)
    brush.shape([(0.06, 0.66), (0.26, 0.68), (0.26, 0.86), (0.06, 0.835)], (246, 244, 238))
    for bar in range(7):
        x = 0.08 + bar * 0.024
        brush.line([(x, 0.69), (x, 0.76)], (40, 40, 44), 0.006 + 0.004 * (bar % 3))
    brush.line([(0.08, 0.795), (0.22, 0.81)], (120, 120, 124), 0.008)


def _washer(brush: Brush, chance: random.Random, moment: float) -> None:
    water, shine = (120, 170, 200), (176, 212, 230)
    spread = 0.34 + 0.30 * moment
    brush.oval(0.60, 0.985, spread, 0.055, water)
    brush.oval(0.54, 0.975, spread * 0.6, 0.025, shine)
    brush.box(0.12, 0.06, 0.86, 0.96, (250, 250, 250), 0.03)
    brush.box(0.80, 0.09, 0.86, 0.96, (224, 226, 230), 0.02)
    brush.box(0.12, 0.06, 0.86, 0.22, (232, 234, 238), 0.03)
    brush.box(0.16, 0.10, 0.38, 0.18, (206, 210, 216), 0.01)
    brush.disc(0.50, 0.14, 0.045, (180, 186, 194))
    angle = math.tau * (0.1 + moment)
    knob = (0.50 + 0.035 * math.cos(angle), 0.14 + 0.035 * math.sin(angle))
    brush.line([(0.50, 0.14), knob], (70, 76, 86), 0.012)
    brush.box(0.62, 0.105, 0.78, 0.175, (40, 52, 60), 0.01)
    brush.box(0.64, 0.125, 0.64 + 0.12 * (0.3 + 0.7 * moment), 0.155, (120, 220, 160))
    brush.disc(0.48, 0.56, 0.27, (190, 196, 204))
    brush.disc(0.48, 0.56, 0.21, (58, 74, 92))
    turned = [
        (0.48 + 0.19 * math.cos(a), 0.60 + 0.13 * math.sin(a))
        for a in np.linspace(0.15, math.pi - 0.15, 16).tolist()
    ]
    brush.shape(turned, (132, 182, 210))
    for sock, colour in enumerate(PAINTS):
        turn = math.tau * (moment * 2 + sock / len(PAINTS))
        x, y = 0.48 + 0.11 * math.cos(turn), 0.58 + 0.10 * math.sin(turn)
        brush.oval(x, y, 0.06, 0.035, colour)
    brush.ring(0.48, 0.56, 0.21, (150, 158, 168), 0.012)
    brush.line([(0.36, 0.44), (0.41, 0.40)], (220, 232, 240), 0.02)
    for drop in range(5):
        fall = (moment * 3 + drop / 5) % 1.0
        brush.oval(0.56 + 0.03 * drop, 0.79 + 0.19 * fall, 0.010, 0.018, water)
    brush.line([(0.55, 0.79), (0.70, 0.79)], water, 0.014)
    if chance.random() < 2:  # the bucket stands right of the machine, whatever the seed
        brush.shape([(0.92, 0.72), (1.16, 0.72), (1.12, 0.98), (0.96, 0.98)], (46, 120, 176))
        brush.oval(1.04, 0.72, 0.12, 0.022, (32, 92, 140))


def _car(brush: Brush, chance: random.Random, moment: float) -> None:
    paint = chance.choice(PAINTS)
    dark = (paint[0] * 3 // 4, paint[1] * 3 // 4, paint[2] * 3 // 4)
    brush.oval(0.70, 0.985, 0.76, 0.035, (70, 70, 76))
    cabin = [(0.26, 0.64), (0.44, 0.42), (0.90, 0.42), (1.12, 0.64)]
    brush.shape(cabin, dark)
    brush.shape([(0.33, 0.63), (0.47, 0.46), (0.66, 0.46), (0.66, 0.63)], (178, 214, 232))
    brush.shape([(0.70, 0.63), (0.70, 0.46), (0.88, 0.46), (1.04, 0.63)], (178, 214, 232))
    brush.shape([(0.36, 0.62), (0.46, 0.50), (0.50, 0.50), (0.42, 0.62)], (220, 238, 246))
    brush.box(0.02, 0.62, 1.40, 0.88, paint, 0.06)
    brush.shape([(1.10, 0.62), (1.34, 0.66), (1.40, 0.74), (1.00, 0.70)], paint)
    brush.box(0.02, 0.80, 1.40, 0.88, dark, 0.03)
    brush.line([(0.68, 0.63), (0.68, 0.85)], dark, 0.010)
    brush.box(0.72, 0.69, 0.80, 0.71, dark, 0.008)
    brush.disc(1.36, 0.73, 0.035, (255, 240, 190))
    brush.box(0.015, 0.70, 0.06, 0.77, (220, 70, 60), 0.01)
    dent = [(0.40, 0.70), (0.50, 0.68), (0.58, 0.74), (0.54, 0.80), (0.44, 0.79)]
    brush.shape(dent, dark)
    brush.line([(0.36, 0.72), (0.60, 0.76)], (236, 232, 226), 0.008)
    brush.line([(0.40, 0.76), (0.56, 0.79)], (236, 232, 226), 0.006)
    for x in (0.30, 1.10):
        _wheel(brush, x, 0.88, 0.13, moment)


def _wheel(brush: Brush, x: float, y: float, radius: float, moment: float) -> None:
    brush.disc(x, y, radius, (34, 34, 38))
    brush.disc(x, y, radius * 0.62, (190, 194, 200))
    for spoke in range(5):
        angle = math.tau * (moment * 1.5 + spoke / 5)
        rim = (x + radius * 0.58 * math.cos(angle), y + radius * 0.58 * math.sin(angle))
        brush.line([(x, y), rim], (110, 114, 122), radius * 0.14)
    brush.disc(x, y, radius * 0.16, (80, 84, 92))


def _bicycle(brush: Brush, chance: random.Random, moment: float) -> None:
    paint = chance.choice(PAINTS)
    rear, front, radius = (0.22, 0.72), (1.02, 0.72), 0.25
    brush.oval(0.62, 0.985, 0.70, 0.025, (76, 76, 82))
    for x, y in (rear, front):
        brush.ring(x, y, radius, (36, 36, 40), 0.030)
        for spoke in range(9):
            angle = math.tau * (moment + spoke / 9)
            rim = (x + 0.23 * math.cos(angle), y + 0.23 * math.sin(angle))
            brush.line([(x, y), rim], (206, 208, 212), 0.005)
        brush.disc(x, y, 0.024, (60, 60, 66))
    saddle, crank, head = (0.42, 0.34), (0.54, 0.72), (0.90, 0.34)
    for tube in ([rear, (0.45, 0.40), head, crank, rear], [(0.42, 0.34), crank], [head, front]):
        brush.line(tube, paint, 0.034)
    brush.line([head, (0.88, 0.24), (0.98, 0.20)], (48, 48, 54), 0.026)
    brush.shape([(0.32, 0.31), (0.52, 0.32), (0.52, 0.35), (0.36, 0.36)], (48, 40, 36))
    brush.ring(*crank, 0.075, (70, 70, 76), 0.018)
    turn = math.tau * (moment * 1.2 + 0.1)
    pedal = (crank[0] + 0.11 * math.cos(turn), crank[1] + 0.11 * math.sin(turn))
    brush.line([crank, pedal], (70, 70, 76), 0.020)
    brush.box(pedal[0] - 0.04, pedal[1] - 0.01, pedal[0] + 0.04, pedal[1] + 0.014, (40, 40, 44))
    brush.line([(0.62, 0.44), (0.70, 0.50), (0.66, 0.54)], (250, 246, 238), 0.010)


MOVING: frozenset[Scene] = frozenset({"car", "bicycle"})
INDOORS: frozenset[Scene] = frozenset({"washer", "parcel"})
SUBJECTS: dict[Scene, Callable[[Brush, random.Random, float], None]] = {
    "parcel": _parcel,
    "washer": _washer,
    "car": _car,
    "bicycle": _bicycle,
}
