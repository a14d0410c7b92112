"""What is said under the clips of the demo can be said there."""

from __future__ import annotations

from luciole.demo.cast import BY_HANDLE
from luciole.demo.reel import CLIPS
from luciole.demo.talk import TALK

CLIP = {clip.key: clip for clip in CLIPS}


def test_everybody_sees_what_they_talk_about() -> None:
    assert set(TALK) <= set(CLIP)
    for key, lines in TALK.items():
        for number, line in enumerate(lines):
            assert 1 <= len(line.text) <= 500
            assert all(CLIP[key].is_seen_by(handle) for handle in (line.who, *line.likes)), line
            assert line.to is None or line.to < number
            assert set(line.likes) <= set(BY_HANDLE)


def test_replies_go_to_the_head_of_a_thread() -> None:
    for lines in TALK.values():
        for line in lines:
            assert line.to is None or lines[line.to].to is None
