"""Long texts are split at natural breaks, and never inside a visible character."""

import regex
from hypothesis import given
from hypothesis import strategies as st

from gateway.replies.split_text import split

FAMILY = "👨‍👩‍👧‍👦"


def test_a_text_that_fits_is_not_split() -> None:
    assert split("short", 10) == ["short"]


def test_a_text_is_split_between_paragraphs_sentences_or_words() -> None:
    assert split("one two\n\nthree four", 12) == ["one two", "three four"]
    assert split("One two. Three four.", 14) == ["One two.", "Three four."]
    assert split("one two three four", 10) == ["one two", "three four"]


def test_visible_characters_are_not_split() -> None:
    assert split(FAMILY * 4, 15) == [FAMILY * 2, FAMILY * 2]
    assert split("e\u0301" * 10, 5) == ["e\u0301" * 2] * 5


CHARACTERS = [*"ab .\n", "é", FAMILY, "🇩🇪", "e\u0301"]


@given(
    st.lists(st.sampled_from(CHARACTERS), max_size=200).map("".join),
    st.integers(12, 50),
)
def test_every_part_fits_and_only_white_space_is_lost(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(0 < len(part) <= limit for part in parts)
    assert regex.sub(r"\s", "", "".join(parts)) == regex.sub(r"\s", "", text)
