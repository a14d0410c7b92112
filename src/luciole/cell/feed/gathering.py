"""All clips, veiled, as ranking takes them in at once when a state begins without a snapshot."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from luciole.cell.feed.ranking.columns import ID_BYTES
from luciole.cell.feed.ranking.packed import Clips, Packed
from luciole.cell.feed.ranking.shelf import TOPICS, topics_in
from luciole.cell.feed.rows import CLIP, NO_SOUND, SINCE_1970
from luciole.cell.feed.veil import Veil


class Gathering:
    """Clips in the order in which they are given, each once."""

    def __init__(self, veil: Veil) -> None:
        self._veil = veil
        self._tables: list[NDArray[Any]] = []
        self._authors: dict[bytes, int] = {}
        self._sounds: dict[bytes, int] = {}
        self._topics: dict[str, int] = {}
        self._author, self._sound, self._topic = array("i"), array("i"), array("i")

    def add(self, packed: bytes, hashtags: Sequence[str], captions: Sequence[str]) -> None:
        """More clips: rows of `CLIP`, the hashtags of each (parted by blanks), its caption. Raises
        ValueError where the bytes are no rows."""
        table = np.frombuffer(packed, CLIP)
        self._tables.append(table)
        authors, sounds = table["author"].tobytes(), table["sound"].tobytes()
        for at in range(0, len(authors), ID_BYTES):
            author = authors[at : at + ID_BYTES]
            self._author.append(self._authors.setdefault(author, len(self._authors)))
            sound = sounds[at : at + ID_BYTES]
            if sound == NO_SOUND:
                self._sound.append(-1)
            else:
                self._sound.append(self._sounds.setdefault(sound, len(self._sounds)))
        known, topic = self._topics, self._topic
        for tags, caption in zip(hashtags, captions, strict=True):
            names = topics_in(tags.split(), caption)
            topics = [known.setdefault(name, len(known)) for name in names]
            topic.extend(topics)
            topic.extend([-1] * (TOPICS - len(topics)))

    def clips(self) -> Clips:
        """All of them, with other names."""
        table = np.concatenate(self._tables) if self._tables else np.zeros(0, CLIP)
        veil = self._veil
        columns = (
            np.ones(len(table), np.bool_),
            np.array(self._author, np.int32),
            np.array(self._sound, np.int32),
            np.array(self._topic, np.int32).reshape(len(table), TOPICS),
            table["duration_ms"].astype(np.int64),
            (table["published_at"].astype(np.int64) + SINCE_1970) / 1e6,
        )
        return Clips(
            table["id"].tobytes(),
            [Packed.of(column) for column in columns],
            [str(veil.author(UUID(bytes=each))) for each in self._authors],
            [str(veil.sound(UUID(bytes=each))) for each in self._sounds],
            [f"#{veil.word(each)}" for each in self._topics],
        )
