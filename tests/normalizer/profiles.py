"""ICC profiles for tests, built from primaries and a curve."""

import struct

DISPLAY_P3 = (
    (0.515102, 0.241182, -0.001049),
    (0.291965, 0.692236, 0.041881),
    (0.157153, 0.066582, 0.784378),
)
ADOBE_RGB = (
    (0.609741, 0.311111, 0.019470),
    (0.205276, 0.625671, 0.060867),
    (0.149185, 0.063217, 0.744568),
)
#: Swapped primaries: green light where red should be. No phone has them, so tests cannot confuse them.
SWAPPED = (
    (0.385147, 0.716873, 0.097076),
    (0.436066, 0.222488, 0.013916),
    (0.143066, 0.060608, 0.714096),
)
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def profile(primaries: tuple[tuple[float, float, float], ...], gamma: float | None = None) -> bytes:
    """Return a matrix profile with the curve of sRGB, or a plain gamma."""
    if gamma is None:
        curve = b"para\0\0\0\0" + struct.pack(">HH", 3, 0) + b"".join(map(_fixed, SRGB_CURVE))
    else:
        curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    text = b"desc\0\0\0\0" + struct.pack(">I", 7) + b"CANARY\0" + bytes(79)
    tags = [(b"desc", text), (b"wtpt", _xyz((0.9642, 1.0, 0.8249)))]
    tags += [
        (name, _xyz(each))
        for name, each in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)
    ]
    tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    table = body = b""
    for name, content in tags:
        padded = content + bytes(-len(content) % 4)
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(content))
        body += padded
    size = 132 + len(table) + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"test", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + _fixed(0.9642) + _fixed(1) + _fixed(0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, values))
