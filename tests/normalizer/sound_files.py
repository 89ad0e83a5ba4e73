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
