"""The type of samples, and the hidden data that they share."""

import struct
from dataclasses import dataclass, replace

#: The place where all samples were made, and the camera.
LATITUDE, LONGITUDE, ALTITUDE = 52.52, 13.405, 34
PLACE = "+52.5200+013.4050+034.0/"
CAMERA = "Example Phone 7"


@dataclass(frozen=True, slots=True)
class Sample:
    """A file as a consumer sends it. `canaries` are byte strings in it that no rendition may contain."""

    name: str
    media_type: str
    content: bytes
    canaries: tuple[bytes, ...] = ()


def padded(sample: Sample, size: int) -> Sample:
    """Return the sample with padding, which no decoder reads, so that it has exactly `size` bytes."""
    padding_size = size - len(sample.content)
    if padding_size < 8:
        raise ValueError(
            f"{sample.name} has {len(sample.content)} bytes, and padding adds at least 8: {size} are too few"
        )
    padding = struct.pack(">I4s", padding_size, b"free") + bytes(padding_size - 8)
    return replace(sample, content=sample.content + padding)


def canaries_for(canary: str, *places: str) -> tuple[bytes, ...]:
    """Return a canary, and its variants for the places where it is hidden."""
    return (canary.encode(), *(f"{canary}-{place}".encode() for place in places))


def xmp(text: str) -> bytes:
    """Return an XMP packet, the metadata that editing programs write."""
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'dc:creator="{text}"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()
