"""Randomly mutated files of all formats: a few by default, more with `AIRLOCK_MUTATIONS`."""

import asyncio
import os
from collections.abc import Callable

import numpy as np
import pytest

from bench import sanitize_sandbox as measurements
from normalizer.media import Clean, MediaFailed, MediaRejected
from normalizer.renditions.mp4_audit import audit
from normalizer.sanitizer import Sanitizer

from .assertions import assert_bare, content, shown
from .conftest import Sanitize
from .media_samples import box, encoded, make_video, natural
from .mutations import Mutation, blindly, boxes, elements, jpeg, numbers, png
from .test_hostile import ALLOWED, encoded_as
from .webm_files import TAGS, as_group, element, recorded, tracks_of, whole

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Mutated files of each kind.
COUNT = int(os.environ.get("AIRLOCK_MUTATIONS", "16"))

_AT_ONCE = 3
_WORDS = b"CANARY"
_MAX_CELL_BYTES = 256 << 20


def _photo(form: str) -> bytes:
    return encoded_as(natural(160, 120), form)


def _video(**options: str) -> bytes:
    made = make_video(seconds=0.4, size=(160, 120), options=options, metadata={"title": "CANARY"})
    return made + box(b"free", _WORDS * 9)


def _webm(write: Callable[..., bytes]) -> bytes:
    tags = element(TAGS, element(0x7373, element(0x67C8, element(0x4487, _WORDS))))
    return write(*tracks_of(seconds=0.4), write=as_group, before=tags, after=tags)


SOURCES: dict[str, tuple[bytes, Mutation]] = {
    "JPEG": (encoded(natural(160, 120), comment=_WORDS, exif=b"Exif\0\0CANARY") + _WORDS, jpeg),
    "progressive": (_photo("PROGRESSIVE") + _WORDS, jpeg),
    "PNG": (_photo("PNG") + _WORDS, png),
    "GIF": (_photo("GIF") + _WORDS, blindly),
    "WebP": (_photo("WEBP") + _WORDS, numbers),
    "TIFF": (_photo("TIFF") + _WORDS, numbers),
    "AVIF": (_photo("AVIF") + box(b"free", _WORDS), boxes),
    "HEIF": (_photo("HEIF") + box(b"free", _WORDS), boxes),
    "video": (_video(), boxes),
    "WebM": (_webm(whole) + _WORDS, elements),
    "recording": (_webm(recorded), elements),
    "fragmented video": (_video(movflags="frag_keyframe+empty_moov"), boxes),
}


@pytest.mark.parametrize("name", SOURCES)
async def test_no_mutation_makes_a_file_harmful(
    sanitizer: Sanitizer, sanitize: Sanitize, name: str
) -> None:
    source, structured = SOURCES[name]
    turns = asyncio.Semaphore(_AT_ONCE)

    async def attempt(number: int) -> None:
        random = np.random.default_rng((number, len(name)))
        changed = source
        for _ in range(int(random.integers(1, 4))):
            changed = (blindly if random.random() < 0.2 else structured)(random, changed) or source
        async with turns:
            try:
                assert_harmless(await sanitize(changed))
            except (MediaRejected, MediaFailed) as refusal:
                why = refusal.detail if refusal.state == "failed" else ""
                if (refusal.reason, why) not in ALLOWED | {("too_long", "")}:
                    raise
            except Exception as error:
                raise AssertionError(f"{name}, change {number}: {error}") from error

    await asyncio.gather(*(attempt(number) for number in range(COUNT)))
    assert sanitizer.ready
    assert measurements.most_memory(sanitizer) <= _MAX_CELL_BYTES


def assert_harmless(clean: Clean) -> None:
    assert_bare(clean)
    for each in clean.renditions:
        assert _WORDS not in bytes(each.content)
        if each.name == "video":
            audit(memoryview(content(clean, "video")))
        else:
            shown(clean, each.name)
            assert len(each.content) <= (30_000 if each.name == "thumbnail" else 3_000_000)
