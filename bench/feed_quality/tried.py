"""Single ideas on KuaiRand-Pure, each scored with what was known when a slate was decided."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np

from bench.feed_quality.kuairand import HISTORY_ENDS_MS, Array, Log

BOUNDS_MS = [8_000, 15_000, 30_000, 60_000, 120_000, 240_000]
SESSION = 10
HALF_LIFE_MS = 72 * 3_600_000.0


def odds(share: Array) -> Array:
    share = np.clip(share, 1e-3, 1 - 1e-3)
    return np.log(share / (1 - share))


class Rate:
    """Shares of long views of groups, drawn to another share by some impressions' worth."""

    def __init__(self, groups: int) -> None:
        self.sums, self.counts = np.zeros(groups), np.zeros(groups)

    def add(self, group: int, value: float) -> None:
        self.sums[group] += value
        self.counts[group] += 1

    def share(self, groups: Array, strength: float, to: Array | float) -> Array:
        found: Array = (self.sums[groups] + strength * to) / (self.counts[groups] + strength)
        return found


class Own:
    """Mean residuals (long view less the video's share) of one person by author, tag, length."""

    def __init__(self) -> None:
        self.by: tuple[dict[int, list[float]], ...] = (
            defaultdict(lambda: [0.0, 0.0]), defaultdict(lambda: [0.0, 0.0]),
            defaultdict(lambda: [0.0, 0.0]),
        )  # fmt: skip
        self.videos: list[int] = []
        self.residuals: list[float] = []
        self.long_ones: list[int] = []

    def add(self, keys: tuple[int, int, int], video: int, is_long: float, share: float) -> None:
        residual = is_long - share
        for kept, key in zip(self.by, keys, strict=True):
            kept[key][0] += residual
            kept[key][1] += 1
        self.videos.append(video)
        self.residuals.append(residual)
        if is_long:
            self.long_ones.append(video)

    def mean(self, which: int, keys: Array, strength: float) -> Array:
        kept = self.by[which]
        return np.array(
            [kept[key][0] / (kept[key][1] + strength) if key in kept else 0.0
             for key in keys.tolist()]
        )  # fmt: skip


NAMES = (
    "popularity (drawn by 20)", "popularity (drawn by 5)", "popularity in the tab",
    "popularity, half-life 3 days", "author's share", "tag's share", "duration alone",
    "impressions alone", "graded within sessions of 10", "graded against the person",
    "person × author", "person × tag", "person × duration", "steps (last 10 long views)",
    "item-item cosine of residuals", "served order",
)  # fmt: skip
PUBLIC = (0, 1, 2, 3, 4, 5, 6, 7, 8)


def _cosine(log: Log, share: Array) -> Array:
    size = len(log.author)
    gram = np.zeros(size * size, np.float32)
    for history in log.history.values():
        if history:
            video, is_long = np.array(history).T
            residual = (is_long - share[video]).astype(np.float32)
            np.add.at(gram, (video[:, None] * size + video).ravel(),
                      np.outer(residual, residual).ravel())  # fmt: skip
    gram = gram.reshape(size, size)
    norm = np.sqrt(np.diag(gram) + 5)
    gram /= norm
    gram /= norm[:, None]
    np.fill_diagonal(gram, 0)
    return gram


