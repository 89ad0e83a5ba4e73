"""One person's half character or broken byte never costs another person's words."""

import gzip
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from gateway.inbound.decoding import decode, decode_json


@dataclass
class Bodies:
    """A connector's declaration of its bodies."""

    body: Literal["json", "form", "gzip-json"]
    max_body: int = 1000


def decoded(body: bytes, kind: Any) -> Any:
    return decode(body, Bodies(kind))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (
            rb'{"a": "hello \ud83d", "b": "whole \ud83d\ude42"}',
            {"a": "hello \ufffd", "b": "whole 🙂"},
        ),
        (rb'["\ude42\ud83d"]', ["\ufffd\ufffd"]),
        (rb'[{"\ud83d": [1, null, true, 1.5, "x"]}]', [{"\ufffd": [1, None, True, 1.5, "x"]}]),
        (b'{"a": "\xff\xfe", "b": "x"}', {"a": "\ufffd\ufffd", "b": "x"}),
        (b'{"a": "\xed\xa0\xbd", "b": "x"}', {"a": "\ufffd\ufffd\ufffd", "b": "x"}),
        (rb'{"id": 123456789012345678901234567890, "t": "\ud83d"}', None),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_half_a_character_is_replaced_and_nothing_else(
    sent: bytes, read: Any, packed: bool
) -> None:
    body, kind = (gzip.compress(sent), "gzip-json") if packed else (sent, "json")
    found = decoded(body, kind)
    assert found == (read or {"id": 123456789012345678901234567890, "t": "\ufffd"})


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a": NaN}', b'["\\ud83d", NaN]', b"\xff", b"[" * 100_000 + b'"\\ud83d"']
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_json(body)


def test_a_form_with_broken_bytes_is_read() -> None:
    assert decoded(b"Body=caf%e9+%ed%a0%bd&From=%2B49\xff", "form") == {
        "Body": "caf\ufffd \ufffd\ufffd\ufffd",
        "From": "+49\ufffd",
    }
