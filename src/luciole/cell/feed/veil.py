"""Other names for authors, sounds and words, under a key of the cell: all that ranking ever sees.

What ranking keeps, in memory and in snapshots, tells the same author from another and the same word
from another, and leads to neither. A snapshot from before an erasure so holds no name of the person
and no word of theirs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID

import msgspec

from luciole.cell.feed.ranking.model import Clip
from luciole.cell.feed.ranking.shelf import topics_of

WORD_BYTES = 8
NAMES_KEPT = 20_000


class Veil:
    """Gives the other names; the same in every process of the cell."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        # A start names all clips, whose words and authors come again and again.
        self.author = lru_cache(NAMES_KEPT)(self._author)
        self.word = lru_cache(NAMES_KEPT)(self._word)

    def _author(self, author_id: UUID) -> UUID:
        """The other name of an author."""
        return UUID(bytes=self._digest(b"author", author_id.bytes, 16))

    def sound(self, sound_id: UUID) -> UUID:
        """The other name of a sound, which would lead to its owner."""
        return UUID(bytes=self._digest(b"sound", sound_id.bytes, 16))

    def authors(self, ids: Iterable[UUID]) -> frozenset[UUID]:
        """The other names of several."""
        return frozenset(self.author(each) for each in ids)

    def _word(self, topic: str) -> str:
        """The other name of a hashtag (`#cats`) or of a word of a caption."""
        return self._digest(b"word", topic.encode(), WORD_BYTES).hex()

    def clip(self, clip: Clip) -> Clip:
        """The clip as ranking may know it: its words are those that ranking would take of it."""
        return msgspec.structs.replace(
            clip,
            author_id=self.author(clip.author_id),
            sound_id=self.sound(clip.sound_id) if clip.sound_id else None,
            hashtags=tuple(self.word(topic) for topic in topics_of(clip)),
            caption="",
        )

    def unveiled(self, name: str, clip: Clip) -> str | None:
        """Which hashtag or word of a clip has this other name; None: none has."""
        for topic in topics_of(clip):
            if name.removeprefix("#") == self.word(topic):
                return topic.removeprefix("#")
        return None

    def _digest(self, kind: bytes, text: bytes, size: int) -> bytes:
        return hashlib.blake2b(text, key=self._key, person=kind, digest_size=size).digest()
