"""What a signature covers if it covers only a part of a request: each named thing, changed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from connectors.contract import Request
from connectors.errors import Forbidden
from connectors.recordings import URL, Recording

from .subject import Subject


class PartChecks(Subject):
    """Tests of `covered`."""

    def test_verify_rejects_a_change_to_each_covered_part(self) -> None:
        assert bool(self.connector.covered) == ("part" in self.connector.covers), (
            '`covers` has "part" if, and only if, `covered` names what is signed'
        )
        for name in sorted(self.connector.covered):
            changed = [one for one in map(self._changed(name), self.recorded) if one is not None]
            assert changed, f"`covered` names {name}, which no recording has"
            for request in changed:
                assert not self._accepts(request), (
                    f"{name} can be changed without a new signature, but `covered` names it; sign it, or leave it out"
                )

    def _accepts(self, request: Request) -> bool:
        try:
            self.connector.verify(request)
        except Forbidden:
            return False
        return True

    def _changed(self, name: str) -> Callable[[Recording], Request | None]:
        def change(recording: Recording) -> Request | None:
            genuine = self.genuine(recording)
            kind, _, rest = name.partition(":")
            if kind == "header":
                return _with_other(genuine, "headers", genuine.headers, rest)
            if kind == "query":
                found = _with_other(genuine, "query", genuine.query, rest)
                return found and replace(found, url=f"{URL}?{urlencode(found.query)}")
            content = _at(recording.content, name.split("."))
            if content is None:
                return None
            forged = replace(recording, content=content).request(self.connector)
            return replace(genuine, body=forged.body)

        return change


def _with_other(
    request: Request, field: str, values: Mapping[str, str], name: str
) -> Request | None:
    if name not in values:
        return None
    changed: dict[str, Any] = {field: {**values, name: _other(values[name])}}
    return replace(request, **changed)


def _at(content: Any, path: list[str]) -> Any:
    """Return the content with another value at a path; None if nothing is there."""
    if not path:
        return _other(content)
    key: Any = path[0]
    if isinstance(content, list):
        if not key.isdigit() or int(key) >= len(content):
            return None
        key = int(key)
        inner = _at(content[key], path[1:])
        return None if inner is None else [*content[:key], inner, *content[key + 1 :]]
    if not isinstance(content, dict) or key not in content:
        return None
    inner = _at(content[key], path[1:])
    return None if inner is None else {**content, key: inner}


def _other(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}x"
        case list():
            return [*value, "x"]
        case dict():
            return {**value, "x": "x"}
    return "x"
