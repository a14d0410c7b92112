"""One copy of the whole state, as it lives in an actor. Knows nothing of Ray: it is given bytes."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import msgspec

from luciole.cell.feed.fold import Fold
from luciole.cell.feed.model import Mark
from luciole.cell.feed.ranker import Asked, Viewer, Weights
from luciole.cell.feed.ranking.packed import Clips
from luciole.cell.feed.ranking_state import Grown, saved


class Told(msgspec.Struct, frozen=True, array_like=True):
    """Up to which row of the log a replica has read; None where it knows nothing. `refused` says
    why it could not begin with a snapshot."""

    mark: Mark | None
    clips: int
    events: int
    gone: int = 0
    refused: str = ""


class Begin(msgspec.Struct, frozen=True):
    """What a replica begins with: a snapshot, or else the clips as they are now. One that has read
    as far already stays as it is, unless it shall begin `anew`."""

    weights: Weights
    mark: Mark
    data: bytes | None
    clips: Clips | None
    anew: bool


class Apply(msgspec.Struct, frozen=True):
    since: Mark
    grown: Grown


class Draw(msgspec.Struct, frozen=True):
    """`viewer` is a pickled Viewer, empty for a page without profile."""

    at_least: Mark
    asked: Asked
    viewer: bytes


class Replica:
    """Answers one question at a time. All replicas run the very code that runs in process, over the
    same rows in the same order."""

    def __init__(self) -> None:
        self._fold: Fold | None = None
        self._questions: dict[str, Callable[[bytes], object]] = {
            "tell": lambda _: self._told(),
            "begin": self._begin,
            "apply": self._apply,
            "tidy": self._tidy,
            "save": self._save,
            "digest": self._digest,
            "budget": self._budget,
            "draw": self._draw,
        }

    def answer(self, question: str, body: bytes) -> bytes:
        """The answer as MessagePack; nil where the replica knows too little to answer."""
        return msgspec.msgpack.encode(self._questions[question](body))

    def _told(self) -> Told:
        fold = self._fold
        return (
            Told(fold.mark, fold.clips, fold.events, len(fold.gone)) if fold else Told(None, 0, 0)
        )

    def _begin(self, body: bytes) -> Told:
        asked = msgspec.msgpack.decode(body, type=Begin)
        if self._fold is not None and self._fold.mark >= asked.mark and not asked.anew:
            return self._told()
        try:
            fold = Fold(asked.weights, asked.mark, asked.data)
        except (ValueError, msgspec.DecodeError) as error:
            return Told(None, 0, 0, refused=type(error).__name__)
        if asked.clips is not None:
            fold.fill(asked.clips)
        self._fold = fold
        return self._told()

    def _apply(self, body: bytes) -> Told:
        """Takes the rows that it does not know. With a gap before them it takes none."""
        asked = msgspec.msgpack.decode(body, type=Apply)
        fold, grown = self._fold, asked.grown
        if fold is not None and fold.mark >= asked.since:
            fold.apply(grown.rows.after(fold.mark), grown.clips, grown.deleted)
        return self._told()

    def _tidy(self, body: bytes) -> Told:
        if self._fold is not None:
            self._fold.tidy(msgspec.msgpack.decode(body, type=float))
        return self._told()

    def _save(self, _body: bytes) -> object:
        return saved(self._fold) if self._fold else None

    def _digest(self, _body: bytes) -> object:
        return self._fold.digest() if self._fold else None

    def _budget(self, body: bytes) -> object:
        now = msgspec.msgpack.decode(body, type=float)
        return self._fold.budget(now) if self._fold else None

    def _draw(self, body: bytes) -> object:
        asked = msgspec.msgpack.decode(body, type=Draw)
        if self._fold is None or self._fold.mark < asked.at_least:
            return None
        # Both ends are the cell's own: whoever could write here runs its code already.
        viewer: Viewer | None = pickle.loads(asked.viewer) if asked.viewer else None  # noqa: S301
        return self._fold.draw(asked.asked, viewer)
