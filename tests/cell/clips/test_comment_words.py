"""Words of comments, without a database: what is kept, what is filtered, who is mentioned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luciole.cell.clips.comments.model import (
    BadComment,
    BadFilterWords,
    clean_comment,
    clean_filter_words,
    has_filtered,
)
from luciole.cell.clips.mentions.model import handles_of


@pytest.mark.parametrize(
    ("word", "text", "is_found"),
    [
        ("ugly", "How UGLY!", True),
        ("ugly", "uglyduckling", False),
        ("ugly", "an_ugly one", False),
        ("très laid", "TRES   laid.", True),
        ("laid", "plaid", False),
        ("straße", "STRASSE", True),
        ("不好", "真不好看", True),
        ("ไม่ดี", "วันนี้ไม่ดีเลย", True),
        ("плохо", "Плохо!", True),
        ("c++", "I like C++ most", True),
        ("🐍", "a 🐍 here", True),
    ],
)
def test_filter_finds_whole_words_whatever_their_case_and_accents(
    word: str, text: str, is_found: bool
) -> None:
    assert has_filtered(text, clean_filter_words([word])) is is_found


@given(text=st.text(max_size=200), words=st.lists(st.text(max_size=20), max_size=5))
def test_filter_takes_any_words(text: str, words: list[str]) -> None:
    try:
        cleaned = clean_filter_words(words)
    except BadFilterWords:
        return
    assert clean_filter_words(cleaned) == cleaned
    has_filtered(text, cleaned)
    for word in cleaned:
        assert has_filtered(word, cleaned)


@given(text=st.text(max_size=600))
def test_comment_is_clean_or_refused(text: str) -> None:
    try:
        cleaned = clean_comment(text)
    except BadComment:
        return
    assert 1 <= len(cleaned) <= 500
    assert cleaned == cleaned.strip()
    assert "\0" not in cleaned
    assert "\n\n" not in cleaned
    assert clean_comment(cleaned) == cleaned


@pytest.mark.parametrize(
    ("text", "handles"),
    [
        ("@ana and @Ben.", ["ana", "ben"]),
        ("(@ana) @ana", ["ana"]),
        ("mail@ana.example", []),
        ("a/@ana", []),
        ("@an", []),
        ("@a.b_c!", ["a.b_c"]),
        ("@" + "a" * 25, []),
        ("@ana's", ["ana"]),
        ("@@ana", []),
        ("@anaé", []),
    ],
)
def test_handles_in_a_text(text: str, handles: list[str]) -> None:
    assert handles_of(text) == handles
