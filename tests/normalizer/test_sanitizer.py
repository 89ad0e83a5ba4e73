"""The whole way: bytes go in, renditions come out."""

import io
from typing import Any

import av
import pytest
from PIL import Image

from normalizer.media import Clean, MediaRejected, Rendition

from .conftest import Sanitize
from .media_samples import CORNERS, encoded, make_video, quadrants

pytestmark = pytest.mark.asyncio(loop_scope="module")


def rendition(clean: Clean, name: str) -> Rendition:
    return next(each for each in clean.renditions if each.name == name)


def shown(clean: Clean, name: str) -> Image.Image:
    image = Image.open(io.BytesIO(rendition(clean, name).content))
    image.load()
    return image


def assert_upright(image: Image.Image, tolerance: int = 12) -> None:
    w, h = image.size
    places = (
        (w // 4, h // 4),
        (3 * w // 4, h // 4),
        (3 * w // 4, 3 * h // 4),
        (w // 4, 3 * h // 4),
    )
    for place, colour in zip(places, CORNERS, strict=True):
        pixel: Any = image.convert("RGB").getpixel(place)
        assert max(abs(a - b) for a, b in zip(pixel, colour, strict=True)) <= tolerance, place


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
async def test_a_photo_becomes_a_preview_and_a_square_thumbnail(
    sanitize: Sanitize, form: str
) -> None:
    clean = await sanitize(encoded(quadrants(640, 480), form))
    assert (clean.kind, clean.width, clean.height, clean.duration_seconds) == (
        "photo",
        640,
        480,
        None,
    )
    assert_upright(shown(clean, "preview"))
    assert_upright(shown(clean, "thumbnail"))
    assert rendition(clean, "thumbnail").width == rendition(clean, "thumbnail").height == 320
    assert rendition(clean, "thumbnail").media_type == "image/jpeg"


async def test_the_first_frame_of_a_gif_is_shown(sanitize: Sanitize) -> None:
    frames = [quadrants(64, 48), Image.new("RGB", (64, 48), "black")]
    clean = await sanitize(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert_upright(shown(clean, "preview"), tolerance=30)


async def test_an_mp4_is_rebuilt_with_index_first_poster_and_duration(sanitize: Sanitize) -> None:
    clean = await sanitize(make_video(seconds=2, metadata={"title": "CANARY"}))
    assert (clean.kind, clean.width, clean.height) == ("video", 320, 240)
    assert clean.duration_seconds == pytest.approx(2.0, abs=0.1)
    assert_upright(shown(clean, "poster"))
    content = rendition(clean, "video").content[:]
    assert content.index(b"moov") < content.index(b"mdat")
    assert b"CANARY" not in content
    container: Any
    with av.open(io.BytesIO(content)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert sum(1 for _ in container.decode(video=0)) == 50


async def test_other_files_are_unsupported(sanitize: Sanitize) -> None:
    with pytest.raises(MediaRejected) as refusal:
        await sanitize(b"<html><body>hello</body></html>")
    assert refusal.value.reason == "unsupported_type"


@pytest.mark.parametrize("rotation", [90, 180, 270])
async def test_a_rotated_video_has_an_upright_poster(sanitize: Sanitize, rotation: int) -> None:
    lying = make_video(rotation=rotation, seconds=0.4, container="mov")
    clean = await sanitize(lying)
    assert (clean.width, clean.height) == ((320, 240) if rotation == 180 else (240, 320))
    # The coded frame is red at its upper left; the rotation moves that corner.
    poster = shown(clean, "poster").convert("RGB")
    w, h = poster.size
    corner = {90: (w // 4, 3 * h // 4), 180: (3 * w // 4, 3 * h // 4), 270: (3 * w // 4, h // 4)}
    red: Any = poster.getpixel(corner[rotation])
    assert red[0] > 180
    assert max(red[1:]) < 90
