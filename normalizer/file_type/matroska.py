"""WebM and Matroska: the type of document that the header names, and whether the file has a picture track."""

import os
from collections.abc import Iterator
from itertools import islice

from normalizer import ebml

#: Types of documents whose decoders we have (RFC 9559, 27.1).
DOC_TYPES = frozenset({"webm", "matroska"})

_DOC_TYPE_BYTES = 16

#: Elements of a segment whose headers are read in search of the tracks, which come first in most files.
_MAX_ELEMENTS = 500

#: Longest header of an element: four bytes of ID, eight of size.
_HEADER_BYTES = 12

#: Tracks and their fields that are looked at; configurations of decoders fit into so many bytes.
_MAX_TRACKS, _MAX_FIELDS, _MAX_TRACKS_BYTES = 64, 100, 1 << 20


def doc_type(head: bytes) -> str | None:
    """Return the type of document that the header at the start names; None if it names none or is damaged."""
    header = ebml.parse(head, 0)
    if header is None or header.end is None:
        return None
    try:
        for element in ebml.children(head, header.body, min(header.end, len(head))):
            if element.kind == ebml.DOC_TYPE:
                content = ebml.content_of(head, element, _DOC_TYPE_BYTES)
                return content.rstrip(b"\0").decode("ascii", "replace")
    except ebml.Broken:
        return None
    return None


def has_pictures(source: int) -> bool | None:
    """Whether the file behind a descriptor has a picture track; None if its tracks cannot be found."""
    tracks = _tracks(source)
    if tracks is None:
        return None
    try:
        types = set(_types(tracks))
    except ebml.Broken:
        return None
    return ebml.PICTURES in types if types else None


def _tracks(source: int) -> bytes | None:
    """Return the content of the table of tracks. A segment is entered, and everything else is passed over."""
    at = 0
    for _ in range(_MAX_ELEMENTS):
        found = ebml.parse(os.pread(source, _HEADER_BYTES, at), 0)
        if found is None:
            return None
        if found.kind == ebml.SEGMENT:
            at += found.body
            continue
        if found.end is None:
            return None
        if found.kind == ebml.TRACKS:
            return os.pread(source, min(found.end - found.body, _MAX_TRACKS_BYTES), at + found.body)
        at += found.end
    return None


def _types(tracks: bytes) -> Iterator[int]:
    for entry in islice(ebml.children(tracks, 0, len(tracks)), _MAX_TRACKS):
        if entry.kind == ebml.TRACK_ENTRY and entry.end is not None:
            for field in islice(ebml.children(tracks, entry.body, entry.end), _MAX_FIELDS):
                if field.kind == ebml.TRACK_TYPE:
                    yield ebml.number(tracks, field)
