"""How slots are drawn from scored candidates: exactly, so that each chance can be told."""

from __future__ import annotations

import zlib
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from .model import Part, Slot, Source
from .order import Bools, Floats
from .weights import HEADS, PUBLIC_FEATURES, VIEWER_FEATURES, Weights

NAMES = (*PUBLIC_FEATURES, *VIEWER_FEATURES)
TOPICS = 4
"""Of the topics of a clip, hashtags first, so many count for diversity."""
UNCERTAINTY = "uncertainty"
DIVERSITY = "diversity"


class Inputs(msgspec.Struct, frozen=True, array_like=True):
    """Everything that a page follows from, besides the published weights.

    Arrays are little-endian bytes, one row per candidate; candidates are in the order of ids.
    """

    weights_version: int
    seed: int
    limit: int
    ids: bytes
    """16 bytes each."""
    sources: bytes
    """One byte each."""
    because: tuple[str, ...]
    features: bytes
    """float16; as many columns as the way has features."""
    bonus: bytes
    """float32: what is not known of the clip, before its weight."""
    floor: bytes
    """float32: weight in a slot for new clips, 0 where it is not one that lacks impressions."""
    coefficients: bytes
    """float64 of shape (heads, features): what the heads had learned."""
    authors: bytes
    """int16: equal for clips of the same author; also of `sounds` (-1: none)."""
    sounds: bytes
    topics: bytes
    """int16 of shape (candidates, TOPICS), -1 where there is none."""
    before_authors: tuple[int, ...]
    before_sounds: tuple[int, ...]


def encode(inputs: Inputs) -> bytes:
    """Inputs as bytes."""
    return zlib.compress(msgspec.msgpack.encode(inputs), 1)


def decode(data: bytes) -> Inputs:
    """Inputs from bytes. Raises ValueError or msgspec.DecodeError where they are damaged."""
    try:
        plain = zlib.decompress(data)
    except zlib.error as error:
        raise ValueError("these are not the inputs of a page") from error
    return msgspec.msgpack.decode(plain, type=Inputs)


def shares(weights: Weights) -> Floats:
    """Shape (heads,): the share of each head in the score."""
    return np.array([weights.heads[head] for head in HEADS])


