"""Long texts are split at natural breaks, and never inside a visible character."""

import pytest
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


@pytest.mark.parametrize(
    "text", ["ä" * 2500, "日本語です。" * 200, "👩\u200d🔧" * 150, "a b " * 700]
)
def test_a_part_has_at_most_its_bytes(text: str) -> None:
    parts = split(text, 1000, 1000)
    assert all(len(part.encode()) <= 1000 for part in parts)
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")
    assert not any(part.startswith("\u200d") for part in parts)


def test_bytes_limit_nothing_where_the_text_fits() -> None:
    assert split("ä" * 500, 1000, 1000) == ["ä" * 500]
    assert split("ä" * 500, 1000) == ["ä" * 500]


def test_a_limit_of_few_bytes_still_makes_progress() -> None:
    assert split("日👍", 10, 1) == ["日", "👍"]
