"""Suffixes of rendition files."""

from collections.abc import Mapping

#: By media type.
SUFFIXES: Mapping[str, str] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "video/mp4": "mp4",
    "audio/mp4": "m4a",
    "application/pdf": "pdf",
    "text/plain; charset=utf-8": "txt",
    "application/octet-stream": "bin",
}
