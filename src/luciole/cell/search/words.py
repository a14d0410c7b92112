"""Text as it is looked for: without accents and case, in words, and what is nearly the same word.

All of it is made here and not by the database, so that every PostgreSQL finds the same, whatever
its locale and its extensions.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

MOST_QUERY_CHARS = 100
MOST_QUERY_WORDS = 8
MOST_WORD_CHARS = 40
GRAM = 3
# Shorter words have too many neighbours for any of them to be meant.
LEAST_NEAR_CHARS = 4
# Written without blanks: these are looked for by pairs of characters (first and last code point).
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x3400, 0x4DBF),  # Han, extension A
    (0x4E00, 0x9FFF),  # Han
    (0xF900, 0xFAFF),  # Han, compatibility
    (0x20000, 0x323AF),  # Han, further extensions
)
# NFKD leaves these letters whole though most people type them plain.
_PLAIN = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d",
                        "þ": "th", "ħ": "h", "ŧ": "t", "ـ": None})  # fmt: skip


def folded(text: str) -> str:
    """The text without case, accents and compatibility forms: `Éclair` and `ECLAIR` are `eclair`.

    Unicode 17, section 3.13 (D145, canonical caseless matching), then marks are dropped; but those
    that are letters of their script (the vowel signs of Devanagari, say) stay.
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(c for c in plain.translate(_PLAIN) if not _is_accent(c))
    return unicodedata.normalize("NFC", kept)


def _is_accent(character: str) -> bool:
    """An accent of Latin, Greek or Cyrillic, or a point of Hebrew or Arabic, which few type."""
    return unicodedata.combining(character) != 0 and (
        "\u0300" <= character <= "\u036f" or "\u0591" <= character <= "\u06ed"
    )


def words_of(text: str) -> list[str]:
    """The words of a text, folded, in order; of scripts without blanks, the runs of characters."""
    found: list[str] = []
    for is_unspaced, run in groupby(_pieces(folded(text)), key=lambda piece: piece[0]):
        # Nobody looks for what is longer, and an index refuses what is far longer.
        most = 2 * MOST_WORD_CHARS if is_unspaced else MOST_WORD_CHARS
        found += (word[:most] for word in "".join(c for _, c in run).split())
    return found


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    for c in text:
        if c.isalnum() or c == "_" or unicodedata.category(c) in ("Mn", "Mc"):
            yield is_unspaced(c), c
        elif c not in "\u200c\u200d":
            yield False, " "


def is_unspaced(character: str) -> bool:
    """Whether a character is of a script that is written without blanks."""
    point = ord(character)
    return point >= 0x0E00 and any(first <= point <= last for first, last in _UNSPACED)


def terms_of(text: str) -> list[str]:
    """What a text is found by: its words, each once; of scripts without blanks, every character and
    every pair."""
    found: dict[str, None] = {}
    for word in words_of(text):
        if is_unspaced(word[0]):
            found.update(dict.fromkeys(word))
            found.update(dict.fromkeys(_pairs(word)))
        else:
            found[word] = None
    return list(found)


def asked_of(text: str) -> list[str]:
    """The terms that a text must have to be found by this query, each once, at most
    MOST_QUERY_WORDS words of it."""
    found: dict[str, None] = {}
    for word in words_of(text)[:MOST_QUERY_WORDS]:
        pairs = _pairs(word) if is_unspaced(word[0]) else ()
        found.update(dict.fromkeys(pairs or (word,)))
    return list(found)


def _pairs(word: str) -> Sequence[str]:
    return [word[n : n + 2] for n in range(len(word) - 1)]


def grams_of(word: str) -> set[str]:
    """The trigrams of a folded word; its first ones are marked, so that beginnings are told apart
    from middles."""
    marked = f"^{word}"
    return {marked[n : n + GRAM] for n in range(len(marked) - GRAM + 1)} | {
        marked[: n + 1] for n in (1, 2) if len(marked) > n
    }


def near_of(word: str) -> set[str]:
    """The word and what is left of it without one of its letters. Two words that differ by one
    letter more, less, other, or by two that changed places, have one of these in common."""
    if len(word) < LEAST_NEAR_CHARS:
        return {word}
    return {word} | {word[:n] + word[n + 1 :] for n in range(len(word))}


def is_near(one: str, other: str) -> bool:
    """Whether two words differ by at most one slip of the fingers, or two where both are long."""
    most = 2 if min(len(one), len(other)) >= 2 * LEAST_NEAR_CHARS else 1
    return slips(one, other) <= most


def slips(one: str, other: str) -> int:
    """Letters more, less or other, and neighbours that changed places (optimal string alignment;
    Damerau 1964)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]


def keys_of(texts: Iterable[str]) -> list[str]:
    """What short names are found by: the trigrams of their words, and (with `~`) what is near."""
    found: dict[str, None] = {}
    for word in dict.fromkeys(word for text in texts for word in terms_of(text)):
        found.update(dict.fromkeys(sorted(grams_of(word))))
        found.update(dict.fromkeys(sorted(f"~{each}" for each in near_of(word))))
    return list(found)
