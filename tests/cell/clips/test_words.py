"""The pure rules of captions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luciole.cell.clips.model import (
    MAX_CAPTION_CHARS,
    BadCaption,
    BadCaptions,
    TooManyHashtags,
    clean_caption,
    clean_captions,
    hashtags_of,
)


@pytest.mark.parametrize(
    ("caption", "tags"),
    [
        ("#sea and #Sky", ["sea", "sky"]),
        ("#sea, #sea!", ["sea"]),
        ("no#tag http://x/#frag &#39; ##double", []),
        ("#été #海 #पहाड़ #straße", ["été", "海", "पहाड़", "strasse"]),
        ("#_ #1st #_x", ["1st"]),
        ("#" + "x" * 61, []),
        ("", []),
    ],
)
def test_hashtags(caption: str, tags: list[str]) -> None:
    assert hashtags_of(caption) == tags


@given(st.text(max_size=300))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = clean_caption(text)
    assert clean_caption(once) == once
    assert "\0" not in once
    once.encode()


@given(st.text(min_size=MAX_CAPTION_CHARS + 1, max_size=MAX_CAPTION_CHARS + 50, alphabet="ab#"))
def test_long_caption_is_refused(text: str) -> None:
    with pytest.raises(BadCaption):
        clean_caption(text)


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cخواهم",  # Persian: without the mark two words run together
        "क्\u200dष",
        "👩\u200d👩\u200d👧",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # the flag of Scotland
    ],
)
def test_words_and_signs_of_the_world_stay_whole(text: str) -> None:
    assert clean_caption(text) == text


def test_too_many_hashtags_are_refused() -> None:
    with pytest.raises(TooManyHashtags):
        hashtags_of(" ".join(f"#tag{n}" for n in range(31)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "WEBVT",
        "WEBVTTX\n\n--> ",
        "WEBVTT",
        "x\nWEBVTT\n00:00.000 --> 00:01.000",
        "WEBVTT\n\0-->",
    ],
)
def test_what_is_not_webvtt_is_refused(text: str) -> None:
    with pytest.raises(BadCaptions):
        clean_captions(text, "en")


def test_webvtt_of_any_platform_is_taken() -> None:
    text = "\ufeffWEBVTT - Titel\r\n\r\n00:00.000 --> 00:01.000\r\nHallo\r\n"
    assert clean_captions(text, "de")[0].startswith("WEBVTT - Titel\n\n")
