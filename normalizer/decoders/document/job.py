"""The document jobs of the sandbox: the text of a document, the fields of a card, and the pages of a PDF."""

import json
import mmap
import os
from collections.abc import Callable
from typing import Any

from normalizer.canvas import PLACE_BYTES, PLACES
from normalizer.media import MediaRejected
from normalizer.sandbox.job import JobFunction, JobRequest

from . import charset, fonts, samples
from .active_content import active
from .card import read_cards
from .charset import Charset, others
from .office.open_document import read_open_document
from .office.package import Package
from .office.sheet import read_sheets
from .office.slides import read_slides
from .office.word import read_word
from .pdf import pdf
from .plain import charset_of_text, read_calendar, read_text, start_of
from .words import Full, Words

_OFFICE: dict[str, Callable[[Package, Words], None]] = {
    "docx": read_word,
    "xlsx": read_sheets,
    "pptx": read_slides,
    "odt": read_open_document,
    "ods": read_open_document,
    "odp": read_open_document,
}
_PLAIN: dict[str, Callable[[mmap.mmap, Words, int, Charset], None]] = {
    "text": read_text,
    "calendar": read_calendar,
}

#: The stream in which encrypted OOXML is stored (MS-OFFCRYPTO, 1.3.2), as a name in an OLE storage.
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def text(request: JobRequest) -> dict[str, Any]:
    """Write the text of a document, up to the limit."""
    source, target = request.files
    message = request.message
    content = mmap.mmap(source, message["bytes"], access=mmap.ACCESS_READ)
    format, limit = message["format"], message["text_max_bytes"]
    if format in _PLAIN:
        return _plain(format, content, limit, target)
    words, complete = Words(limit), True
    try:
        _read_office(format, content, words)
    except Full:
        complete = False
    size = words.write(target)
    return {"bytes": size, "complete": complete, "differs": words.differs}


def _plain(format: str, content: mmap.mmap, limit: int, target: int) -> dict[str, Any]:
    """Write a text, and after it the same text in each other charset that its sender may have meant."""
    charset = charset_of_text(content, limit)
    size, complete = _write(format, content, limit, target, charset, 0)
    answer: dict[str, Any] = {"bytes": size, "complete": complete}
    if charset.guessed:
        answer["guessed"] = charset.name
        readings = []
        for other in others(start_of(content, limit), charset):
            length, _ = _write(format, content, limit, target, other, size)
            size += length
            readings.append([other.name, length])
        answer["others"] = readings
    return answer


def _write(
    format: str, content: mmap.mmap, limit: int, target: int, charset: Charset, at: int
) -> tuple[int, bool]:
    """Write a text at a place of the target. Return its length, and whether it is complete."""
    words, complete = Words(limit), True
    try:
        _PLAIN[format](content, words, limit, charset)
    except Full:
        complete = False
    return words.write(target, at), complete


def _read_office(format: str, content: mmap.mmap, words: Words) -> None:
    if format == "ole":
        if content.find(_ENCRYPTED) >= 0:
            raise MediaRejected("protected", "the document needs a password")
        raise MediaRejected("unsupported_type", "documents of Office 2003 and older are not read")
    _OFFICE[format](Package(content), words)


def card(request: JobRequest) -> dict[str, Any]:
    """Write the fields of contact cards as JSON."""
    source, target = request.files
    content = mmap.mmap(source, request.message["bytes"], access=mmap.ACCESS_READ)
    cards, complete, guessed = read_cards(content)
    limit, size = request.message["text_max_bytes"], 0
    # The cards are part of an event, which must not become too large.
    for count, each in enumerate(cards):
        size += len(json.dumps(each, ensure_ascii=False).encode("utf-8", "replace"))
        if size > limit:
            cards, complete = cards[:count], False
            break
    written = json.dumps(cards, ensure_ascii=False).encode("utf-8", "replace")
    os.pwrite(target, written, 0)
    return {"bytes": len(written), "complete": complete, "guessed": guessed}


JOBS: dict[str, JobFunction] = {"text": text, "card": card, "pdf": pdf, "active": active}


def warm_up() -> None:
    """Read one document of each kind, so that nothing is loaded later."""
    charset.warm_up()
    fonts.install()
    _warm_up_pdf()
    for format, sample in samples.samples().items():
        files = [os.memfd_create("warm-up") for _ in range(2)]
        os.write(files[0], sample)
        message = {"format": format, "bytes": len(sample), "text_max_bytes": 1000}
        run = card if format == "vcard" else text
        run(JobRequest(message, files, lambda _: None))
        for file in files:
            os.close(file)


def _warm_up_pdf() -> None:
    sample = samples.pdf()
    source, canvas, _ = files = [os.memfd_create("warm-up") for _ in range(3)]
    os.write(source, sample)
    os.ftruncate(canvas, PLACES * PLACE_BYTES)
    message = {"bytes": len(sample), "max_pages": 1, "text_max_bytes": 1000}
    pdf(JobRequest(message, files, lambda _: None))
    for file in files:
        os.close(file)
