"""The kept archives are those that the generator makes, and nothing but invented."""

from __future__ import annotations

import json

import pytest
from tests.tiktok import archive, named
from tests.tiktok.archive import GENERATIONS, REALISTIC, Generation

# Broken on purpose, so that Python's own reader refuses them too: their bytes depend on zlib.
BROKEN = {
    "bad/cut.zip",
    "bad/encrypted.zip",
    "bad/lies-about-its-size.zip",
    "bad/lies-about-its-sum.zip",
}


def test_kept_archives_are_what_the_generator_makes() -> None:
    made = named.files()
    kept = {
        str(path.relative_to(named.HERE))
        for path in named.HERE.rglob("*")
        if path.suffix in (".zip", ".json")
    }
    assert kept == set(made)
    stale = [
        name
        for name, content in made.items()
        if name not in BROKEN
        and named.contents((named.HERE / name).read_bytes()) != named.contents(content)
    ]
    assert not stale, f"Write them anew with `python -m tests.tiktok.named`: {stale}"


@pytest.mark.parametrize("generation", GENERATIONS)
def test_same_seed_makes_the_same_archive_and_another_seed_another(generation: Generation) -> None:
    first, again = (archive.text_of(archive.made(generation, seed=5)) for _ in range(2))
    assert first == again
    assert first != archive.text_of(archive.made(generation, seed=6))
    assert json.loads(first)


def test_archive_of_a_real_account_s_size_has_as_many_rows() -> None:
    made = archive.made("G3", size=REALISTIC)
    assert len(made["Your Activity"]["Watch History"]["VideoList"]) == 9_339
    assert len(made["Likes and Favorites"]["Favorite Videos"]["FavoriteVideoList"]) == 1_843
