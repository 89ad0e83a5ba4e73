"""Sound files made by hand, with headers that no honest recorder writes."""

import struct

import numpy as np

from simulator.samples.sounds import encoded

#: A frame of AMR without data: 20 ms of silence in one byte (RFC 4867, 5.3).
_AMR_NOTHING = b"\x7c"
_AMR_FRAMES_A_SECOND = 50


def silent_amr(seconds: float) -> bytes:
    """Return silence in as few bytes as AMR needs."""
    return b"#!AMR\n" + _AMR_NOTHING * round(seconds * _AMR_FRAMES_A_SECOND)


def silent_flac(seconds: float, rate: int = 8_000) -> bytes:
    """Return silence in as few bytes as FLAC needs."""
    return encoded(np.zeros(round(seconds * rate), np.int16), "flac", "flac", rate)


def wav(rate: int, seconds: float, *, channels: int = 1, claim: int | None = None) -> bytes:
    """Return a tone. `claim` are the bytes of sound that the header names."""
    numbers = np.sin(np.arange(round(rate * seconds) * channels) / 5) * 9000
    data = numbers.astype("<i2").tobytes()
    size = len(data) if claim is None else claim
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * 2 * channels, 2 * channels, 16)
    return b"".join(
        (
            b"RIFF",
            struct.pack("<I", (36 + size) % (1 << 32)),
            b"WAVEfmt ",
            struct.pack("<I", 16),
            form,
            b"data",
            struct.pack("<I", size),
            data,
        )
    )


def id3(content: bytes) -> bytes:
    """Return a tag around some bytes."""
    digits = bytes(len(content) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + digits + content


#: Bytes of a frame of AMR wideband without its first one, by mode (3GPP TS 26.201, table 2): speech of 12.65 kbit/s,
#: a description of silence, and nothing, which repeats the silence.
_WIDEBAND = {"speech": (2, 32), "silence": (9, 5), "nothing": (15, 0)}


def wideband_amr(*frames: str, seed: int = 1) -> bytes:
    """Return frames of 20 ms. No encoder is free, so the parameters of speech are random: it hisses and gurgles."""
    numbers = np.random.default_rng(seed)
    written = [b"#!AMR-WB\n"]
    for frame in frames:
        mode, size = _WIDEBAND[frame]
        # The header has a bit for damage, the mode, and a bit for quality (RFC 4867, 5.3).
        written += [bytes([mode << 3 | 4]), numbers.bytes(size)]
    return b"".join(written)
