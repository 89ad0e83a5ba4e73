"""The kit and the errors of Google's APIs, whose `code` only repeats the HTTP status: `status` is the code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors import INVALID, RATE_LIMITED, TEMPORARY, Rejected, Reply, Verdict, refusal_from
from connectors.conformance import Conformance

from .kit_run import failing
from .sound import SECRET, TOKEN, Acme

ERROR = {"error": {"code": 400, "message": "It is not valid.", "status": "INVALID_ARGUMENT"}}
CHECKS = ("test_an_unlisted_code_blames_nobody", "test_refusal_shows_the_platforms_code")


class ByStatus(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        code = reply.content["error"]["status"]
        verdicts: Mapping[str, Verdict] = {"INVALID_ARGUMENT": INVALID}
        return refusal_from(reply, verdicts.get(code), code=code)


class BlamesTheText(ByStatus):
    def refusal(self, reply: Reply) -> Rejected:
        return refusal_from(reply, INVALID, code=reply.content["error"]["status"])


class LosesTheCode(ByStatus):
    def refusal(self, reply: Reply) -> Rejected:
        return refusal_from(reply, INVALID, code="400")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (ByStatus, set()),
        (BlamesTheText, {CHECKS[0]}),
        (LosesTheCode, {*CHECKS}),
    ],
)
def test_the_code_of_a_google_error_is_its_status(
    kind: type[Acme], expected: set[str], tmp_path: Path
) -> None:
    config: Any = {"secrets": (SECRET,), "token": TOKEN, "shop": "shop-1"}
    (tmp_path / "refusals").mkdir()
    reply = {"purpose": "send", "status": 400, "content": ERROR}
    recorded = {"refused": {"reason": "invalid"}, "replies": [reply]}
    (tmp_path / "refusals" / "invalid.json").write_bytes(orjson.dumps(recorded))

    class Suite(Conformance):
        connector = kind(Acme.Config.model_validate(config))
        payloads = tmp_path

    assert failing(Suite, CHECKS) == expected


@pytest.mark.parametrize(
    ("verdict", "after"),
    [(Verdict("rate_limited", retry=True, after=120), 120), (RATE_LIMITED, 30), (TEMPORARY, None)],
)
def test_a_longer_pause_of_a_connectors_own_holds_for_files_too(
    verdict: Verdict, after: float | None
) -> None:
    refused = refusal_from(Reply(429, {}, ERROR, purpose="download"), verdict, code="x")
    assert (refused.reason, refused.retry, refused.after) == ("unreachable", True, after)
