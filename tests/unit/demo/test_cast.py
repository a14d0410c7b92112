"""The people, their relations and their clips fit together."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from luciole.cell.clips.model import MAX_CAPTION_CHARS
from luciole.cell.people.model import MAX_BIO_CHARS, MAX_NAME_CHARS, handle_of
from luciole.demo import avatar
from luciole.demo.cast import ACCEPTED, BY_HANDLE, GUEST, PEOPLE, Person, are_friends, follows
from luciole.demo.reel import CLIPS, OPENING


def test_a_dozen_people_of_age() -> None:
    assert len(PEOPLE) == len(BY_HANDLE) == 12
    assert {person.age_band for person in PEOPLE} == {"18+"}
    assert len({person.bio for person in PEOPLE}) == 12


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.handle)
def test_person_fits_the_rules_of_the_cell(person: Person) -> None:
    assert handle_of(person.handle) == person.handle
    assert len(person.display_name) <= MAX_NAME_CHARS
    assert len(person.bio) <= MAX_BIO_CHARS
    assert person.handle not in person.follows
    assert set(person.follows) <= set(BY_HANDLE)


def test_avatars_are_all_different_pictures() -> None:
    files = [avatar.draw(person) for person in PEOPLE]
    assert len(set(files)) == 12
    for file in files:
        with Image.open(io.BytesIO(file)) as image:
            assert image.size == (256, 256)
            assert len(image.getcolors(1 << 16) or []) > 200


def test_guest_finds_full_feeds() -> None:
    friends = [p.handle for p in PEOPLE if p.handle != GUEST and are_friends(GUEST, p.handle)]
    followed = [clip for clip in CLIPS if follows(GUEST, clip.author)]
    assert len(friends) >= 4
    assert len(followed) >= 10
    assert sum(clip.author in friends for clip in CLIPS) >= 5


def test_one_private_account_with_one_who_waits() -> None:
    private = [person.handle for person in PEOPLE if person.is_private]
    assert private == list(ACCEPTED)
    for handle in private:
        asking = {p.handle for p in PEOPLE if handle in p.follows}
        assert set(ACCEPTED[handle]) < asking
        assert follows(GUEST, handle)


def test_two_dozen_different_clips() -> None:
    assert len(CLIPS) >= 24
    assert len({(clip.scene, clip.look) for clip in CLIPS}) == len(CLIPS)
    assert len({clip.scene for clip in CLIPS}) >= 16
    for field in ("key", "caption", "seed"):
        assert len({getattr(clip, field) for clip in CLIPS}) == len(CLIPS)
    assert {clip.author for clip in CLIPS} == set(BY_HANDLE)


def test_clips_are_short_and_the_first_ones_shortest() -> None:
    assert all(5 <= clip.seconds <= 20 for clip in CLIPS)
    assert all(5 <= clip.seconds <= 8 for clip in CLIPS[:OPENING])
    assert all(clip.audience == "everyone" for clip in CLIPS[:OPENING])
    assert not any(BY_HANDLE[clip.author].is_private for clip in CLIPS[:OPENING])


def test_captions_have_hashtags() -> None:
    for clip in CLIPS:
        assert re.search(r"#\w{2,}", clip.caption), clip.key
        assert len(clip.caption) < MAX_CAPTION_CHARS
        assert 0 <= clip.cover_part < 1


def test_captions_file_follows_the_clip() -> None:
    with_cues = [clip for clip in CLIPS if clip.cues]
    assert len(with_cues) >= 2
    for clip in with_cues:
        assert (clip.captions_vtt or "").startswith("WEBVTT\n\n00:00:0")
        times = [time for begin, end, _ in clip.cues for time in (begin, end)]
        assert times == sorted(times)
        assert times[-1] <= clip.seconds


def test_likes_come_from_those_who_may_see() -> None:
    for clip in CLIPS:
        likers = clip.likers()
        assert likers == clip.likers()
        assert clip.author not in likers
        assert all(clip.is_seen_by(handle) for handle in likers)
    shy = next(clip for clip in CLIPS if clip.audience == "friends")
    assert all(are_friends(handle, shy.author) for handle in shy.likers())
    assert sum(len(clip.likers()) for clip in CLIPS) > 60
