"""Sound in WebM and Matroska, read by our own code as videos are: a picture track makes a file a video."""

import pytest

from .conftest import Sanitize
from .video_assertions import rejection_reason
from .webm_files import (
    ATTACHMENTS,
    SEGMENT,
    TRACKS,
    clusters,
    element,
    header,
    info,
    recorded,
    tracks_of,
    whole,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_song_with_a_cover_is_sound(sanitize: Sanitize) -> None:
    _, sound = tracks_of()
    cover = element(
        ATTACHMENTS,
        element(0x61A7, element(0x466E, b"cover.jpg"), element(0x4660, b"image/jpeg"), element(0x465C, b"\x86\x85V_VP8" * 9)),
    )  # fmt: skip
    clean = await sanitize(whole(sound, before=cover))
    assert clean.kind == "audio"
    assert clean.duration_seconds == pytest.approx(1.0, abs=0.1)


async def test_a_song_of_open_size_has_the_length_of_its_sound(sanitize: Sanitize) -> None:
    _, sound = tracks_of(seconds=3.0)
    clean = await sanitize(recorded(sound))
    assert clean.duration_seconds == pytest.approx(3.0, abs=0.1)
    assert dict(clean.facts or {})["complete"] is True


async def test_sound_after_a_hole_is_kept_and_incomplete(sanitize: Sanitize) -> None:
    _, sound = tracks_of(seconds=3.0)
    source = bytearray(recorded(sound))
    middle = len(source) // 2
    source[middle : middle + len(source) // 4] = bytes(len(source) // 4)
    clean = await sanitize(bytes(source))
    assert 1.5 < (clean.duration_seconds or 0) < 2.7
    assert dict(clean.facts or {})["complete"] is False


@pytest.mark.parametrize("time", [b"\xe7\x89" + bytes(9), b"\xe7\x88" + b"\xff" * 8])
async def test_a_damaged_time_costs_a_cluster_of_sound(sanitize: Sanitize, time: bytes) -> None:
    _, sound = tracks_of(seconds=3.0)
    starts = recorded(sound).split(b"\x1f\x43\xb6\x75")
    starts[3] = starts[3][:8] + time + starts[3][starts[3].index(b"\xa3") :]
    clean = await sanitize(b"\x1f\x43\xb6\x75".join(starts))
    assert clean.duration_seconds == pytest.approx(2.6, abs=0.1)
    assert dict(clean.facts or {})["complete"] is False


async def test_a_cut_recording_of_sound_is_incomplete(sanitize: Sanitize) -> None:
    _, sound = tracks_of(seconds=3.0)
    clean = await sanitize(recorded(sound)[:-100])
    assert clean.duration_seconds == pytest.approx(3.0, abs=0.2)
    assert dict(clean.facts or {})["complete"] is False


async def test_encrypted_sound_is_unsupported(sanitize: Sanitize) -> None:
    _, sound = tracks_of()
    encryption = element(0x6D80, element(0x6240, element(0x5033, b"\1"), element(0x5035)))
    tracks = element(TRACKS, sound.entry(encryption))
    source = header() + element(SEGMENT, info(), tracks, *clusters((sound,)))
    assert await rejection_reason(sanitize, source) == "unsupported_type"


async def test_tags_of_a_song_do_not_survive(sanitize: Sanitize) -> None:
    _, sound = tracks_of()
    tags = element(0x1254C367, element(0x7373, element(0x67C8, element(0x4487, b"CANARY"))))
    clean = await sanitize(whole(sound, before=tags, after=tags))
    for each in clean.renditions:
        assert b"CANARY" not in bytes(each.content)
