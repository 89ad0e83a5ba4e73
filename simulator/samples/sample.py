"""What a sample is."""

import struct
from dataclasses import dataclass, replace

#: Where all samples were made, and by what.
LATITUDE, LONGITUDE, ALTITUDE = 52.52, 13.405, 34
PLACE = "+52.5200+013.4050+034.0/"
CAMERA = "Example Phone 7"


@dataclass(frozen=True, slots=True)
class Sample:
    """A file as a consumer sends it. `canaries` stand in the file and must stand in no rendition."""

    name: str
    media_type: str
    content: bytes
    canaries: tuple[bytes, ...] = ()


def padded(sample: Sample, size: int) -> Sample:
    """The same file made exactly `size` bytes long by something that no decoder reads."""
    padding_size = size - len(sample.content)
    if padding_size < 8:
        raise ValueError(f"{sample.name} has {len(sample.content)} bytes: {size} is too few")
    padding = struct.pack(">I4s", padding_size, b"free") + bytes(padding_size - 8)
    return replace(sample, content=sample.content + padding)


def canaries_for(canary: str, *places: str) -> tuple[bytes, ...]:
    """A canary by itself, and as it is marked for the places where it is hidden."""
    return (canary.encode(), *(f"{canary}-{place}".encode() for place in places))


def xmp(text: str) -> bytes:
    """A packet of the metadata that editing programs write."""
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'dc:creator="{text}"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()
