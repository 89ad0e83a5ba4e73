"""Videos with other boxes than an encoder writes."""

import struct
from collections.abc import Sequence
from typing import Any

from normalizer.isobmff import Box, find_boxes

from .media_samples import box, make_video

TABLE = b"moov", b"trak", b"mdia", b"minf", b"stbl"


def with_box(source: bytes, new: bytes, *path: bytes) -> bytes:
    """Return the video with the box at the path replaced. The index must come last."""
    data, chain = memoryview(source), []
    top = Box(b"", 0, 0, len(source))
    for kind in path:
        top = next(find_boxes(data, top, kind))
        chain.append(top)
    changed = bytearray(source[: top.start] + new + source[top.end :])
    for each in chain[:-1]:
        size = each.end - each.start + len(new) - (top.end - top.start)
        struct.pack_into(">I", changed, each.start, size)
    return bytes(changed)


def box_of(source: bytes, *path: bytes) -> bytes:
    data = memoryview(source)
    found = next(find_boxes(data, Box(b"", 0, 0, len(source)), *path))
    return source[found.start : found.end]


def table(kind: bytes, *rows: Sequence[int]) -> bytes:
    """Return a table that begins with the number of its rows."""
    numbers = [number for row in rows for number in row]
    return box(kind, struct.pack(f">II{len(numbers)}I", 0, len(rows), *numbers))


def sample_sizes(source: bytes) -> list[int]:
    sizes = box_of(source, *TABLE, b"stsz")
    return list(struct.unpack_from(f">{(len(sizes) - 20) // 4}I", sizes, 20))


def joined(parts: Sequence[bytes]) -> bytes:
    """Return one track with a sample description for each video, as editors join clips without encoding."""
    media = [box_of(part, b"mdat")[8:] for part in parts]
    counts = [len(sample_sizes(part)) for part in parts]
    entries = [box_of(part, *TABLE, b"stsd")[16:] for part in parts]
    first = parts[0]
    start = first.index(b"mdat") + 4
    places = [(start + sum(map(len, media[:number])),) for number in range(len(parts))]
    keys = [(1 + sum(counts[:number]),) for number in range(len(parts))]
    head = first[: start - 8]
    index = box_of(first, b"moov")
    source = head + box(b"mdat", *media) + index
    tables = {
        b"stsd": box(b"stsd", struct.pack(">II", 0, len(parts)), *entries),
        b"stts": table(b"stts", (sum(counts), 512)),
        b"stss": table(b"stss", *keys),
        b"stsc": table(b"stsc", *((n + 1, count, n + 1) for n, count in enumerate(counts))),
        b"stsz": box(
            b"stsz",
            struct.pack(">III", 0, 0, sum(counts)),
            *(struct.pack(">I", size) for part in parts for size in sample_sizes(part)),
        ),
        b"stco": table(b"stco", *places),
    }
    for kind, new in tables.items():
        source = with_box(source, new, *TABLE, kind)
    return with_box(source, box(b"free"), b"moov", b"trak", b"edts")


def clip(frames: int, codec_options: dict[str, str] | None = None, **options: Any) -> bytes:
    """Return a video without sound and without frames that are decoded before they are shown."""
    settings = {"bf": "0", "g": "250", **(codec_options or {})}
    return make_video(seconds=frames / 25, audio=None, codec_options=settings, **options)
