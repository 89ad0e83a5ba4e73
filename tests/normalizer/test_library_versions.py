"""Libraries called through ctypes: an unknown version is not called, and Pillow reads the file instead."""

from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest
import pytest_asyncio

from normalizer.decoders.photo import heif_tiles, pixel_memory
from normalizer.decoders.photo.heif import open_heif
from normalizer.decoders.photo.opened import DecodeLimits
from normalizer.media import Limits
from normalizer.sandbox import zygote_client
from normalizer.sanitizer import Sanitizer

from .assertions import assert_upright, shown
from .conftest import sanitize_with
from .media_samples import natural, quadrants
from .test_heif_tiles import decode_at_once, tiled_heic


@pytest.fixture
def unknown_libheif(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(heif_tiles, "_KNOWN_VERSIONS", range(0))
        heif_tiles._load.cache_clear()
        yield
    heif_tiles._load.cache_clear()


def test_the_installed_libheif_is_a_known_version() -> None:
    assert heif_tiles.library() is not None
    assert heif_tiles.warning() == ""


@pytest.mark.usefixtures("unknown_libheif")
def test_an_unknown_libheif_decodes_the_whole_picture() -> None:
    content = tiled_heic(natural(300, 200))
    assert heif_tiles.library() is None
    opened = open_heif(memoryview(content), DecodeLimits(1_000_000, 4096))
    rows: list[int] = []
    image = opened.load(pixel_memory.allocate(300, 200), rows.append)
    assert rows == [200], "rows appeared tile by tile"
    assert np.array_equal(np.asarray(image), decode_at_once(content))


@pytest.mark.usefixtures("unknown_libheif")
def test_the_warning_names_the_unknown_version() -> None:
    installed = decode_version()
    assert f"libheif {installed} is not a known version" in heif_tiles.warning()


def decode_version() -> str:
    import pillow_heif

    return str(pillow_heif.libheif_version())


@pytest_asyncio.fixture
async def sanitizer_with_unknown_libraries() -> AsyncIterator[Sanitizer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zygote_client, "_MODULE", "tests.normalizer.unknown_libraries")
        running = Sanitizer(Limits(), sandboxes=1)
        yield running
        await running.close()


async def test_the_gateway_logs_unknown_libraries_and_photos_are_ready(
    sanitizer_with_unknown_libraries: Sanitizer, caplog: pytest.LogCaptureFixture
) -> None:
    await sanitizer_with_unknown_libraries.start()
    assert "is not a known version, so HEIF photos are decoded whole" in caplog.text
    sanitize = sanitize_with(sanitizer_with_unknown_libraries)
    assert_upright(shown(await sanitize(tiled_heic(quadrants(600, 400))), "preview"), 25)
