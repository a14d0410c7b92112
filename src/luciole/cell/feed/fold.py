"""The state that a process holds: a fold over the log. Pure: it is given rows and clips."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from luciole.cell.feed.model import Mark
from luciole.cell.feed.ranker import Asked, Drawn, Ranker, Viewer, Weights
from luciole.cell.feed.ranking.budget import Budget
from luciole.cell.feed.ranking.model import Clip
from luciole.cell.feed.ranking.packed import Clips
from luciole.cell.feed.rows import Rows

TIDY_EVERY_S = 600.0
START = Mark(0, 0)


class Fold:
    """What came of the log up to `mark`. Two that have read up to the same row know the same."""

    def __init__(
        self,
        weights: Weights,
        mark: Mark = START,
        data: bytes | None = None,
    ) -> None:
        """A new one, or the one that was saved. Raises ValueError and msgspec.DecodeError where
        what was saved cannot be used."""
        self.mark = mark
        self._ranker = Ranker(weights, data)
        self._tidied_at = 0.0
        self.gone: set[UUID] = set()
        """Clips that were deleted since this process began. What is saved does not name them."""

    @property
    def weights(self) -> Weights:
        return self._ranker.weights

    @property
    def clips(self) -> int:
        return self._ranker.clips

    @property
    def events(self) -> int:
        return self._ranker.events

    def fill(self, clips: Clips) -> None:
        """Takes in all clips at once, veiled; before any other."""
        self._ranker.fill(clips)

    def put(self, clip: Clip) -> None:
        """Takes in a clip that For You may show, veiled."""
        self._ranker.put(clip)

    def apply(
        self,
        rows: Rows,
        clips: Mapping[UUID, Clip],
        deleted: Collection[UUID] = (),
    ) -> None:
        """Takes the next rows of the log. `clips` holds those of the changed ones that For You may
        show, as they are now, veiled; `deleted` those that are no more."""
        start = 0
        for change in [*rows.changes, len(rows)]:
            if start < change:
                self._ranker.apply(rows.events(start, change))
            start = change + 1
            if change < len(rows):
                self._change(rows.clip(change), clips, deleted)
        if len(rows):
            self.mark = rows.last

    def _change(self, clip_id: UUID, clips: Mapping[UUID, Clip], deleted: Collection[UUID]) -> None:
        clip = clips.get(clip_id)
        if clip is not None:
            self.put(clip)
            return
        if clip_id in deleted:
            self._ranker.forget(clip_id)
            self.gone.add(clip_id)
        else:
            self._ranker.drop(clip_id)

    def tidy(self, now: float) -> None:
        """Forgets what lives for a day only. Changes nothing about clips."""
        if now - self._tidied_at >= TIDY_EVERY_S:
            self._tidied_at = now
            self._ranker.tidy(now)

    def save(self) -> bytes:
        """All of it, for a new one."""
        return self._ranker.dump()

    def digest(self) -> str:
        return self._ranker.digest()

    def budget(self, now: float) -> Budget:
        """What new clips are promised, by the last 24 hours."""
        return self._ranker.budget(now)

    def draw(self, asked: Asked, viewer: Viewer | None) -> Drawn:
        """The next clips; without a viewer the same for everybody. Empty where none is left."""
        return self._ranker.draw(asked, viewer)
