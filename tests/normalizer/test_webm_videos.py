"""WebM and Matroska videos become MP4s that browsers play, whatever a browser or a phone wrote around the frames."""

import struct
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest

from normalizer.decoders.matroska import reading
from normalizer.media import Clean, Limits
from normalizer.sanitizer import Sanitizer

from .assertions import alike, assert_upright, colour, shown
from .conftest import Sanitize, sanitize_with
from .media_samples import CORNERS, make_video
from .video_assertions import assert_playable, frames, opened, rejection_reason
from .webm_files import (
    BLOCK,
    BLOCK_GROUP,
    CUES,
    DURATION,
    QUIET,
    SEGMENT,
    TRACKS,
    VOID,
    Track,
    as_group,
    as_simple_block,
    block,
    clusters,
    element,
    header,
    info,
    moved,
    number,
    recorded,
    tracks_of,
    vorbis,
    whole,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


def assert_whole(clean: Clean, *, sound: bool = True, seconds: float = 1.0) -> None:
    """Assert that all frames of a video of 25 frames a second are there, at their times."""
    assert_playable(clean, sound=sound)
    with opened(clean) as container:
        times = [round(frame.time * 25) for frame in container.decode(video=0)]
    assert [time - times[0] for time in times] == list(range(round(25 * seconds)))
    assert clean.duration_seconds == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize(
    ("codec", "audio", "doc_type"),
    [
        ("libvpx", "libopus", "webm"),
        ("libvpx-vp9", "libopus", "webm"),
        ("libsvtav1", "libopus", "webm"),
        ("libvpx", "vorbis", "webm"),
        ("libvpx", None, "webm"),
        ("libx264", "aac", "matroska"),
        ("libx264", "libopus", "webm"),
        ("libx265", "aac", "matroska"),
        ("libvpx-vp9", None, "matroska"),
    ],
)
async def test_all_codings_of_browsers_and_phones_are_shown(
    sanitize: Sanitize, codec: str, audio: str | None, doc_type: str
) -> None:
    tracks = tracks_of(codec, None if audio == "vorbis" else audio)
    more = [vorbis()] if audio == "vorbis" else []
    source = whole(*tracks, *more, doc_type=doc_type)
    clean = await sanitize(source)
    assert_whole(clean, sound=audio is not None)
    assert_upright(shown(clean, "poster"), 30)
    assert_upright(shown(clean, "thumbnail"), 30)


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9", "libx264"])
async def test_a_browsers_recording_of_open_sizes_is_shown(sanitize: Sanitize, codec: str) -> None:
    clean = await sanitize(recorded(*tracks_of(codec)))
    assert_whole(clean)


@pytest.mark.parametrize("live", ["0", "1"])
async def test_what_ffmpeg_writes_is_shown(sanitize: Sanitize, live: str) -> None:
    source = make_video(
        codec="libvpx",
        codec_options=QUIET["libvpx"],
        container="webm",
        audio="libopus",
        sample_rate=48_000,
        options={"live": live},
    )
    assert_whole(await sanitize(source))


async def test_frames_in_groups_are_shown(sanitize: Sanitize) -> None:
    assert_whole(await sanitize(whole(*tracks_of(), write=as_group)))


async def test_unneeded_elements_anywhere_are_passed_over(sanitize: Sanitize) -> None:
    void, checksum = element(VOID, b"x" * 300), element(0xBF, bytes(4), width=1)
    strange = element(0x4FFF, b"abc", width=1)

    def write(track: Track, relative: int, key: bool, content: bytes) -> bytes:
        return checksum + void + as_simple_block(track, relative, key, content) + strange

    source = whole(*tracks_of(), before=void + strange + element(CUES, b"abc"), write=write)
    assert_whole(await sanitize(source))


async def test_tracks_may_follow_their_frames(sanitize: Sanitize) -> None:
    tracks = tracks_of()
    entries = element(TRACKS, *(each.entry() for each in tracks))
    content = (*clusters(tracks), entries, info())
    assert_whole(await sanitize(header() + element(SEGMENT, *content)))


@pytest.mark.parametrize("scale", [100_000, 1_000_000, 10_000_000])
async def test_ticks_have_the_length_that_the_file_states(sanitize: Sanitize, scale: int) -> None:
    tracks = [moved(each, lambda time: time * 1_000_000 // scale) for each in tracks_of()]
    entries = element(TRACKS, *(each.entry() for each in tracks))
    content = (info(scale=scale), entries, *clusters(tracks, every=20_000))
    assert_whole(await sanitize(header() + element(SEGMENT, *content)))


@pytest.mark.parametrize(("codec", "audio"), [("libvpx", "libopus"), ("libx264", "aac")])
async def test_a_recording_that_begins_late_starts_at_zero(
    sanitize: Sanitize, codec: str, audio: str
) -> None:
    """A live stream that was joined counts from its own beginning."""
    clean = await sanitize(recorded(*tracks_of(codec, audio), late=1_700_000_000_000))
    assert_whole(clean)


async def test_sound_keeps_even_lengths_despite_rounded_times(sanitize: Sanitize) -> None:
    clean = await sanitize(whole(*tracks_of("libx264", "aac")))
    with opened(clean) as container:
        lengths = Counter(packet.duration for packet in container.demux(audio=0) if packet.size)
    assert lengths.most_common(1)[0][0] == 1024
    assert sum(lengths.values()) - lengths[1024] <= 2


# length -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stated", [None, 0.0, 3_600_000.0, -1.0, float("nan"), float("inf")])
async def test_the_length_is_that_of_the_frames(sanitize: Sanitize, stated: float | None) -> None:
    clean = await sanitize(whole(*tracks_of(), duration=stated))
    assert_whole(clean)


@pytest.mark.parametrize("is_open", [True, False])
async def test_a_long_video_is_refused_before_it_is_encoded(is_open: bool) -> None:
    """Its header states a second, and its sound goes on for an hour and a half."""
    picture, sound = tracks_of()
    sound = moved(sound, lambda time: max(0, time) * 5400)
    if is_open:
        source = recorded(picture, sound, every=20_000)
    else:
        source = whole(picture, sound, every=20_000, duration=1000)
    running = Sanitizer(Limits(), sandboxes=1)
    await running.start()
    try:
        progress: list[float | None] = []
        assert await rejection_reason(sanitize_with(running), source) == "too_long"
        assert not progress
    finally:
        await running.close()


async def test_length_and_rate_come_from_the_blocks() -> None:
    tracks = [moved(each, lambda time: time * 10) for each in tracks_of()]
    found = reading.read(memoryview(whole(*tracks, duration=77)), pictures=True)
    assert found.seconds == pytest.approx(10.0, abs=0.1)
    assert found.rate == pytest.approx(2.5, abs=0.01)
    assert found.stated_seconds == pytest.approx(0.077)


# pictures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
async def test_matroska_videos_are_upright(
    sanitize: Sanitize, rotation: int, mirrored: bool
) -> None:
    """What the projection of the pictures says is what the same rotation in an MP4 amounts to."""
    options: dict[str, object] = {"rotation": rotation, "mirrored": mirrored, "audio": None}
    source, same = (
        make_video(seconds=0.2, codec=codec, container=container, **options)  # type: ignore[arg-type]
        for codec, container in (("libx264", "matroska"), ("mpeg4", "mp4"))
    )
    clean, expected = await sanitize(source), await sanitize(same)
    assert (clean.width, clean.height) == (expected.width, expected.height)
    seen = frames(clean)[0]
    height, width, _ = seen.shape
    assert (width, height) == (clean.width, clean.height)
    for x, y in ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)):
        wanted = colour(shown(expected, "poster"), x, y)
        assert alike(colour(shown(clean, "poster"), x, y), wanted, 40)
        found = tuple(int(each) for each in seen[int(y * height), int(x * width)])
        assert alike(found, wanted, 40)
        assert any(alike(wanted, corner, 40) for corner in CORNERS)


async def test_pixels_that_are_not_square_keep_their_shape(sanitize: Sanitize) -> None:
    source = make_video(
        size=(176, 144), shape=Fraction(12, 11), container="matroska", audio=None, seconds=0.2
    )
    clean = await sanitize(source)
    assert (clean.width, clean.height) == (192, 144)


async def test_the_first_track_of_a_known_coding_is_shown(sanitize: Sanitize) -> None:
    picture, sound = tracks_of()
    other = replace(picture, number=5, coding="V_UNCOMPRESSED", frames=picture.frames[:1])
    words = replace(sound, number=6, kind=17, coding="S_TEXT/UTF8", inside=b"")
    assert_whole(await sanitize(whole(other, words, picture, sound)))


async def test_a_video_in_an_unknown_coding_is_unsupported(sanitize: Sanitize) -> None:
    picture, sound = tracks_of()
    other = replace(picture, coding="V_UNCOMPRESSED")
    assert await rejection_reason(sanitize, whole(other, sound)) == "unsupported_type"


async def test_a_recording_that_changes_its_size_keeps_its_frames(sanitize: Sanitize) -> None:
    """Browsers record smaller pictures while a machine is busy, and others when a phone is turned."""
    (first,), (other,) = tracks_of(audio=None), tracks_of(audio=None, size=(90, 160))
    later = moved(other, lambda time: time + 1000)
    both = replace(first, frames=first.frames + later.frames)
    clean = await sanitize(recorded(both))
    assert_whole(clean, sound=False, seconds=2.0)
    assert (clean.width, clean.height) == (160, 120)


async def test_colours_that_the_container_states_are_kept(sanitize: Sanitize) -> None:
    """The frames of VP9 do not say that they have a high dynamic range."""
    seen = []
    for transfer in (16, 1):
        source = make_video(
            codec="libvpx-vp9",
            codec_options=QUIET["libvpx-vp9"],
            container="webm",
            colours=(9, transfer, 9),
            audio=None,
            seconds=0.2,
        )
        seen.append(colour(shown(await sanitize(source), "poster"), 0.75, 0.75))
    assert not alike(seen[0], seen[1], 10)


# several frames in a block -------------------------------------------------------------------------


def laced(contents: list[bytes], kind: str) -> tuple[int, bytes]:
    """Return the flags and the content of a block of several frames."""
    count, body = bytes([len(contents) - 1]), b"".join(contents)
    sizes = [len(each) for each in contents[:-1]]
    if kind == "fixed":
        return 0x04, count + body
    if kind == "xiph":
        table = b"".join(b"\xff" * (size // 255) + bytes([size % 255]) for size in sizes)
        return 0x02, count + table + body
    steps = [after - before for before, after in pairwise(sizes)]
    table = struct.pack(">H", 0x4000 | sizes[0])
    table += b"".join(struct.pack(">H", 0x4000 | (step + 8191)) for step in steps)
    return 0x06, count + table + body


def with_laced_sound(kind: str) -> bytes:
    picture, sound = tracks_of()
    parts = clusters((picture,))
    for start in range(0, len(sound.frames), 4):
        contents = [data for _, _, data in sound.frames[start : start + 4]]
        if kind == "fixed":
            longest = max(map(len, contents))
            # Opus packets are padded by a code of their own, so frames of one length are cut from one packet.
            contents = [contents[0]] * len(contents) if longest else contents
        flags, body = laced(contents, kind)
        time = sound.frames[start][0]
        group = element(
            BLOCK_GROUP,
            element(BLOCK, block(sound.number, 0, body, flags)),
            number(DURATION, 20 * len(contents)),
        )
        parts.append(element(0x1F43B675, number(0xE7, max(0, time)), group))
    entries = element(TRACKS, picture.entry(), sound.entry(number(0x23E383, 20_000_000)))
    return header() + element(SEGMENT, info(), entries, *parts)


@pytest.mark.parametrize("kind", ["xiph", "fixed", "ebml"])
async def test_several_sounds_in_a_block_are_all_kept(sanitize: Sanitize, kind: str) -> None:
    clean = await sanitize(with_laced_sound(kind))
    assert_whole(clean)
    with opened(clean) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples / 48_000 == pytest.approx(1.0, abs=0.1)


async def test_a_prefix_left_out_of_frames_is_put_back(sanitize: Sanitize) -> None:
    """Older versions of mkvmerge leave out the bytes with which all frames begin."""
    (picture,) = tracks_of("libx264", None)
    prefix = b"\0\0"
    assert all(data.startswith(prefix) for _, _, data in picture.frames)
    shorter = replace(
        picture, frames=tuple((time, key, data[2:]) for time, key, data in picture.frames)
    )
    method = element(0x5034, number(0x4254, 3), element(0x4255, prefix))
    entry = picture.entry(element(0x6D80, element(0x6240, number(0x5031, 0), method)))
    content = (info(), element(TRACKS, entry), *clusters((shorter,)))
    assert_whole(await sanitize(header("matroska") + element(SEGMENT, *content)), sound=False)
