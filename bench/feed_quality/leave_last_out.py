"""Leave-last-out: one protocol for sequential recommendation, exact to the last tie.

1. A person's items are in time order. The last one is the test, the one before it is validation,
   the rest is training. Whoever has fewer than three items only trains.
2. A model is fitted on training items alone. For validation it is shown the training items of a
   person, for the test these and the validation item.
3. It scores ALL items of the file. Items that it was shown for this person are taken out.
4. The rank of the held-out item is 1 + the items with a higher score + the OTHER items with the
   same score: a tie is lost. A model that cannot tell items apart gets nothing for it.
5. HR@10 is 1 for a rank up to 10; NDCG@10 is 1 / log2(1 + rank) for it; else 0. Both are means
   over people, with the standard error over people.

An item that a person meets again could never be found by rule 3, so only the first meeting stays;
how many went is said. Two formats are read:

`user item`, blank between, each person's lines in time order: the text file of SASRec
(Kang, McAuley 2018), taken as it is.

`user::item::rating::timestamp`: `ratings.dat` of MovieLens. As in SASRec's preparation, people and
items with fewer than five lines go, counted once; lines with equal times stay in the order of the
file. That order is a choice: about a quarter of MovieLens-1M's last items hang on it, so numbers
from `ratings.dat` are not comparable with numbers from SASRec's file.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

Items = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

TOP = 10
FEWEST = 3
FEWEST_LINES = 5  # of a person and of an item in ratings.dat
CHUNK = 256  # people scored at once


class Scorer(Protocol):
    """A fitted model."""

    def score(self, shown: Sequence[Items]) -> npt.NDArray[np.floating]:
        """For each person, from what they were shown in time order, a score for every item."""
        ...


@dataclass(frozen=True)
class Log:
    """Who met what, in time order. Items are numbered from 0 as they first appear in the file."""

    sequences: tuple[Items, ...]
    item_count: int
    repeats: int
    sha256: str
    """Of the bytes of the file."""
    sample: str = ""
    """What was left out on purpose, in words."""

    @property
    def meetings(self) -> int:
        return sum(len(items) for items in self.sequences)

    def described(self) -> str:
        lengths = [len(items) for items in self.sequences]
        middle, most = np.median(lengths), max(lengths)
        return (
            f"{self.sample}{len(self.sequences):,} people, {self.item_count:,} items, "
            f"{self.meetings:,} meetings ({middle:.0f} a person in the middle, at most {most}); "
            f"{self.repeats:,} repeated meetings of the file left out; {len(self.asked()):,} "
            f"people have {FEWEST} items and are asked. SHA-256 of the file: `{self.sha256}`."
        )

    def asked(self) -> Items:
        """The numbers of the people who have a test item."""
        return np.array([n for n, s in enumerate(self.sequences) if len(s) >= FEWEST], np.int64)

    def training(self) -> list[Items]:
        return [items[:-2] if len(items) >= FEWEST else items for items in self.sequences]


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """People and items in time order; each person's order is what counts."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise ValueError("The file is empty. Give one with lines `user item` or `ratings.dat`.")
    if "::" not in lines[0]:
        for line in lines:
            user, item = line.split()
            yield user, item
        return
    rows = [line.split("::") for line in lines]
    users, items = Counter(row[0] for row in rows), Counter(row[1] for row in rows)
    for user, item, _, _ in sorted(rows, key=lambda row: int(row[3])):
        if users[user] >= FEWEST_LINES and items[item] >= FEWEST_LINES:
            yield user, item


def read(path: Path) -> Log:
    """The log in a file of either format."""
    content = path.read_bytes()
    numbers = dict[str, int]()
    people = dict[str, dict[int, None]]()
    lines = 0
    for user, item in pairs(content.decode("latin-1")):
        number = numbers.setdefault(item, len(numbers))
        people.setdefault(user, {}).setdefault(number)
        lines += 1
    log = Log(
        tuple(np.fromiter(items, np.int64, len(items)) for items in people.values()),
        len(numbers),
        lines - sum(len(items) for items in people.values()),
        hashlib.sha256(content).hexdigest(),
    )
    if not len(log.asked()):
        raise ValueError(f"Nobody in the file has {FEWEST} different items.")
    return log


def sampled(log: Log, people: int) -> Log:
    """Fewer people for a small machine, always the same ones, with the items that these met. What
    comes of it can be compared with nothing but the same sample."""
    if people >= len(log.sequences):
        return log
    drawn = np.random.default_rng(0).choice(len(log.sequences), people, replace=False)
    kept = [log.sequences[person] for person in np.sort(drawn)]
    items, numbers = np.unique(np.concatenate(kept), return_inverse=True)
    ends = np.cumsum([len(each) for each in kept])[:-1]
    return Log(
        tuple(np.split(numbers.astype(np.int64), ends)),
        len(items),
        log.repeats,
        log.sha256,
        f"A sample of {people:,} of the {len(log.sequences):,} people of the file: ",
    )


def ranks(log: Log, model: Scorer, people: Items, *, test: bool) -> Items:
    """The rank of each person's held-out item among all items not yet met, from 1."""
    found = []
    for begin in range(0, len(people), CHUNK):
        sequences = [log.sequences[person] for person in people[begin : begin + CHUNK]]
        shown = [items[:-1] if test else items[:-2] for items in sequences]
        held = np.array([items[-1 if test else -2] for items in sequences])
        # A copy of the same precision: rounding would make ties.
        scores = np.array(model.score(shown))
        if scores.shape != (len(shown), log.item_count) or not np.isfinite(scores).all():
            raise ValueError("A model gives one finite score to each item for each person.")
        rows = np.repeat(np.arange(len(shown)), [len(items) for items in shown])
        scores[rows, np.concatenate(shown)] = -np.inf
        own = scores[np.arange(len(held)), held][:, None]
        found.append((scores >= own).sum(axis=1))  # counts the held-out item itself, too
    return np.concatenate(found)


def hits(rank: Items) -> Numbers:
    return (rank <= TOP).astype(np.float64)


def gains(rank: Items) -> Numbers:
    return np.where(rank <= TOP, 1 / np.log2(1 + rank), 0.0)


def mean_and_error(values: Numbers) -> tuple[float, float]:
    """The mean over people and its standard error."""
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