class Tried:
    """What the histories tell; `scored` goes on with the stream, once."""

    def __init__(self, log: Log) -> None:
        self.log = log
        size = len(log.author)
        _, self.author = np.unique(log.author, return_inverse=True)
        self.length = np.searchsorted(BOUNDS_MS, log.length_ms, side="right")
        self.all, self.graded, self.graded_person = Rate(size), Rate(size), Rate(size)
        self.authors, self.tags = Rate(int(self.author.max()) + 1), Rate(int(log.tag.max()) + 1)
        self.people: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self.steps: dict[int, dict[int, int]] = defaultdict(dict)
        for person, history in log.history.items():
            self._history(person, history)
        mean = self.all.sums.sum() / self.all.counts.sum()
        self.share = self.all.share(np.arange(size), 5, mean)
        self.cosine = _cosine(log, self.share)
        self.own: dict[int, Own] = {}

    def _history(self, person: int, history: list[tuple[int, int]]) -> None:
        total, count = sum(is_long for _, is_long in history), len(history)
        self.people[person] = [float(total), float(count)]
        before = [0.0, 0.0]
        for place, (video, is_long) in enumerate(history):
            self.all.add(video, is_long)
            self.authors.add(self.author[video], is_long)
            self.tags.add(self.log.tag[video], is_long)
            if place % SESSION == 0:
                before = [0.0, 0.0]
            self.graded.add(video, is_long - (before[0] + 2 * 0.37) / (before[1] + 2))
            before = [before[0] + is_long, before[1] + 1]
            usual = (total - is_long + 2 * 0.37) / (count - 1 + 2)
            self.graded_person.add(video, is_long - usual)
        long_ones = [video for video, is_long in history if is_long]
        for here, there in itertools.pairwise(long_ones):
            self.steps[here][there] = self.steps[here].get(there, 0) + 1

    def _own(self, person: int) -> Own:
        if person not in self.own:
            kept = self.own[person] = Own()
            for video, is_long in self.log.history.get(person, ()):
                kept.add(self._keys(video), video, is_long, self.share[video])
        return self.own[person]

    def _keys(self, video: int) -> tuple[int, int, int]:
        return int(self.author[video]), int(self.log.tag[video]), int(self.length[video])

    def scored(self, long_view: Array, slates: Array) -> Array:
        """Shape (slates, 8, ideas of NAMES)."""
        log, author, length, steps = self.log, self.author, self.length, self.steps
        all_, graded, graded_person = self.all, self.graded, self.graded_person
        authors, tags, people, cosine = self.authors, self.tags, self.people, self.cosine
        size = len(log.author)
        tabs = Rate(size * 16)
        asked = set(log.person[slates[:, 0]].tolist())
        recent, recent_at = Rate(size), np.zeros(size)
        sessions: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
        decided: dict[int, list[int]] = defaultdict(list)
        for slate, first in enumerate(slates[:, 0].tolist()):
            decided[first].append(slate)
        found = np.zeros((*slates.shape, len(NAMES)), np.float32)
        for row in range(log.size):
            at, person, video, tab = (
                float(log.at_ms[row]), int(log.person[row]), int(log.video[row]),
                min(int(log.tab[row]), 15),
            )  # fmt: skip
            kept = self._own(person) if person in asked else Own()
            for slate in decided.get(row, ()):
                those = log.video[slates[slate]]
                mean = all_.sums.sum() / all_.counts.sum()
                plain = all_.share(those, 20, mean)
                fade = 0.5 ** ((at - recent_at[those]) / HALF_LIFE_MS)
                lately = (recent.sums[those] * fade + 10 * plain) / (
                    recent.counts[those] * fade + 10
                )
                last = kept.long_ones[-10:]
                stepped = np.array(
                    [sum(steps[here].get(v, 0) for here in last) for v in those.tolist()]
                )
                near = (np.array(kept.residuals[-100:], np.float32)
                        @ cosine[np.ix_(kept.videos[-100:], those)])  # fmt: skip
                found[slate] = np.stack(
                    [
                        odds(plain), odds(all_.share(those, 5, mean)),
                        odds(tabs.share(those * 16 + tab, 10, plain)), odds(lately),
                        odds(authors.share(author[those], 20, mean)),
                        odds(tags.share(log.tag[those], 50, mean)),
                        np.log(log.length_ms[those] + 1_000), np.log1p(all_.counts[those]),
                        graded.share(those, 20, 0.0), graded_person.share(those, 20, 0.0),
                        kept.mean(0, author[those], 3), kept.mean(1, log.tag[those], 5),
                        kept.mean(2, length[those], 5), np.log1p(stepped),
                        near if kept.videos else np.zeros(8), -np.arange(8.0),
                    ], axis=1,
                )  # fmt: skip
            is_long = float(long_view[row])
            mean = all_.sums.sum() / all_.counts.sum() if person in asked else 0.3
            share = float(all_.share(np.array([video]), 5, mean)[0])
            kept.add(self._keys(video), video, is_long, share)
            for rate, group in ((all_, video), (tabs, video * 16 + tab), (authors, author[video]),
                                (tags, log.tag[video])):  # fmt: skip
                rate.add(group, is_long)
            fade = 0.5 ** ((at - recent_at[video]) / HALF_LIFE_MS)
            recent.sums[video] *= fade
            recent.counts[video] *= fade
            recent_at[video] = at
            recent.add(video, is_long)
            session = sessions[person, int((at - HISTORY_ENDS_MS) // 86_400_000)]
            for rate, usual_of in ((graded, session), (graded_person, people[person])):
                rate.add(video, is_long - (usual_of[0] + 2 * 0.33) / (usual_of[1] + 2))
                usual_of[0] += is_long
                usual_of[1] += 1
        return found
