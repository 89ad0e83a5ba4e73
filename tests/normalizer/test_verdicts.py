"""A mistake of our own is never blamed on the file; a decoder's statement about the file is."""

import errno
import io
import logging
import mmap
import struct
import zlib
from collections.abc import Callable

import av
import numpy as np
import pytest
from PIL import Image

from normalizer.decoders.photo.scaling import fit
from normalizer.isobmff import Broken
from normalizer.media import MediaFailed
from normalizer.sandbox.verdicts import verdict
from normalizer.sanitizer import Sanitizer

from .conftest import sanitize_with
from .hostile_decoder import attack_file


def _caught(act: Callable[[], object]) -> Exception:
    try:
        act()
    except Exception as exc:  # noqa: BLE001  # the subject of the test
        return exc
    raise AssertionError("nothing was raised")


def _raising(exc: Exception) -> Callable[[], object]:
    def act() -> None:
        raise exc

    return act


STATEMENTS: dict[str, Callable[[], object]] = {
    "a library's unknown format": lambda: Image.open(io.BytesIO(b"no picture")),
    "a truncated stream": lambda: zlib.decompress(b"x"),
    "a truncated header": lambda: struct.unpack(">I", b""),
    "a video without an index": lambda: av.open(io.BytesIO(b"\0" * 64), format="mov"),
    "broken boxes": _raising(Broken("the boxes contradict each other")),
    "a reader's own words": _raising(OSError("the file is truncated")),
    "a library's ValueError": lambda: Image.frombytes("RGB", (9, 9), b"few"),
}

MISTAKES: dict[str, Callable[[], object]] = {
    "a division by zero": lambda: 1 // 0,
    "a division by zero in a library": lambda: np.random.default_rng().integers(1 // 0),
    "a wrong type": lambda: len(1),  # type: ignore[arg-type]
    "a missing attribute": lambda: object().colour,  # type: ignore[attr-defined]
    "an assertion": _raising(AssertionError()),
    "a system call": _raising(OSError(errno.EPERM, "not permitted")),
    "our own ValueError": lambda: fit((8, 8), 4, range(3, 3)),
    "an endless recursion": _raising(RecursionError()),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_of_a_decoder_is_final(name: str) -> None:
    assert verdict(_caught(STATEMENTS[name]), final=True)["rejected"] == "corrupt"


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_of_ours_is_not_final(name: str) -> None:
    answer = verdict(_caught(MISTAKES[name]), final=True)
    assert "rejected" not in answer
    assert answer["mistake"] in answer["failed"]


def test_a_mistake_names_its_place_and_no_content() -> None:
    answer = verdict(_caught(_raising(TypeError("a customer's words"))), final=True)
    assert "customer" not in str(answer)
    assert answer["mistake"].startswith("TypeError at test_verdicts.py:")


@pytest.mark.parametrize("exc", [MemoryError(), OSError(errno.ENOMEM, "no memory")])
def test_a_lack_of_memory_is_final_only_inside_our_limit(exc: Exception) -> None:
    assert verdict(exc, final=True)["rejected"] == "corrupt"
    assert verdict(exc, final=False) == {"failed": "out of memory"}


def test_memory_that_cannot_be_mapped_is_a_lack_of_memory() -> None:
    exc = _caught(lambda: mmap.mmap(-1, 1 << 60))
    assert verdict(exc, final=False) == {"failed": "out of memory"}


@pytest.mark.asyncio(loop_scope="module")
async def test_a_mistake_in_a_sandbox_raises_an_alarm(
    hostile_sanitizer: Sanitizer, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(MediaFailed) as failure:
        await sanitize_with(hostile_sanitizer)(attack_file("make a mistake"))
    assert failure.value.reason == "decoder_crashed"
    (alarm,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert "ZeroDivisionError at child.py:" in alarm.getMessage()
    assert "hostile_decoder.py:" in alarm.getMessage()
