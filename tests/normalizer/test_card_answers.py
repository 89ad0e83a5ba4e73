"""The cards that a decoder wrote are checked, because a file may have taken it over."""

import pytest

from normalizer.media import MediaFailed
from normalizer.renditions.contacts import parse_cards


@pytest.mark.parametrize(
    "answer", [b"{}", b"[1]", b'[{"name": 1}]', b'[{"phones": {"a": 1}}]', b"[", b"[" * 100_000]
)
def test_cards_of_a_taken_over_decoder_are_checked(answer: bytes) -> None:
    with pytest.raises(MediaFailed) as failure:
        parse_cards(answer)
    assert failure.value.reason == "decoder_crashed"


def test_unknown_fields_of_a_card_are_dropped() -> None:
    (card,) = parse_cards(
        b'[{"name": {"x": "y"}, "script": "z", "phones": [{"phone": 5, "type": "A\\u202e"}]}]'
    )
    assert card == {"name": {"formatted_name": ""}, "phones": [{"type": "A"}]}
