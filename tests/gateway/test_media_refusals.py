"""A platform's code and words about a file reach the core, the API and the list of failures."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from connectors import Rejected, Reply, refusal_from
from connectors.tools.refusals import GONE, by_code
from gateway.media.attempt import from_rejection

from .notes import Notes, NotesConfig
from .test_gateway import house, with_photo

CODES = by_code({GONE: (7,)})


class TellingNotes(Notes):
    """A platform whose refusals have codes."""

    def refusal(self, reply: Reply) -> Rejected:
        code = reply.content.get("code") if isinstance(reply.content, dict) else None
        if not isinstance(code, int):
            return refusal_from(reply, None)
        return refusal_from(reply, CODES.get(code), code=str(code))


@pytest.mark.parametrize("retried", [False, True])
async def test_a_refused_file_shows_code_and_words(tmp_path: Path, retried: bool) -> None:
    async def refused(request: web.Request) -> web.StreamResponse:
        del request
        return web.json_response({"code": 7, "message": "the file was deleted"}, status=400)

    connector = TellingNotes(NotesConfig(type="notes", api_url="http://127.0.0.1:9"))
    async with house(tmp_path, connector=connector) as home:
        home.files["1"] = refused
        await home.send(with_photo(home))
        (event,) = await home.core.until(1)
        (attachment,) = event["data"]["message"]["attachments"]
        expected = ("failed", "gone", "7", "the file was deleted")
        assert explained(attachment) == expected
        _, shown = await home.call("GET", f"/v1/attachments/{attachment['id']}")
        assert explained(shown.get("attachment", shown)) == expected
        (failure,) = (await home.call("GET", "/v1/failures"))[1]["failures"]
        assert (failure["code"], failure["detail"]) == expected[2:]
        if retried:
            await home.call("POST", f"/v1/failures/{failure['id']}/retry")
            (again,) = (await home.core.until(2))[1:]
            assert again["type"] == "attachment.updated"


def explained(attachment: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(attachment.get(name) for name in ("state", "reason", "code", "detail"))


@pytest.mark.parametrize(
    ("reason", "state", "kept"),
    [
        ("blocked_host", "failed", "blocked_host"),
        ("checksum_mismatch", "failed", "checksum_mismatch"),
        ("corrupt", "rejected", "corrupt"),
        ("protected", "rejected", "protected"),
        ("too_large", "rejected", "too_large"),
        ("unknown", "failed", "unreachable"),
        ("window_closed", "failed", "unreachable"),
    ],
)
def test_a_connectors_reason_is_kept_if_the_contract_has_it(
    reason: str, state: str, kept: str
) -> None:
    failed = from_rejection(Rejected(reason, code="5", detail="words", retry=True))
    assert (failed.state, failed.reason, failed.code, failed.detail) == (state, kept, "5", "words")
    assert failed.retry == (state == "failed")
