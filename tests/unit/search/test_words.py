"""Words as they are looked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luciole.cell.search import words


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Éclair", "eclair"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("Łódź", "lodz"),
        ("Smørrebrød", "smorrebrod"),
        ("Ｆｕｌｌ", "full"),
        ("İstanbul", "istanbul"),
        ("çalışma", "calisma"),
        ("été", "ete"),
        ("مُحَمَّد", "محمد"),
        ("हिन्दी", "हिन्दी"),
        ("ガ", "ガ"),
        ("한국어", "한국어"),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert words.folded(text) == folded


def test_words_of_a_caption() -> None:
    text = "L’été, c'est #Été_2026 — 50% 今天天气 ok? हिन्दी"
    assert words.words_of(text) == [
        "l", "ete", "c", "est", "ete_2026", "50", "今天天气", "ok", "हिन्दी",
    ]  # fmt: skip


def test_unspaced_words_are_found_by_parts_and_asked_by_pairs() -> None:
    assert words.terms_of("今天好") == ["今", "天", "好", "今天", "天好"]
    assert words.asked_of("天好") == ["天好"]
    assert words.asked_of("天") == ["天"]


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [("cat", "cat", 0), ("cat", "act", 1), ("cat", "cart", 1), ("cat", "bat", 1), ("ab", "", 2),
     ("sunset", "snuste", 2)],
)  # fmt: skip
def test_slips(one: str, other: str, slips: int) -> None:
    assert words.slips(one, other) == words.slips(other, one) == slips


LETTERS = st.text("abcdé", min_size=4, max_size=12)


@given(LETTERS, st.data())
def test_one_slip_leaves_something_in_common(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from("abcdé"))
    for slip in (
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
    ):
        assert words.slips(word, slip) <= 1
        if len(slip) >= words.LEAST_NEAR_CHARS:
            assert words.near_of(word) & words.near_of(slip)


@given(st.text(max_size=200))
def test_what_was_written_is_found_by_its_words(text: str) -> None:
    assert set(words.asked_of(text)) <= set(words.terms_of(text))
    for term in words.terms_of(text):
        assert term
        assert not set(term) & set(" '\\\0")
        assert len(term) <= 2 * words.MOST_WORD_CHARS


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert words.folded(words.folded(text)) == words.folded(text)
