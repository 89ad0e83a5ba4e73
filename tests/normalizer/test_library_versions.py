"""Libraries that are called through ctypes: an unknown version is not called, and Pillow decodes instead."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import pillow_heif
import pytest
import pytest_asyncio

from normalizer.decoders.photo import heif_tiles, libwebp, pixel_memory
from normalizer.decoders.photo.heif import open_heif
from normalizer.decoders.photo.opened import DecodeLimits
from normalizer.decoders.photo.webp import open_webp
from normalizer.media import Limits, MediaRejected
from normalizer.sandbox import zygote_client
from normalizer.sanitizer import Sanitizer

from .assertions import assert_upright, shown
from .conftest import sanitize_with
from .media_samples import encoded, natural, quadrants
from .test_heif_tiles import decode_at_once, tiled_heic


@pytest.fixture
def unknown_libheif(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(heif_tiles, "_KNOWN_VERSIONS", range(0))
        heif_tiles._load.cache_clear()
        yield
    heif_tiles._load.cache_clear()


@pytest.fixture
def unknown_libwebp(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(libwebp, "_ABI_VERSION", 0x0300)
        libwebp._load.cache_clear()
        yield
    libwebp._load.cache_clear()


@pytest.mark.parametrize("module", [heif_tiles, libwebp])
def test_the_installed_libraries_are_known_versions(module: Any) -> None:
    assert module.library() is not None
    assert module.warning() == ""


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
    version = pillow_heif.libheif_version()
    assert f"libheif {version} is not a known version" in heif_tiles.warning()


@pytest.mark.usefixtures("unknown_libwebp")
def test_pillow_decodes_webp_when_the_abi_is_unknown() -> None:
    image = natural(301, 203)
    content = encoded(image, "WEBP", lossless=True)
    assert libwebp.library() is None
    assert "does not have the decoder ABI 0x0300" in libwebp.warning()
    opened = open_webp(memoryview(content), DecodeLimits(1_000_000, 4096))
    decoded = opened.load(None, lambda _: None).convert("RGB")
    assert np.array_equal(np.asarray(decoded), np.asarray(image))


@pytest.mark.usefixtures("unknown_libwebp")
def test_large_webp_is_refused_when_the_abi_is_unknown() -> None:
    content = encoded(natural(500, 400).resize((5000, 4000)), "WEBP", quality=80, method=0)
    with pytest.raises(MediaRejected) as refusal:
        open_webp(memoryview(content), DecodeLimits(64_000_000, 4096))
    assert refusal.value.reason == "too_many_pixels"


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
    assert "so WebP photos of more than 16 megapixels are refused" in caplog.text
    sanitize = sanitize_with(sanitizer_with_unknown_libraries)
    photo = quadrants(600, 400)
    for content in (tiled_heic(photo), encoded(photo, "WEBP")):
        assert_upright(shown(await sanitize(content), "preview"), 25)
