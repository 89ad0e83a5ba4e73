"""The page of reasons lists every code of every platform under its reason."""

import re
from collections.abc import Iterator, Mapping

import pytest

from connectors import Verdict
from connectors.instagram.error_codes import CODES as INSTAGRAM
from connectors.messenger_platform.error_codes import CODES as MESSENGER
from connectors.tools.refusals import Code
from connectors.twilio.error_codes import CODES as TWILIO
from connectors.whatsapp.error_codes import CODES as WHATSAPP
from workspace.text.wording import describe_reason

from .pages import ROOT, text_of

PAGE = text_of(ROOT / "docs" / "reasons.md")
TABLES = {"WhatsApp": WHATSAPP, "Messenger": MESSENGER, "Instagram": INSTAGRAM, "Twilio": TWILIO}


def documented(platform: str) -> Iterator[tuple[str, str]]:
    section = PAGE.partition(f"\n## {platform}\n")[2].partition("\n## ")[0]
    for reason, codes in re.findall(r"^\| (`.+?) \| (.+) \|$", section, re.MULTILINE):
        for code in codes.split(", "):
            first, _, last = code.partition("–")
            numbers = range(int(first), int(last) + 1) if last else (code,)
            yield from ((str(number), reason) for number in numbers)


def written(code: Code) -> str:
    return f"{code[0]}/{code[1]}" if isinstance(code, tuple) else str(code)


@pytest.mark.parametrize("platform", TABLES)
def test_every_code_is_documented_with_its_reason(platform: str) -> None:
    table: Mapping[Code, Verdict] = TABLES[platform]
    expected = {
        written(code): f"`{verdict.reason}`" + (", retried" if verdict.retry else "")
        for code, verdict in table.items()
    }
    assert dict(documented(platform)) == expected


def test_every_reason_for_texts_is_explained_to_both_readers() -> None:
    section = PAGE.partition("## Reasons for texts")[2].partition("\n## ")[0]
    explained = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    used = {verdict.reason for table in TABLES.values() for verdict in table.values()}
    assert explained == (used - {"gone"}) | {"unknown"}
    for reason in explained:
        assert describe_reason(reason) != reason.replace("_", " "), reason
