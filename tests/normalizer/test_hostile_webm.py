"""WebM and Matroska files made to harm: each ends clearly, within bounds, and carries nothing through."""

import struct
from collections.abc import Callable
from dataclasses import replace

import pytest

from bench import sanitize_sandbox as measurements
from normalizer.decoders.matroska import segment
from normalizer.decoders.matroska.reading import Recording
from normalizer.decoders.video import recorded as recorded_video
from normalizer.media import MediaRejected
from normalizer.sanitizer import Sanitizer

from .conftest import Sanitize
from .video_assertions import frames, rejection_reason
from .webm_files import (
    BLOCK,
    BLOCK_GROUP,
    CLUSTER,
    SEGMENT,
    SIMPLE_BLOCK,
    TAGS,
    TRACKS,
    VOID,
    Track,
    as_simple_block,
    block,
    clusters,
    element,
    header,
    id_of,
    info,
    number,
    opened,
    recorded,
    tracks_of,
    whole,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

_MAX_SANDBOX_BYTES = 256 << 20


def entries(*tracks: Track) -> bytes:
    return element(TRACKS, *(each.entry() for each in tracks))


def around(*parts: bytes) -> bytes:
    return header() + element(SEGMENT, info(), entries(*tracks_of()), *parts)


def read(source: bytes) -> Recording:
    return recorded_video.read(memoryview(source))


def reason(source: bytes) -> str:
    with pytest.raises(MediaRejected) as refusal:
        read(source)
    return refusal.value.reason


# lies that hurt nobody ----------------------------------------------------------------------------


def with_header(*fields: bytes) -> bytes:
    return header("webm", *fields) + whole(*tracks_of())[len(header()) :]


def with_sides(width: int, height: int) -> bytes:
    picture, sound = tracks_of()
    return whole(replace(picture, inside=number(0xB0, width) + number(0xBA, height)), sound)


def with_empty_clusters() -> bytes:
    empty = element(CLUSTER) + opened(CLUSTER) + element(CLUSTER, number(0xE7, 5))
    return whole(*tracks_of(), before=empty * 50, after=empty * 50)


def with_empty_blocks() -> bytes:
    def write(track: Track, relative: int, key: bool, data: bytes) -> bytes:
        empty = block(track.number, relative, b"")
        return (
            element(SIMPLE_BLOCK, empty)
            + element(SIMPLE_BLOCK)
            + element(BLOCK_GROUP, element(BLOCK, empty))
            + element(BLOCK_GROUP)
            + as_simple_block(track, relative, key, data)
        )

    return whole(*tracks_of(), write=write)


def with_a_configuration(*fields: bytes) -> bytes:
    picture, sound = tracks_of()
    return header() + element(
        SEGMENT,
        info(),
        element(TRACKS, picture.entry(*fields), sound.entry(*fields)),
        *clusters((picture, sound)),
    )


def too_small() -> bytes:
    tracks = tracks_of()
    content = (info(), entries(*tracks), *clusters(tracks))
    return header() + element(SEGMENT, *content, claim=len(b"".join(content[:3])))


LIES: dict[str, Callable[[], bytes]] = {
    "longest size 0": lambda: with_header(number(0x42F3, 0)),
    "longest size 255": lambda: with_header(number(0x42F3, 255)),
    "longest id 1": lambda: with_header(number(0x42F2, 1)),
    "version of the future": lambda: with_header(number(0x42F7, 9), number(0x4285, 99)),
    "gigantic sides": lambda: with_sides((1 << 40) - 1, (1 << 40) - 1),
    "no sides": lambda: with_sides(0, 0),
    "empty clusters": with_empty_clusters,
    "empty blocks": with_empty_blocks,
    "a frame of a year": lambda: with_a_configuration(number(0x23E383, 1 << 55)),
    "delays of a year": lambda: with_a_configuration(number(0x56AA, 1 << 55), number(0x56BB, 1 << 55)),
    "a segment too large by a byte": lambda: whole(*tracks_of())[: len(header())]
    + element(
        SEGMENT,
        whole(*tracks_of())[len(header()) + 12 :],
        claim=len(whole(*tracks_of())) - len(header()) - 11,
    ),
    "a segment that ends too early": too_small,
    "zeros at the end": lambda: recorded(*tracks_of()) + bytes(100_000),
    "another recording": lambda: recorded(*tracks_of()) + recorded(*tracks_of("libx264", "aac")),
    "a segment in a segment": lambda: whole(*tracks_of(), after=element(SEGMENT, element(SEGMENT))),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
async def test_a_claim_beside_the_frames_changes_nothing(sanitize: Sanitize, name: str) -> None:
    clean = await sanitize(LIES[name]())
    assert len(frames(clean)) == 25
    assert (clean.width, clean.height) == (160, 120)
    assert clean.duration_seconds == pytest.approx(1.0, abs=0.1)


# files that are refused ---------------------------------------------------------------------------


def jumping(by: Callable[[int], int]) -> bytes:
    picture, sound = tracks_of()
    frames = picture.frames
    parts = [
        element(CLUSTER, number(0xE7, by(time)), as_simple_block(picture, 0, key, data))
        for time, key, data in frames
    ]
    return header() + element(SEGMENT, info(), entries(picture, sound), *parts)


def encoded_as(method: int | None, encryption: int | None = None) -> bytes:
    """Return a video whose frames are said to be compressed or encrypted."""
    inside = b""
    if method is not None:
        inside += element(0x5034, number(0x4254, method))
    if encryption is not None:
        inside += number(0x5033, 1) + element(0x5035, number(0x47E1, encryption))
    return with_a_configuration(element(0x6D80, element(0x6240, inside)))


def nested(kind: int, depth: int) -> bytes:
    found = b""
    for _ in range(depth):
        found = element(kind, found)
    return found


def lacing(flags: int, body: bytes) -> bytes:
    return around(
        element(CLUSTER, number(0xE7, 0), element(SIMPLE_BLOCK, block(1, 0, body, flags)))
    )


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "no segment": (header, "corrupt"),
    "no tracks": (lambda: header() + element(SEGMENT, info()), "corrupt"),
    "tracks of open size": (
        lambda: header() + element(SEGMENT, opened(TRACKS, tracks_of()[0].entry())),
        "corrupt",
    ),
    "tracks beyond the file": (
        lambda: header() + element(SEGMENT, element(TRACKS, tracks_of()[0].entry(), claim=1 << 50)),
        "corrupt",
    ),
    "a configuration beyond the file": (
        lambda: with_a_configuration(element(0x63A2, b"abc", claim=1 << 50)),
        "corrupt",
    ),
    "a thousand tracks": (
        lambda: header() + element(SEGMENT, info(), entries(*tracks_of() * 500)),
        "corrupt",
    ),
    "a time beyond all": (lambda: jumping(lambda time: time + (1 << 62) * (time > 500)), "corrupt"),
    "times that go back": (lambda: jumping(lambda time: 60_000 - 50 * time), "corrupt"),
    "a tick of no length": (
        lambda: whole(*tracks_of(), before=b"").replace(number(0x2AD7B1, 1_000_000), number(0x2AD7B1, 0) + element(VOID, bytes(0), width=2)),
        "corrupt",
    ),
    "zlib": (lambda: encoded_as(0), "unsupported_type"),
    "zlib, by default": (lambda: encoded_as(None), "unsupported_type"),
    "bzip2": (lambda: encoded_as(1), "unsupported_type"),
    "lzo": (lambda: encoded_as(2), "unsupported_type"),
    "encrypted": (lambda: encoded_as(None, 5), "unsupported_type"),
    "a prefix of a megabyte": (
        lambda: with_a_configuration(
            element(0x6D80, element(0x6240, element(0x5034, number(0x4254, 3), element(0x4255, bytes(1 << 20)))))
        ),
        "corrupt",
    ),
    "lengths beyond the block": (lambda: lacing(0x02, b"\x02\xff\xff\xff\x01" + bytes(9)), "corrupt"),
    "lengths below zero": (lambda: lacing(0x06, b"\x02\x81\x80" + bytes(9)), "corrupt"),
    "frames that differ": (lambda: lacing(0x04, b"\x02" + bytes(10)), "corrupt"),
    "no frames of many": (lambda: lacing(0x04, b"\xff"), "corrupt"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
async def test_a_hostile_file_is_refused_for_its_reason(name: str) -> None:
    make, expected = REFUSED[name]
    assert reason(make()) == expected


#: Each of these is three million times in a file at worst.
TINY: dict[str, Callable[[int], bytes]] = {
    "padding": lambda count: around(b"\xec\x80" * count),
    "clusters": lambda count: around((id_of(CLUSTER) + b"\x80") * count),
    "blocks": lambda count: around(opened(CLUSTER, b"\xa3\x84\x81\0\0\0" * count)),
    "damage": lambda count: around((id_of(CLUSTER) + b"\0") * count),
    "groups": lambda count: around(opened(CLUSTER, b"\xa0\x80" * count)),
    "segments": lambda count: around((id_of(SEGMENT) + b"\x80") * count),
}


@pytest.mark.parametrize("name", TINY)
async def test_tiny_elements_without_end_are_counted(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment, "_MAX_ELEMENTS", 5000)
    with pytest.raises(MediaRejected, match="more than 5000 elements"):
        read(TINY[name](6000))


async def test_tiny_fields_without_end_are_counted() -> None:
    with pytest.raises(MediaRejected, match="more than 2000 elements in one place"):
        read(with_a_configuration(b"\xec\x80" * 3000))


@pytest.mark.parametrize("name", ["a thousand tracks", "times that go back", "zlib", "no tracks"])
async def test_a_sandbox_refuses_it_within_its_memory(
    sanitizer: Sanitizer, sanitize: Sanitize, name: str
) -> None:
    make, expected = REFUSED[name]
    measurements.most_memory(sanitizer)
    assert await rejection_reason(sanitize, make()) == expected
    await sanitize(whole(*tracks_of()))
    assert measurements.most_memory(sanitizer) <= _MAX_SANDBOX_BYTES


async def test_frames_of_gigantic_sides_are_corrupt(
    sanitizer: Sanitizer, sanitize: Sanitize
) -> None:
    """The sides in a key frame of VP8 (RFC 6386, 9.1) cost memory before anything is decoded."""
    picture, sound = tracks_of()
    time, key, data = picture.frames[0]
    gigantic = data[:6] + struct.pack("<HH", 16_383, 16_383) + data[10:]
    source = recorded(replace(picture, frames=((time, key, gigantic), *picture.frames[1:])), sound)
    measurements.most_memory(sanitizer)
    assert await rejection_reason(sanitize, source) == "corrupt"
    await sanitize(whole(*tracks_of()))
    assert measurements.most_memory(sanitizer) <= _MAX_SANDBOX_BYTES


async def test_hours_of_sound_within_a_second_are_corrupt(sanitize: Sanitize) -> None:
    """A byte of Opus is 60 ms of silence, and the times of its blocks can say anything."""
    picture, sound = tracks_of()
    silence = tuple((number // 100, True, b"\x18") for number in range(20_000))
    source = recorded(picture, replace(sound, frames=silence))
    assert await rejection_reason(sanitize, source) == "corrupt"


async def test_masters_nested_deeply_are_passed_over(sanitize: Sanitize) -> None:
    deep = nested(TAGS, 3000) + nested(CLUSTER, 2000) + nested(SEGMENT, 2000)
    assert await rejection_reason(sanitize, header() + element(SEGMENT, deep)) == "corrupt"
    clean = await sanitize(whole(*tracks_of(), before=nested(TAGS, 3000)))
    assert len(frames(clean)) == 25


async def test_a_jump_of_an_hour_is_too_long(sanitize: Sanitize) -> None:
    assert await rejection_reason(sanitize, jumping(lambda t: t * 100_000)) == "too_long"
