"""Drawings of the scenes that sample photos and videos show, made from shapes and numbers alone."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from simulator.scenery.backdrops import Place, backdrop
from simulator.scenery.brush import Brush, Colour
from simulator.scenery.subjects import bicycle, car, parcel, washer

Scene = Literal["parcel", "washer", "car", "bicycle"]

SMOOTHING = 2  # pictures are drawn larger by this factor and reduced, for soft edges
LARGEST_DRAWN = 1600  # larger pictures are drawn with this longer side and enlarged

PAINTS: tuple[Colour, ...] = ((200, 54, 48), (32, 110, 160), (34, 128, 96), (222, 148, 34))


def drawn(
    scene: Scene, width: int, height: int, *, seed: int, progress: float = 0.0
) -> Image.Image:
    """Return the upright scene, with its movement at `progress` from 0 to 1. No scene is symmetrical."""
    setting = SCENES[scene]
    shrink = min(1.0, LARGEST_DRAWN / max(width, height))
    smoothing = SMOOTHING if shrink == 1.0 else 1
    size = (max(1, round(width * shrink * smoothing)), max(1, round(height * shrink * smoothing)))
    picture = backdrop(setting.place, *size, seed).copy()
    brush = Brush.on(picture, travelled=setting.start + setting.travel * progress)
    setting.subject(brush, random.Random(seed).choice(PAINTS), progress)
    return (
        picture
        if size == (width, height)
        else picture.resize((width, height), Image.Resampling.BICUBIC)
    )


@dataclass(frozen=True, slots=True)
class Setting:
    subject: Callable[[Brush, Colour, float], None]
    place: Place
    start: float = 0.18
    travel: float = 0.0


SCENES: dict[Scene, Setting] = {
    "parcel": Setting(parcel, "indoors"),
    "washer": Setting(washer, "indoors"),
    "car": Setting(car, "outdoors", start=0.08, travel=0.34),
    "bicycle": Setting(bicycle, "outdoors", start=0.10, travel=0.36),
}
