"""Characters that hide or disguise words do not reach an agent."""

import pytest

from normalizer.renditions.plain_text import clean_text


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("pay \u202e001\u202c now", "pay 001 now"),
        ("pay\U000e0041\U000e0042\U000e007f now", "pay now"),
        ("a\u2066b\u2069\u200e\u200f\u061c", "ab"),
        ("a\x07\x08b\x7f\x9b", "ab"),
        ("a\udc80b", "ab"),
        ("a\u2028b\x85c\x0bd", "a\nb\nc\nd"),
        ("one\n\n\n \n\ntwo", "one\n\ntwo"),
        ("\tkept\tas it is", "kept\tas it is"),
    ],
)
def test_characters_that_disguise_words_are_removed(hidden: str, shown: str) -> None:
    assert clean_text(hidden) == shown
