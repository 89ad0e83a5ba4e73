"""Backdrops of scenes: a road in the hills or a tiled room, with the sun always on the right."""

import math
import random
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from simulator.scenery.brush import Colour, Point

Place = Literal["outdoors", "indoors"]

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


@lru_cache(maxsize=8)
def backdrop(place: Place, width: int, height: int, seed: int) -> Image.Image:
    """Return the picture of a place. It is cached between the frames of a video: draw on a copy."""
    return PLACES[place](width, height, random.Random(seed))


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


PLACES: dict[Place, Callable[[int, int, random.Random], Image.Image]] = {
    "outdoors": _landscape,
    "indoors": _room,
}
