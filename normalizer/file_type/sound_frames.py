"""Frames of sound without a container: MP3 and AAC (ADTS), recognised by two frames that follow each other."""

#: Kilobits per second of layer III, by version (MPEG-1, or MPEG-2 and 2.5) and index (ISO/IEC 11172-3, 13818-3).
_BITRATES = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
#: Samples per second, by the version's bits and index.
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def sound_type(start: bytes) -> str | None:
    """Return the media type of a file that begins with two frames; None for any other file."""
    for media_type, length_of in (("audio/mpeg", _mp3), ("audio/aac", _adts)):
        length = length_of(start)
        if length and length_of(start[length:]):
            return media_type
    return None


def _mp3(frame: bytes) -> int:
    """Return the length of the MP3 frame at the start; 0 if there is none."""
    if len(frame) < 4 or frame[0] != 0xFF or frame[1] & 0xE6 != 0xE2:
        return 0
    version, is_first = frame[1] >> 3 & 3, frame[1] >> 3 & 3 == 3
    rates, index = _RATES.get(version), frame[2] >> 2 & 3
    bitrate = _BITRATES[is_first][frame[2] >> 4] * 1000
    if rates is None or index == 3 or not bitrate:
        return 0
    return (144 if is_first else 72) * bitrate // rates[index] + (frame[2] >> 1 & 1)


def _adts(frame: bytes) -> int:
    """Return the length of the ADTS frame at the start; 0 if there is none."""
    if len(frame) < 7 or frame[0] != 0xFF or frame[1] & 0xF6 != 0xF0:
        return 0
    length = (frame[3] & 3) << 11 | frame[4] << 3 | frame[5] >> 5
    return length if length >= 7 else 0
