"""Videos made to harm or to carry hidden content. Each was found by mutating videos at random."""

import contextlib
import io
import struct
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import av
import pytest

from bench import sanitize_sandbox as measurements
from normalizer.media import Limits, MediaRejected
from normalizer.renditions.mp4_audit import audit
from normalizer.sanitizer import Sanitizer

from .assertions import content, rendition
from .conftest import Sanitize, sanitize_with
from .media_samples import box, make_video
from .video_assertions import reading, rejection_reason
from .video_boxes import TABLE, box_of, with_box

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = b"CANARY taken at 52.52 N 13.40 E by Ann"


Change = Callable[[bytes], bytes]


def unit(*content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", len(body)) + body


def as_it_is(packet: bytes) -> bytes:
    return packet


def remade(
    source: bytes, picture: Change = as_it_is, sound: Change = as_it_is, record: Change = as_it_is
) -> bytes:
    """Return the video with other packets or another configuration record, and tables that fit them."""
    buffer = io.BytesIO()
    output: Any
    with reading(source) as make_video, av.open(buffer, "w", format="mp4") as output:
        streams = {stream: output.add_stream_from_template(stream) for stream in make_video.streams}
        first = streams[make_video.streams.video[0]].codec_context
        first.extradata = record(bytes(first.extradata))
        for packet in make_video.demux():
            if packet.dts is None:
                continue
            change = picture if packet.stream.type == "video" else sound
            new: Any = av.Packet(change(bytes(packet)))
            new.pts, new.dts, new.duration = packet.pts, packet.dts, packet.duration
            new.time_base, new.is_keyframe = packet.time_base, packet.is_keyframe
            new.stream = streams[packet.stream]
            output.mux(new)
    return buffer.getvalue()


# text in pictures and sound -----------------------------------------------------------------------


def in_the_sequence(record: bytes) -> bytes:
    (size,) = struct.unpack_from(">H", record, 6)
    return (
        record[:6]
        + struct.pack(">H", size + len(WORDS))
        + record[8 : 8 + size]
        + WORDS
        + record[8 + size :]
    )


def followed(kind: int, packet: bytes) -> bytes:
    return packet + unit(bytes([kind]), WORDS)


def longer(packet: bytes) -> bytes:
    """Add text to the last unit."""
    at = 0
    while at + 4 + (size := int.from_bytes(packet[at : at + 4], "big")) < len(packet):
        at += 4 + size
    return packet[:at] + unit(packet[at + 4 :], WORDS)


CARRIERS: dict[str, dict[str, Change]] = {
    **{
        f"unit of type {kind}": {"picture": partial(followed, kind)}
        for kind in (0, 6, 9, 10, 11, 12, 13, 14, 15, 16, 19, 20, 24, 31)
    },
    "end of the sequence in front": {"picture": lambda p: unit(b"\x0a", WORDS) + p},
    "behind the last slice": {"picture": longer},
    "in the sequence parameters": {"record": in_the_sequence},
    "behind the record": {"record": lambda r: r + WORDS},
    "before the sound": {
        "sound": lambda p: bytes([0b10000001, len(WORDS)]) + WORDS + p,
    },
}


@pytest.mark.parametrize("name", CARRIERS)
async def test_text_between_pictures_and_sounds_is_removed(sanitize: Sanitize, name: str) -> None:
    source = remade(make_video(seconds=0.4), **CARRIERS[name])
    assert WORDS in source
    clean = await sanitize(source)
    data = content(clean, "video")
    assert b"CANARY" not in data
    audit(memoryview(data))
    with reading(data) as made:
        assert sum(1 for _ in made.decode(video=0)) == 10


@pytest.mark.parametrize("kind", [7, 8])
async def test_invalid_parameters_are_not_copied(sanitize: Sanitize, kind: int) -> None:
    source = remade(
        make_video(seconds=0.4), lambda packet: packet + unit(bytes([0x60 | kind]), WORDS)
    )
    with contextlib.suppress(MediaRejected):
        assert b"CANARY" not in content(await sanitize(source), "video")


async def test_text_after_a_sound_is_not_copied(sanitize: Sanitize) -> None:
    source = remade(make_video(seconds=0.4), sound=lambda packet: packet + WORDS)
    with contextlib.suppress(MediaRejected):
        assert b"CANARY" not in content(await sanitize(source), "video")


async def test_repeated_parameters_do_not_cause_encoding(sanitize: Sanitize) -> None:
    source = make_video(seconds=0.4)
    with reading(source) as before:
        record = bytes(before.streams.video[0].codec_context.extradata or b"")
        wanted = [bytes(p)[-20:] for p in before.demux(video=0) if p.dts is not None]
    (size,) = struct.unpack_from(">H", record, 6)
    repeated = unit(record[8 : 8 + size])
    clean = await sanitize(remade(source, lambda packet: repeated + packet))
    with reading(content(clean, "video")) as after:
        packets = [bytes(p) for p in after.demux(video=0) if p.dts is not None]
    assert [packet[-20:] for packet in packets] == wanted
    assert repeated not in packets[0]


async def test_a_video_of_mostly_invalid_frames_is_corrupt(sanitize: Sanitize) -> None:
    """A poster could be made, but nothing would play."""
    numbers = iter(range(100))
    source = remade(
        make_video(seconds=2),
        lambda packet: packet if next(numbers) < 10 else unit(b"\x41\0\0\xff", bytes(50)),
    )
    assert await rejection_reason(sanitize, source) == "corrupt"


async def test_content_outside_the_media_is_not_a_frame(sanitize: Sanitize) -> None:
    """An index points at a box of text, which would be copied as sound."""
    source = bytearray(make_video(seconds=0.4))
    at = source.rindex(b"stco")
    (chunks,) = struct.unpack_from(">I", source, at + 8)
    struct.pack_into(">I", source, at + 8 + 4 * chunks, len(source) + 8 + 19)
    with pytest.raises(MediaRejected, match="outside its media"):
        await sanitize(bytes(source) + box(b"free", WORDS * 500))


async def test_a_video_without_a_key_frame_first_is_encoded(
    sanitize: Sanitize,
) -> None:
    """Browsers show nothing before the first picture that does not depend on another."""
    source = make_video(seconds=1, audio=None, codec_options={"g": "10", "bf": "0"})
    with reading(source) as before:
        packets = [bytes(p) for p in before.demux(video=0) if p.dts is not None]
    assert any(packet[4] & 31 == 5 for packet in packets[5:])
    rest = iter(packets[5:] + packets[:5])
    data = content(await sanitize(remade(source, lambda _: next(rest))), "video")
    with reading(data) as made:
        first = next(p for p in made.demux(video=0) if p.dts is not None)
        assert first.is_keyframe
        assert bytes(first)[4] & 31 in {5, 7}


# indexes that claim too much ----------------------------------------------------------------------


def fragmented() -> bytes:
    return make_video(options={"movflags": "frag_keyframe+empty_moov"}, codec_options={"g": "5"})


def full(kind: bytes, form: str, *values: int) -> bytes:
    return box(kind, bytes(4), struct.pack(form, *values))


def with_waves(in_a_chunk: int) -> bytes:
    """Return a video whose uncompressed sound comes in chunks with a claimed length."""
    source = bytearray(make_video(audio="pcm_s16le", container="mov"))
    struct.pack_into(">4I", source, source.rindex(b"stsc") + 8, 1, 1, in_a_chunk, 1)
    return bytes(source)


CLAIMS: dict[str, Callable[[], bytes]] = {
    "waves in a chunk": lambda: with_waves(500_000_000),
    "a run of a fragment": lambda: with_box(
        fragmented(), full(b"trun", ">I", 7_000_000), b"moof", b"traf", b"trun"
    ),
    "a run without its sizes": lambda: with_box(
        fragmented(), box(b"trun", struct.pack(">II", 0x200, 1_000_000)), b"moof", b"traf", b"trun"
    ),
    "sizes of half a byte": lambda: with_box(
        make_video(), full(b"stz2", ">II", 4, 7_000_000), *TABLE, b"stsz"
    ),
    "sizes in a wrong place": lambda: with_box(
        make_video(audio=None),
        box_of(make_video(audio=None), *TABLE[:4], b"vmhd") + full(b"stsz", ">II", 1, 0x7FFFFFFF),
        *TABLE[:4],
        b"vmhd",
    ),
    "pictures that pose as numbers of a wave": lambda: with_box(
        with_box(make_video(audio=None), full(b"stsz", ">II", 1, 9_000_000), *TABLE, b"stsz"),
        full(b"stts", ">III", 1, 9_000_000, 1),
        *TABLE,
        b"stts",
    ),
    "key frames": lambda: with_box(make_video(), full(b"stss", ">I", 0x7FFFFFFF), *TABLE, b"stss"),
    "chunks": lambda: with_box(make_video(), full(b"stco", ">I", 0x7FFFFFFF), *TABLE, b"stco"),
    "pieces": lambda: with_box(
        make_video(),
        full(b"elst", ">I" + "IIi" * 2000, 2000, *(0x7FFFFFFF, 0, 0x10000) * 2000),
        *TABLE[:2],
        b"edts",
        b"elst",
    ),
}


@pytest.mark.parametrize("name", CLAIMS)
async def test_claims_of_an_index_cost_no_memory(
    sanitizer: Sanitizer, sanitize: Sanitize, name: str
) -> None:
    source = CLAIMS[name]()
    measurements.most_memory(sanitizer)
    if name == "sizes in a wrong place":
        assert (await sanitize(source)).duration_seconds == pytest.approx(1.0, abs=0.1)
    else:
        assert await rejection_reason(sanitize, source) == "corrupt"
    # By now the sandbox of that file has ended, or a later one has.
    await sanitize(make_video(seconds=0.1))
    assert measurements.most_memory(sanitizer) <= 256 << 20


async def test_the_first_of_two_equal_tables_counts(sanitize: Sanitize) -> None:
    source = make_video(audio=None)
    times = box_of(source, *TABLE, b"stts")
    clean = await sanitize(with_box(source, times + times, *TABLE, b"stts"))
    assert clean.duration_seconds == pytest.approx(1.0, abs=0.1)


async def test_a_video_longer_than_its_index_states_is_refused() -> None:
    """The header states a second, the times of the frames add up to hours."""
    short = make_video(audio=None, codec="mpeg4").replace(b"edts", b"free")
    source = with_box(short, full(b"stts", ">III", 1, 25, 1 << 24), *TABLE, b"stts")
    running = Sanitizer(Limits(video_max_seconds=60), sandboxes=1)
    await running.start()
    try:
        assert await rejection_reason(sanitize_with(running), source) == "too_long"
    finally:
        await running.close()


async def test_a_sample_rate_of_a_few_hertz_is_refused(sanitize: Sanitize) -> None:
    """One second of it would become hours, and much of that would be in memory at once."""
    source = make_video(audio="alac", sample_rate=44100)
    at = source.rindex(b"alac") + 4 + 24
    assert struct.unpack_from(">I", source, at) == (44100,)
    with pytest.raises(MediaRejected, match="the sound has 6 samples a second"):
        await sanitize(source[:at] + struct.pack(">I", 6) + source[at + 4 :])


async def test_a_failed_copy_of_the_pictures_encodes_everything(
    sanitize: Sanitize,
) -> None:
    """Everything is encoded, and the video states the size that it then has."""
    source = remade(
        make_video(seconds=0.2, size=(1920, 1080), rotation=90, audio="alac"), picture=longer
    )
    clean = await sanitize(source)
    with reading(content(clean, "video")) as made:
        frame = next(made.decode(video=0))
    assert (frame.width, frame.height) == (720, 1280)
    video = rendition(clean, "video")
    assert (video.width, video.height) == (720, 1280)


# videos that only look strange --------------------------------------------------------------------


async def test_frames_with_equal_times_get_increasing_times(sanitize: Sanitize) -> None:
    """Some cameras repeat the time of a frame."""
    source = make_video(audio=None, codec_options={"bf": "0"})
    times = full(b"stts", ">I" + "II" * 3, 3, 10, 512, 1, 0, 14, 512)
    clean = await sanitize(with_box(source, times, *TABLE, b"stts"))
    with reading(content(clean, "video")) as made:
        stamps = [packet.dts for packet in made.demux(video=0) if packet.dts is not None]
    assert len(stamps) == 25
    assert stamps == sorted(set(stamps))


async def test_an_aspect_ratio_in_the_container_alone_counts(sanitize: Sanitize) -> None:
    source = make_video(size=(160, 120))
    shape = box(b"pasp", struct.pack(">II", 1, 2))
    entry = box_of(source, *TABLE, b"stsd")
    old = entry[entry.index(b"pasp") - 4 :][:16] if b"pasp" in entry else b""
    inner = entry[16:].replace(old, b"") if old else entry[16:]
    inner = struct.pack(">I", len(inner) + len(shape)) + inner[4:] + shape
    wide = with_box(source, box(b"stsd", entry[8:16], inner), *TABLE, b"stsd")
    clean = await sanitize(wide)
    assert (clean.width, clean.height) == (160, 240)
    assert rendition(clean, "poster").height == 240
    with reading(content(clean, "video")) as made:
        assert made.streams.video[0].sample_aspect_ratio == Fraction(1, 2)


async def test_an_aspect_ratio_in_the_stream_alone_counts(sanitize: Sanitize) -> None:
    source = make_video(size=(176, 144), shape=Fraction(12, 11))
    clean = await sanitize(source.replace(b"pasp", b"free"))
    assert (clean.width, clean.height) == (192, 144)


async def test_an_implausible_aspect_ratio_is_ignored(sanitize: Sanitize) -> None:
    """A header states a width on the screen that makes no sense."""
    source = bytearray(make_video(audio=None, size=(160, 120)))
    at = source.index(b"tkhd") + 4 + 76
    assert struct.unpack_from(">II", source, at) == (160 << 16, 120 << 16)
    struct.pack_into(">I", source, at, (160 * 280) << 16)
    clean = await sanitize(bytes(source).replace(b"pasp", b"free"))
    assert (clean.width, clean.height) == (160, 120)
    header = box_of(content(clean, "video"), b"moov", b"trak", b"tkhd")
    assert struct.unpack(">II", header[-8:]) == (160 << 16, 120 << 16)


async def test_a_video_without_a_visible_frame_is_corrupt(sanitize: Sanitize) -> None:
    """Its first edit begins a minute after its last frame."""
    late = full(b"elst", ">IIII", 1, 1000, 60 * 12800, 0x10000)
    pieces = make_video(audio=None, options={"movflags": "dash+delay_moov+frag_keyframe"})
    source = with_box(pieces, late, *TABLE[:2], b"edts", b"elst")
    assert await rejection_reason(sanitize, source) == "corrupt"
