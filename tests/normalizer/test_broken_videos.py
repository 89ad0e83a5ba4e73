"""Videos that are broken, truncated or not what they seem, and the audit of what leaves the sandbox."""

import io
import struct
from typing import Any

import av
import numpy as np
import pytest

from normalizer.isobmff import Box, Broken, find_boxes, walk
from normalizer.media import MediaRejected
from normalizer.renditions.mp4_audit import audit

from .assertions import content, rendition
from .conftest import Sanitize
from .media_samples import box, make_video
from .video_assertions import assert_playable, reading, rejection_reason

pytestmark = pytest.mark.asyncio(loop_scope="module")

# files that are not videos, or not whole ----------------------------------------------------------


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("flags", ["", "faststart", "frag_keyframe+empty_moov"])
async def test_a_truncated_video_is_corrupt(sanitize: Sanitize, share: float, flags: str) -> None:
    source = make_video(options={"movflags": flags} if flags else {}, codec_options={"g": "5"})
    assert await rejection_reason(sanitize, source[: int(len(source) * share)]) == "corrupt"


async def test_data_in_another_file_is_never_read(sanitize: Sanitize) -> None:
    source = make_video(audio=None)
    reference = box(b"url ", struct.pack(">I", 1))
    assert reference in source
    outside = box(b"url ", struct.pack(">I", 0))
    assert (
        await rejection_reason(sanitize, source.replace(reference, outside)) == "unsupported_type"
    )


async def test_sound_alone_is_sound(sanitize: Sanitize) -> None:
    buffer = io.BytesIO()
    with reading(make_video()) as source:
        output: Any
        with av.open(buffer, "w", format="ipod") as output:
            stream = output.add_stream_from_template(source.streams.audio[0])
            for packet in source.demux(audio=0):
                if packet.dts is not None:
                    packet.stream = stream
                    output.mux(packet)
    assert (await sanitize(buffer.getvalue())).kind == "audio"


async def test_an_index_that_claims_millions_of_frames_is_refused(sanitize: Sanitize) -> None:
    source = bytearray(make_video(audio=None))
    at = source.index(b"stsz")
    struct.pack_into(">II", source, at + 8, 1, 0x7FFFFFFF)
    assert await rejection_reason(sanitize, bytes(source)) == "corrupt"


async def test_endless_nested_boxes_are_refused(sanitize: Sanitize) -> None:
    deep = b""
    for _ in range(3000):
        deep = box(b"moov", box(b"trak", deep))[:100_000]
    assert (
        await rejection_reason(sanitize, box(b"ftyp", b"isom", bytes(4)) + deep + box(b"mdat"))
        == "corrupt"
    )
    many = box(b"ftyp", b"isom", bytes(4)) + box(b"free") * 1_000_000
    assert await rejection_reason(sanitize, many) == "corrupt"


@pytest.mark.parametrize("damage", range(12))
async def test_damage_anywhere_affects_only_the_video(sanitize: Sanitize, damage: int) -> None:
    source = bytearray(make_video(seconds=0.4))
    random = np.random.default_rng(damage)
    for _ in range(8):
        source[int(random.integers(8, len(source)))] = int(random.integers(256))
    try:
        clean = await sanitize(bytes(source))
    except MediaRejected:
        return
    audit(memoryview(content(clean, "video")))


# the audit outside the sandbox --------------------------------------------------------------------


def forged(source: bytes, old: bytes, new: bytes) -> bytes:
    assert old in source
    return source.replace(old, new)


async def test_the_audit_refuses_output_of_a_compromised_sandbox(sanitize: Sanitize) -> None:
    good = content(await sanitize(make_video()), "video")
    audit(memoryview(good))
    top = {each.kind: each for each in walk(memoryview(good), 0, len(good))}
    index = good[top[b"moov"].start : top[b"moov"].end]
    bad = {
        "trailing bytes": good + b"CANARY",
        "a box more": good + box(b"free", b"CANARY"),
        "index last": good[: top[b"moov"].start] + good[top[b"mdat"].start :] + index,
        "a name": forged(good, b"VideoHandler", b"CANARYHandle"),
        "another coding": forged(good, b"avc1\0\0\0\0", b"hvc1\0\0\0\0"),
        "another box": forged(good, b"stsz", b"free"),
        "an encoder's name": good.replace(
            bytes(31) + b"\0\x18\xff\xff", b"CANARY".ljust(32, b"\0") + b"\x18\xff\xff"
        ),
        "cut": good[:-1],
        "nothing": b"",
    }
    assert bad["an encoder's name"] != good
    for name, data in bad.items():
        with pytest.raises(Broken):
            audit(memoryview(data))
            pytest.fail(name)


async def test_a_finished_video_cannot_be_changed(sanitize: Sanitize) -> None:
    made = rendition(await sanitize(make_video()), "video").content
    with pytest.raises(TypeError):
        made[0:4] = b"xxxx"  # type: ignore[index]


# videos that are not what they seem ---------------------------------------------------------------


async def test_an_unknown_box_before_the_index_hides_nothing(sanitize: Sanitize) -> None:
    source = make_video(options={"movflags": "faststart"})
    at = source.index(b"moov") - 4
    extra = box(b"beam", b"CANARY") + box(b"loop", bytes(4))
    # Offsets count from the start of the file.
    moved = bytearray(source[:at] + extra + source[at:])
    for found in find_boxes(
        memoryview(moved),
        Box(b"", 0, 0, len(moved)),
        *(b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stco"),
    ):
        (count,) = struct.unpack_from(">I", moved, found.body + 4)
        for place in range(found.body + 8, found.body + 8 + 4 * count, 4):
            (offset,) = struct.unpack_from(">I", moved, place)
            struct.pack_into(">I", moved, place, offset + len(extra))
    clean = await sanitize(bytes(moved))
    assert_playable(clean)
    assert b"CANARY" not in content(clean, "video")


@pytest.mark.parametrize(("plain", "locked"), [(b"avc1", b"encv"), (b"mp4a", b"enca")])
async def test_an_encrypted_video_is_refused(
    sanitize: Sanitize, plain: bytes, locked: bytes
) -> None:
    source = bytearray(make_video())
    at = source.index(plain, source.index(b"stsd"))
    source[at : at + 4] = locked
    assert await rejection_reason(sanitize, bytes(source)) == "unsupported_type"
