"""WebM and Matroska videos that are cut or damaged, or that hide words."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from normalizer.decoders.matroska.reading import Recording
from normalizer.decoders.video import recorded as recorded_video
from normalizer.media import MediaRejected
from normalizer.renditions.mp4_audit import audit

from .assertions import content
from .conftest import Sanitize
from .video_assertions import frames, rejection_reason
from .webm_files import (
    ATTACHMENTS,
    BLOCK,
    BLOCK_GROUP,
    CHAPTERS,
    CLUSTER,
    SEGMENT,
    TAGS,
    TRACKS,
    VOID,
    Track,
    block,
    clusters,
    decimal,
    element,
    header,
    id_of,
    info,
    moved,
    number,
    recorded,
    tracks_of,
    whole,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = b"CANARY of Ann at 52.52 N"


def read(source: bytes) -> Recording:
    return recorded_video.read(memoryview(source))


# cut and damaged files ----------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
async def test_half_a_recording_is_shown_as_far_as_it_goes(
    sanitize: Sanitize, share: float
) -> None:
    """A recording of open size promises nothing. Its last frame may be cut off."""
    source = recorded(*tracks_of(seconds=2.0))
    clean = await sanitize(source[: int(len(source) * share)])
    assert 3 <= len(frames(clean)) < 50
    assert 0.1 < (clean.duration_seconds or 0) < 2.0


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
async def test_half_a_file_that_states_its_size_is_corrupt(
    sanitize: Sanitize, share: float
) -> None:
    source = whole(*tracks_of(seconds=2.0), duration=2000)
    assert await rejection_reason(sanitize, source[: int(len(source) * share)]) == "corrupt"


async def test_a_cut_between_two_blocks_is_corrupt(sanitize: Sanitize) -> None:
    """Only the cluster says that more blocks followed."""
    source = whole(*tracks_of(), duration=None)
    last = source.rindex(b"\xa3\x10")
    assert await rejection_reason(sanitize, source[:last]) == "corrupt"


async def test_a_cut_behind_the_frames_costs_nothing(sanitize: Sanitize) -> None:
    source = whole(*tracks_of(), after=element(TAGS, bytes(5000)))
    assert len(frames(await sanitize(source[:-3000]))) == 25


@pytest.mark.parametrize("make", [recorded, whole])
async def test_a_hole_between_frames_is_corrupt(
    sanitize: Sanitize, make: Callable[..., bytes]
) -> None:
    source = bytearray(make(*tracks_of()))
    starts = [each.start() for each in re.finditer(re.escape(id_of(CLUSTER)), source)]
    source[starts[1] + 20 : starts[1] + 400] = bytes(380)
    assert await rejection_reason(sanitize, bytes(source)) == "corrupt"


@pytest.mark.parametrize("cut", range(4, 300, 11))
async def test_a_file_cut_before_its_frames_is_corrupt(cut: int) -> None:
    with pytest.raises(MediaRejected, match="corrupt"):
        read(whole(*tracks_of())[:cut])


# nothing hidden survives --------------------------------------------------------------------------


def with_words_everywhere() -> bytes:
    picture, sound = tracks_of("libvpx", "libopus")
    name = (element(0x536E, WORDS), element(0x22B59C, WORDS), element(0x258688, WORDS))
    tag = element(
        TAGS, element(0x7373, element(0x67C8, element(0x45A3, WORDS), element(0x4487, WORDS)))
    )
    font = element(
        ATTACHMENTS,
        element(
            0x61A7,
            element(0x466E, WORDS),
            element(0x4660, b"font/ttf"),
            element(0x465C, WORDS * 50),
        ),
    )
    chapter = element(CHAPTERS, element(0x45B9, element(0xB6, element(0x80, element(0x85, WORDS)))))
    words = replace(
        picture, number=7, kind=17, coding="S_TEXT/UTF8", inside=b"", frames=((0, True, WORDS),)
    )

    def write(track: Track, relative: int, key: bool, data: bytes) -> bytes:
        addition = element(0x75A1, element(0xA6, number(0xEE, 1), element(0xA5, WORDS)))
        group = element(
            BLOCK_GROUP,
            element(BLOCK, block(track.number, relative, data, 0)),
            addition,
            element(0xA4, WORDS),
            b"" if key else element(0xFB, b"\xd8"),
        )
        return element(VOID, WORDS) + group + element(0x4FFF, WORDS)

    tracks = (picture, sound, words)
    content = (
        info() + element(0x4DBB, WORDS),
        element(0x114D9B74, WORDS),
        element(TRACKS, *(each.entry(*name) for each in tracks), element(VOID, WORDS)),
        tag, font, chapter,
        *clusters(tracks, write=write),
        element(0x1C53BB6B, WORDS), tag, font,
    )  # fmt: skip
    titled = element(
        SEGMENT, element(0x1549A966, element(0x7BA9, WORDS), element(0x4D80, WORDS)), *content
    )
    return header("webm", element(VOID, WORDS)) + titled + b"PK\x03\x04" + WORDS


async def test_tags_fonts_chapters_and_names_do_not_survive(sanitize: Sanitize) -> None:
    source = with_words_everywhere()
    assert source.count(b"CANARY") > 200
    assert b"CANARY" not in read(source).content
    clean = await sanitize(source)
    assert len(frames(clean)) == 25
    audit(memoryview(content(clean, "video")))
    for each in clean.renditions:
        assert b"CANARY" not in bytes(each.content)


async def test_the_copy_holds_two_tracks_and_their_frames_alone() -> None:
    picture, sound = tracks_of()
    copy = read(with_words_everywhere()).content
    assert copy.count(id_of(0xAE) + b"\x01") + copy.count(id_of(0xAE) + b"\xc0") <= 20
    for unneeded in (TAGS, ATTACHMENTS, CHAPTERS):
        assert id_of(unneeded) not in copy
    frames_bytes = sum(len(data) for track in (picture, sound) for _, _, data in track.frames)
    assert frames_bytes < len(copy) < frames_bytes + 40 * len(picture.frames + sound.frames) + 1000


# odd numbers ---------------------------------------------------------------------------------------


async def test_rates_and_durations_that_make_no_sense_are_left_out() -> None:
    picture, sound = tracks_of()
    for value in (float("nan"), float("inf"), -1.0, 1e300):
        odd = replace(sound, inside=decimal(0xB5, value) + number(0x9F, 1 << 40))
        assert read(whole(picture, odd, duration=value)).seconds == pytest.approx(1.0, abs=0.1)


async def test_times_of_reordered_frames_do_not_step_back() -> None:
    picture, _ = tracks_of("libx264", "aac")
    assert read(whole(moved(picture, lambda t: t ^ 0x40))).steps_back is False
