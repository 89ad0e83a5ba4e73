"""Thumbnails are scaled while the photo is decoded, and come out as if scaled at once."""

import io
import mmap
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from normalizer.canvas import PixelLayout
from normalizer.file_type import sniff_photo
from normalizer.media import Limits, MediaFailed
from normalizer.renditions import answers, image_files
from normalizer.renditions.answers import Painted
from normalizer.renditions.growing_thumbnail import GrowingThumbnail
from normalizer.renditions.thumbnail import SquareThumbnail

from .media_samples import encoded, natural

_SIZES = [(640, 480), (480, 640), (700, 1400), (1600, 1200), (321, 320), (300, 260), (1000, 333)]


def _memory(picture: Image.Image) -> memoryview:
    return memoryview(picture.convert("RGBX").tobytes())


def _decoded(content: bytes | mmap.mmap) -> Image.Image:
    return Image.open(io.BytesIO(content))


def _most_apart(one: Image.Image, other: Image.Image) -> int:
    """Return the largest difference of a value. Pillow scales parts in another order, which rounds differently."""
    return int(np.abs(np.asarray(one, dtype=int) - np.asarray(other, dtype=int)).max())


def _painted(height: int) -> Painted:
    return Painted(640, height, PixelLayout(640, height), False, False, 1)


@pytest.mark.parametrize("size", _SIZES)
def test_finished_rows_need_no_row_that_is_missing(size: tuple[int, int]) -> None:
    colour, square, first = (200, 100, 50), SquareThumbnail(size, 320), 0
    finished = square.finished_image()
    for bottom in [*range(1, size[1], 11), size[1]]:
        last = square.rows_within(bottom)
        if first < last:
            seen = Image.new("RGB", size)
            seen.paste(colour, (0, 0, size[0], bottom))
            reduced = square.reduced_image()
            if reduced:
                square.add(reduced, seen, 0, bottom)
            square.finish_rows(finished, reduced or seen, first, last)
        first = max(first, last)
    assert first == square.side
    assert finished.getextrema() == tuple((value, value) for value in colour)


@pytest.mark.parametrize("steps", [[480], [0, 1, 480], [64, 128, 400, 480]])
def test_a_thumbnail_grows_with_the_rows_of_its_photo(steps: list[int]) -> None:
    picture = natural(640, 480)
    with ThreadPoolExecutor(2) as threads:
        growing = GrowingThumbnail(_memory(picture), PixelLayout(640, 480), Limits(), threads)
        for rows in steps:
            growing.advance(rows)
        made = growing.result.result(10)
    assert (made.name, made.width, made.height) == ("thumbnail", 320, 320)
    at_once = SquareThumbnail((640, 480), 320).from_image(picture)
    content, _ = image_files.encode_jpeg(at_once, 30_000, image_files.THUMBNAIL_QUALITIES)
    assert _most_apart(_decoded(made.content), _decoded(content)) <= 16


def test_a_thumbnail_that_fails_raises_where_it_is_awaited() -> None:
    with ThreadPoolExecutor(1) as threads:
        growing = GrowingThumbnail(memoryview(b""), PixelLayout(640, 480), Limits(), threads)
        growing.advance(480)
        with pytest.raises(ValueError, match=r".+"):
            growing.result.result(10)


def test_a_photo_is_announced_before_its_first_rows() -> None:
    assert answers.parse_rows({"rows": 0}, _painted(480)) == 0


@pytest.mark.parametrize("rows", [-1, 481, False, "0", 0.0, None])
def test_rows_outside_the_photo_are_refused(rows: object) -> None:
    with pytest.raises(MediaFailed):
        answers.parse_rows({"rows": rows}, _painted(480))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF"])
def test_the_first_bytes_tell_a_photo(form: str) -> None:
    found = sniff_photo(encoded(Image.new("RGB", (8, 8)), form)[:512])
    assert found is not None
    assert found.format == form.lower()


@pytest.mark.parametrize("head", [b"", b"%PDF-1.7", b"ID3\4", b"\0\0\0\x18ftypmp42", b"OggS"])
def test_other_files_need_a_closer_look(head: bytes) -> None:
    assert sniff_photo(head) is None
