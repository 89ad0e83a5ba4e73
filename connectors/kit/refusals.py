"""Recorded refusals: error replies of a platform, and their meaning.

Files `refusals/*.json` beside the recordings, one for each meaning, each

    {"note": …, "refused": {"reason": "window_closed"},
     "replies": [{"purpose": "send", "status": 400, "headers": {}, "code": "131047",
                  "content": {"code": 131047, "message": "Re-engagement message"}}, …]}

`refused` omits default values: no retry, no wait, no action by an operator. Leave it out, and the kit prints it, or
writes it if AIRLOCK_RECORD=1 is set. `code` is the platform's code as the
refusal must show it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from connectors.contract import Purpose, Reply
from connectors.errors import Rejected

from .calls import CallChecks
from .exchanges import exchanges
from .notation import comparable, reply_of, shown
from .record import mismatch

#: In place of a code that the recording shows. No platform uses them.
_UNLISTED_NUMBER = 998_877_665
_UNLISTED_WORD = "unlisted_code"
#: Statuses that say enough, whatever the code: credentials, a time-out, the size, too many requests.
_TELLING = frozenset({401, 408, 413, 425, 429})


@dataclass(frozen=True, slots=True)
class Refusal:
    """One meaning, and the replies that have this meaning. `note` states their origin."""

    name: str
    replies: tuple[Mapping[str, Any], ...]
    refused: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


def refusals(folder: Path) -> Iterator[Refusal]:
    """All refusals in the subfolder `refusals`, sorted by name."""
    for path in sorted((folder / "refusals").glob("*.json")):
        yield Refusal(path.stem, **orjson.loads(path.read_bytes()))


class RefusalChecks(CallChecks):
    """Tests of `refusal` with recorded replies."""

    def test_refusal_matches_the_recorded_refusals(self) -> None:
        wrong: list[str] = []
        for recorded in refusals(self.payloads):
            if not recorded.refused:
                wrong.append(self._record(recorded))
                continue
            for raw in recorded.replies:
                refusal = self.connector.refusal(reply_of(raw, raw["purpose"]))
                found = comparable(shown(refusal), recorded.refused)
                if found != recorded.refused:
                    wrong.append(f"{recorded.name}: {raw} means {found}")
                elif refusal.code != raw.get("code", refusal.code):
                    wrong.append(f"{recorded.name}: {raw} has the code {refusal.code}")
        assert not wrong, "\n".join(wrong)

    def test_an_unlisted_code_blames_nobody(self) -> None:
        """A code that no table lists is `unknown`; for a file, it is a reason to ask again."""
        for reply, refusal in self._with_unlisted_codes():
            found = (refusal.reason, refusal.retry)
            is_file = reply.purpose in {"lookup", "download"}
            expected = ("unreachable", True) if is_file else ("unknown", False)
            assert found == expected, (
                f"{reply.purpose}, HTTP {reply.status}: no table lists the code in {reply.content}, but it means"
                f" {found} instead of {expected}"
            )

    def test_refusal_shows_the_platforms_code(self) -> None:
        for reply in self._replies():
            given, found = _codes(reply.content), self.connector.refusal(reply).code
            assert not given or any(code in (found or "") for code in given), (
                f"the code in {reply.content} is lost; `Rejected.code` is {found!r}"
            )

    def test_a_refusal_with_a_code_is_explained(self) -> None:
        for reply in self._replies():
            refusal = self.connector.refusal(reply)
            assert refusal.explained or refusal.code is None, (
                f"the platform gave the code {refusal.code}, so the call had no effect; set `explained`"
            )

    def test_refusal_passes_on_the_platforms_words(self) -> None:
        for reply in self._replies():
            said = _words(reply.content)
            detail = self.connector.refusal(reply).detail
            assert not said or any(words[:200] in detail for words in said), (
                f"the words in {reply.content} are lost; `Rejected.detail` is {detail!r}"
            )

    # helpers ----------------------------------------------------------------------------------------

    def _record(self, recorded: Refusal) -> str:
        """Write what the replies of a file mean, if the author asks for it; the words for the failure."""
        meanings = [
            shown(self.connector.refusal(reply_of(raw, raw["purpose"]))) for raw in recorded.replies
        ]
        bare = [{k: v for k, v in one.items() if k not in {"code", "detail"}} for one in meanings]
        if not bare or any(one != bare[0] for one in bare):
            return f"{recorded.name}: its replies mean {bare}; record replies of different meanings in a file each"
        file = self.payloads / "refusals" / f"{recorded.name}.json"
        return mismatch(file, {"refused": bare[0]}, frozenset({"refused"}))

    def _replies(self) -> Iterator[Reply]:
        """The recorded replies that are refused: those of `refusals`, and the last ones of `exchanges`."""
        for recorded in refusals(self.payloads):
            for raw in recorded.replies:
                yield reply_of(raw, raw["purpose"])
        for exchange in exchanges(self.payloads):
            reply = exchange.refused_reply()
            if reply is not None:
                yield reply

    def _with_unlisted_codes(self) -> Iterator[tuple[Reply, Rejected]]:
        """Replies with a code that no table lists, wherever the status alone does not say enough."""
        for reply in self._replies():
            codes = _codes(reply.content)
            if not codes or reply.status in _TELLING or reply.status >= 500:
                continue
            content = _replaced(reply.content, codes)
            for purpose in _purposes(reply.purpose):
                # A refused download may be explained by its status.
                if purpose != "download":
                    changed = Reply(reply.status, reply.headers, content, b"", purpose)
                    yield changed, self.connector.refusal(changed)


def _purposes(recorded: Purpose) -> tuple[Purpose, ...]:
    return ("send", "check") if recorded in {"send", "check"} else (recorded,)


def _replaced(content: Any, codes: frozenset[str]) -> Any:
    """`content` with an unlisted code in place of each of `codes`, and other words than the platform's."""
    match content:
        case dict():
            return {name: _replaced(value, codes) for name, value in content.items()}
        case list():
            return [_replaced(value, codes) for value in content]
        case bool() | None:
            return content
        case int() if str(content) in codes:
            return _UNLISTED_NUMBER
        case str() if content in codes:
            return str(_UNLISTED_NUMBER) if content.isdigit() else _UNLISTED_WORD
        case str() if " " in content:
            return "Something happened"
    return content


def _codes(content: Any) -> frozenset[str]:
    """The codes in the usual fields of an error."""
    match content:
        # google.rpc: the number only repeats the HTTP status (https://google.aip.dev/193).
        case {"code": int(), "status": str(code)} if code:
            return frozenset({code})
        case dict():
            own = [value for name, value in content.items() if name in _CODES]
            found = {str(one) for one in own if type(one) is int or (isinstance(one, str) and one)}
            nested = [value for value in content.values() if isinstance(value, dict | list)]
            return frozenset(found).union(*map(_codes, nested))
        case list():
            return frozenset().union(*map(_codes, content))
    return frozenset()


def _words(content: Any) -> list[str]:
    """The sentences in the usual fields of an error."""
    match content:
        case dict():
            own = [value for name, value in content.items() if name in _SAID]
            found = [value for value in own if isinstance(value, str) and " " in value]
            nested = [value for value in content.values() if isinstance(value, dict | list)]
            return [*found, *(words for value in nested for words in _words(value))]
        case list():
            return [words for value in content for words in _words(value)]
    return []


_CODES = frozenset({"code", "error_code", "errorCode", "errcode", "error_subcode"})
_SAID = frozenset({"message", "description", "detail", "details", "error_message", "title"})