class Draw:
    """A page in the making."""

    def __init__(self, inputs: Inputs, weights: Weights) -> None:
        self._inputs, self._rule = inputs, weights.draw
        self._count = len(inputs.sources)
        self._width = len(inputs.features) // 2 // max(self._count, 1)
        self._features = np.frombuffer(inputs.features, "<f2").reshape(self._count, -1)
        learned = np.frombuffer(inputs.coefficients, "<f8").reshape(len(HEADS), -1)
        factor = np.einsum("h,hf->f", shares(weights), learned)
        # The same for every clip, so it decides nothing.
        factor[NAMES.index("bias")] = 0
        self._factor = factor
        self._numbers = self._features.astype(np.float64)
        self._uncertain = self._rule.uncertainty * np.frombuffer(inputs.bonus, "<f4")
        self._base = np.einsum("if,f->i", self._numbers, factor) + self._uncertain
        self._floor = np.frombuffer(inputs.floor, "<f4").astype(np.float64)
        self._authors = np.frombuffer(inputs.authors, "<i2")
        self._sounds = np.frombuffer(inputs.sounds, "<i2")
        self._topics = np.frombuffer(inputs.topics, "<i2").reshape(self._count, -1)
        self._topic_counts = np.maximum((self._topics >= 0).sum(axis=1), 1)
        self._left: Bools = np.ones(self._count, np.bool_)
        self._drawn: list[int] = []

    @property
    def size(self) -> int:
        """How many candidates there are."""
        return self._count

    def id_of(self, at: int) -> UUID:
        """The clip of a candidate."""
        return UUID(bytes=self._inputs.ids[16 * at : 16 * at + 16])

    def take(self, at: int) -> None:
        """Puts a candidate into the next slot."""
        self._left[at] = False
        self._drawn.append(at)

    def scores(self) -> Floats:
        """The score of each candidate for the next slot."""
        found: Floats = self._base + self._diversity()
        return found

    def slots(self) -> list[Slot]:
        """The slots in their order; fewer than asked for where candidates are few."""
        random = np.random.Generator(np.random.PCG64(self._inputs.seed))
        numbers = random.random(self._inputs.limit + 4)
        every = self._rule.floor_every
        floor_at = int(numbers[0] * every)
        found = []
        for slot in range(min(self._inputs.limit, self._count)):
            chances, floor, diversity = self.chances(slot % every == floor_at)
            cumulated = np.cumsum(chances)
            at = int(np.searchsorted(cumulated, numbers[slot + 1] * cumulated[-1], side="right"))
            at = min(at, int(np.flatnonzero(chances)[-1]))
            found.append(self._slot(at, floor, float(chances[at]), float(diversity[at])))
            self.take(at)
        return found

    def chances(self, is_floor: bool) -> tuple[Floats, bool, Floats]:
        """Of each candidate to be drawn next, adding up to 1; whether the slot is one for new
        clips; and what diversity takes from each score."""
        allowed = self._allowed()
        diversity = self._diversity()
        if is_floor:
            weight = np.where(self._left, self._floor, 0)
            kept = np.where(allowed, weight, 0)
            weight = kept if kept.any() else weight
            if weight.any():
                return weight / weight.sum(), True, diversity
        score = (self._base + diversity) / self._rule.temperature
        raised = np.exp(score - score[allowed].max(), where=allowed, out=np.zeros(self._count))
        return raised / raised.sum(), False, diversity

    def _allowed(self) -> Bools:
        """Who is left and keeps the gaps; where nobody does, gaps give way step by step."""
        authors = [*self._inputs.before_authors, *(int(self._authors[at]) for at in self._drawn)]
        sounds = [*self._inputs.before_sounds, *(int(self._sounds[at]) for at in self._drawn)]
        sound_gap = self._rule.sound_gap - 1
        for author_gap in range(self._rule.author_gap - 1, -1, -1):
            allowed = self._left.copy()
            for author in authors[len(authors) - author_gap :]:
                allowed &= self._authors != author
            for sound in sounds[len(sounds) - sound_gap :]:
                if sound >= 0:
                    allowed &= self._sounds != sound
            if allowed.any():
                return allowed
            sound_gap = max(sound_gap - 1, 0)
        return self._left

    def _diversity(self) -> Floats:
        """Less for topics that the last slots had."""
        last = self._topics[self._drawn[-4:]]
        # The last place is that of -1: no topic.
        had = np.zeros(int(self._topics.max(initial=0)) + 2, np.bool_)
        had[last] = True
        had[-1] = False
        found: Floats = -self._rule.diversity * had[self._topics].sum(axis=1) / self._topic_counts
        return found

    def parts(self, at: int, diversity: float = 0.0) -> tuple[Part, ...]:
        """What a candidate's score is made of; parts that add nothing are left out."""
        adds = self._numbers[at] * self._factor
        named = [
            *zip(NAMES, adds.tolist(), strict=False),
            (UNCERTAINTY, float(self._uncertain[at])),
            (DIVERSITY, diversity),
        ]
        return tuple(Part(name, value) for name, value in named if value)

    def _slot(self, at: int, floor: bool, chance: float, diversity: float) -> Slot:
        return Slot(
            clip=self.id_of(at),
            source=Source.FLOOR if floor else Source(self._inputs.sources[at]),
            because="" if floor else self._inputs.because[at],
            parts=self.parts(at, diversity),
            features=self._inputs.features[2 * self._width * at : 2 * self._width * (at + 1)],
            propensity=chance,
        )


def drawn_from(inputs: Inputs, weights: Weights) -> list[Slot]:
    """The page that follows from inputs. Raises ValueError where they go with other weights."""
    if inputs.weights_version != weights.version:
        raise ValueError(f"these inputs go with version {inputs.weights_version} of the weights")
    return Draw(inputs, weights).slots() if inputs.sources else []


def labelled(numbers: NDArray[np.int32]) -> NDArray[np.int16]:
    """Small numbers that are equal where the numbers are; -1 stays. By first appearance, so that
    another process, which numbers otherwise, gives the same."""
    flat = numbers.reshape(-1)
    _, first, inverse = np.unique(flat, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    found: NDArray[np.int16] = np.where(flat >= 0, rank[inverse], -1).astype(np.int16)
    return found.reshape(numbers.shape)


def packed(array: NDArray[np.generic], kind: str) -> bytes:
    """The array's bytes, little-endian."""
    return np.ascontiguousarray(array, np.dtype(kind)).tobytes()
