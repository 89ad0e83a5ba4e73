"""Values that report how they are compared: what `verify` does with a proof, and which claims and headers it reads."""

import binascii
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import orjson

#: What the watched values report, while a check is listening, and the files whose use of them counts: the connector's.
_reports: list[tuple[str, str]] = []
_files: set[str] = set()

#: Methods that search or compare, and return a bool or a position.
_COMPARING = ("startswith", "endswith", "find", "rfind", "index", "rindex", "count", "__contains__")
_ORDERING = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")
#: Methods whose results are parts or forms of the value, and are watched, too.
_SHARED = (
    *(
        "lower",
        "upper",
        "swapcase",
        "title",
        "capitalize",
        "strip",
        "lstrip",
        "rstrip",
        "translate",
    ),
    *("removeprefix", "removesuffix", "partition", "rpartition", "split", "rsplit", "splitlines"),
    *("replace", "ljust", "rjust", "center", "zfill", "expandtabs", "__getitem__", "__add__"),
    *("__mul__", "join"),
)


def watched(value: Any) -> Any:
    """The value, or the values in it, so that they report how they are compared."""
    match value:
        case WatchedText() | WatchedBytes():
            return value
        case str():
            return WatchedText(value)
        case bytes():
            return WatchedBytes(value)
        case tuple():
            return tuple(watched(one) for one in value)
        case list():
            return [watched(one) for one in value]
        case dict():
            return {name: watched(one) for name, one in value.items()}
    return value


def _deriving(kind: type, name: str) -> Callable[..., Any]:
    plain = getattr(kind, name)

    def method(self: Any, *arguments: Any, **named: Any) -> Any:
        return watched(plain(self, *arguments, **named))

    return method


def _reporting(kind: type, name: str) -> Callable[..., Any]:
    plain = getattr(kind, name)

    def method(self: Any, other: Any, *arguments: Any) -> Any:
        if isinstance(other, kind):
            _report(name.strip("_"), other)
        return plain(self, other, *arguments)

    return method


def _report(how: str, value: Any) -> None:
    # Libraries may compare parts of a token with themselves, or keep a cache: only the connector's own code counts.
    if sys._getframe(2).f_code.co_filename in _files:  # noqa: SLF001 - the caller of the method
        _reports.append(
            (how, bytes(value).hex() if isinstance(value, bytes) else str.__str__(value))
        )


def _members(kind: type, more: tuple[str, ...]) -> dict[str, Any]:
    compared = {name: _reporting(kind, name) for name in (*_COMPARING, *_ORDERING)}
    return compared | {name: _deriving(kind, name) for name in (*_SHARED, *more)}


class WatchedText(str):
    """Text that reports comparisons other than `hmac.compare_digest`."""

    __slots__ = ()
    locals().update(_members(str, ("encode", "casefold", "format")))

    def __hash__(self) -> int:
        _report("hash", self)
        return str.__hash__(self)


class WatchedBytes(bytes):
    """Bytes that report comparisons other than `hmac.compare_digest`."""

    locals().update(_members(bytes, ("decode", "hex")))

    def __hash__(self) -> int:
        _report("hash", self)
        return bytes.__hash__(self)


@contextmanager
def listening(files: Iterable[Path]) -> Iterator[list[tuple[str, str]]]:
    """What watched values report within the block: the operation in one of `files`, and the value compared.

    Decoders of Base64 and hexadecimal in C would lose the watch, so their results are watched again.
    """
    _reports.clear()
    _files.clear()
    _files.update(map(str, files))
    decoders = ("a2b_base64", "unhexlify", "a2b_hex")
    originals = {name: getattr(binascii, name) for name in decoders}

    def decoder(name: str) -> Callable[..., Any]:
        def decode(data: Any, *arguments: Any, **named: Any) -> Any:
            found = originals[name](data, *arguments, **named)
            return watched(found) if isinstance(data, WatchedText | WatchedBytes) else found

        return decode

    with ExitStack() as patches:
        for name in decoders:
            patches.enter_context(mock.patch.object(binascii, name, decoder(name)))
        yield _reports


@contextmanager
def contents_watched() -> Iterator[None]:
    """Within the block, the texts in JSON that is decoded report how they are compared."""

    def loading(load: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments, **named: watched(load(*arguments, **named))

    with (
        mock.patch.object(json, "loads", loading(json.loads)),
        mock.patch.object(orjson, "loads", loading(orjson.loads)),
    ):
        yield


class ReadingNoted(dict[str, Any]):
    """A dictionary that notes the names that the connector's own code reads from it."""

    def __init__(self, content: Mapping[str, Any], read: set[str], files: frozenset[str]) -> None:
        super().__init__(content)
        self._read, self._by = read, files

    def __getitem__(self, name: str) -> Any:
        self._note(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._note(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self._note(name)
        return super().__contains__(name)

    def _note(self, name: object) -> None:
        if sys._getframe(2).f_code.co_filename in self._by:  # noqa: SLF001 - the reader
            self._read.add(str(name))


@contextmanager
def claims_read(files: Iterable[Path]) -> Iterator[set[str]]:
    """The names of fields that code in `files` reads, within the block, from JSON objects: the claims of a token."""
    read: set[str] = set()
    by = frozenset(map(str, files))

    def loading(load: Callable[..., Any]) -> Callable[..., Any]:
        def loads(*arguments: Any, **named: Any) -> Any:
            found = load(*arguments, **named)
            return ReadingNoted(found, read, by) if isinstance(found, dict) else found

        return loads

    with (
        mock.patch.object(json, "loads", loading(json.loads)),
        mock.patch.object(orjson, "loads", loading(orjson.loads)),
    ):
        yield read


@contextmanager
def claims_changed(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterator[None]:
    """Within the block, JSON objects are serialized with a change: what `sign` signs is another token."""

    def dumping(dump: Callable[..., Any]) -> Callable[..., Any]:
        def dumps(value: Any, *arguments: Any, **named: Any) -> Any:
            return dump(change(value) if isinstance(value, dict) else value, *arguments, **named)

        return dumps

    with (
        mock.patch.object(json, "dumps", dumping(json.dumps)),
        mock.patch.object(orjson, "dumps", dumping(orjson.dumps)),
    ):
        yield
