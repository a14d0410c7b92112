"""Does what the feed learned put a person's next eight clips into a better order than popularity
does? On a real short-video log, with a placebo that must come out as chance.

    LUCIOLE_CORPUS=... PYTHONPATH=src .venv/bin/python -m bench.feed_quality.decision_slates

Guess before the first run: a few thousandths over popularity, as an earlier trial had +0.007.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from bench import machine
from bench.feed_quality import report, tried
from bench.feed_quality.kuairand import (
    Array,
    auc,
    folder,
    mean_and_error,
    ndcg,
    read,
    slates,
    top,
)  # fmt: skip
from bench.feed_quality.replayed import Replay

POPULARITY = tried.NAMES[0]
FOLDS = 5
Scores = dict[str, Array]
BEFORE: list[tried.Tried | Replay] = []
"""What the histories tell, for the children."""
DAY_MS = 86_400_000


def fitted(columns: Array, labels: Array, known: Array, pull: float) -> Array:
    """Weights of a pairwise logistic loss, each slate weighing the same, by Newton's method.
    `known` says which labels may be used."""
    pair = (labels[:, :, None] > labels[:, None, :]) & known[:, :, None] & known[:, None, :]
    slate, better, worse = np.nonzero(pair)
    if len(slate) < 500:
        return np.zeros(0)
    differ = columns[slate, better] - columns[slate, worse]
    weight = 1 / np.bincount(slate)[slate]
    found = np.zeros(columns.shape[2])
    for _ in range(25):
        wrong = 1 / (1 + np.exp(np.clip(differ @ found, -30, 30)))
        slope = -(differ * (wrong * weight)[:, None]).sum(axis=0) + pull * found
        bend = (differ * (wrong * (1 - wrong) * weight)[:, None]).T @ differ
        step = np.linalg.solve(bend + pull * np.eye(len(found)), slope)
        found -= step
        if np.abs(step).max() < 1e-5:
            break
    return found


def standard(columns: Array) -> Array:
    flat = columns.reshape(-1, columns.shape[-1]).astype(np.float64)
    found: Array = (columns - flat.mean(axis=0)) / (flat.std(axis=0) + 1e-6)
    return found


def across_people(columns: Array, labels: Array, person: Array, seed: int) -> Array:
    """Weights from four fifths of the people score the rest. These see the future of others."""
    columns = standard(columns)
    ids = np.unique(person)
    fold_of = dict(zip(ids.tolist(), np.random.default_rng(seed).integers(0, FOLDS, len(ids)),
                       strict=True))  # fmt: skip
    fold = np.array([fold_of[each] for each in person.tolist()])
    found = np.zeros(labels.shape)
    for each in range(FOLDS):
        rest = fold != each
        weights = fitted(columns[rest], labels[rest], np.ones_like(labels[rest], bool), 5.0)
        found[fold == each] = columns[fold == each] @ weights
    return found


def day_by_day(columns: Array, labels: Array, at_ms: Array, at_first: Array) -> Array:
    """Weights from what was known before a day score its slates; the first day goes by
    `at_first`."""
    columns = standard(columns)
    found = at_first.astype(np.float64).copy()
    start = at_ms.min()
    day = (at_ms[:, 0] - start) // DAY_MS
    for each in range(int(day.max()) + 1):
        weights = fitted(columns, labels, at_ms < start + each * DAY_MS, 20.0)
        if len(weights):
            found[day == each] = columns[day == each] @ weights
    return found


def ways(long_view: Array, chosen: Array, seed: int) -> Scores:
    """Scores by every way that is tried."""
    ideas_of, replay = BEFORE
    assert isinstance(ideas_of, tried.Tried)
    assert isinstance(replay, Replay)
    log = ideas_of.log
    labels, person = long_view[chosen], log.person[chosen[:, 0]]
    ideas = ideas_of.scored(long_view, chosen)
    found = {name: ideas[:, :, at] for at, name in enumerate(tried.NAMES)}
    own = replay.scores(long_view, chosen)
    found |= {f"feed: {name}": scores for name, scores in own.items()}
    every = [at for at in range(len(tried.NAMES)) if tried.NAMES[at] != "served order"]
    plain = [at for at in tried.PUBLIC if at != 8]
    feeds = np.stack([own["no profile"], own["learning"]], axis=2)
    for name, columns in (
        ("all public but grading", ideas[:, :, plain]),
        ("all public", ideas[:, :, list(tried.PUBLIC)]),
        ("all", ideas[:, :, every]),
        ("all, and the feed's scores", np.concatenate([ideas[:, :, every], feeds], axis=2)),
    ):
        found[f"{name}, weights across people"] = across_people(columns, labels, person, seed)
        found[f"{name}, weights day by day"] = day_by_day(
            columns, labels, log.at_ms[chosen], found["graded against the person"]
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=1.0, help="of people whose slates count")
    told = parser.parse_args()
    log = read(folder())
    chosen = slates(log)
    rng = np.random.default_rng(told.seed)
    people = np.unique(log.person[chosen[:, 0]])
    people = people[rng.random(len(people)) < told.share]
    chosen = chosen[np.isin(log.person[chosen[:, 0]], people)]
    person = log.person[chosen[:, 0]]
    labels = log.long_view[chosen]
    # Labels change places within each person, so nothing is left to be known.
    mixed = log.long_view.copy()
    for each in np.split(np.argsort(log.person, kind="stable"),
                         np.flatnonzero(np.diff(np.sort(log.person))) + 1):  # fmt: skip
        mixed[each] = rng.permutation(mixed[each])
    ideas, replay = tried.Tried(log), Replay(log, set(person.tolist()))
    # Both children begin with the same histories, in memory that a fork shares, and go on with
    # labels of their own.
    BEFORE.extend([ideas, replay])
    with ProcessPoolExecutor(2, get_context("fork")) as children:
        real, shuffled = (
            children.submit(ways, each, chosen, told.seed) for each in (log.long_view, mixed)
        )
        found, placebo = real.result(), shuffled.result()
    base = auc(found[POPULARITY], labels)
    plain = auc(found["feed: no profile"], labels)
    rows, wrong = [], []
    for name, scores in found.items():
        value = auc(scores, labels)
        mean, error = mean_and_error(value, person)
        over, over_error = mean_and_error(value - base, person)
        more, more_error = mean_and_error(value - plain, person)
        nothing, nothing_error = mean_and_error(auc(placebo[name], mixed[chosen]), person)
        if abs(nothing - 0.5) > 0.01:
            wrong.append(f"{name}: {nothing:.4f}")
        gain = mean_and_error(ndcg(scores, labels), person)[0]
        first = mean_and_error(top(scores, labels), person)[0]
        rows.append([
            name, f"{mean:.4f} ± {error:.4f}", f"{over:+.4f} ± {over_error:.4f}",
            f"{more:+.4f} ± {more_error:.4f}", f"{gain:.4f}", f"{first:.4f}",
            f"{nothing:.4f} ± {nothing_error:.4f}",
        ])  # fmt: skip
    head = ["scorer", "slate AUC", "over popularity", "over the feed without profile", "NDCG",
            "first watched long", "placebo AUC"]  # fmt: skip
    body = (
        f"KuaiRand-Pure (Kuaishou, CC BY-SA 4.0): {log.size:,} impressions after histories of "
        f"{len(log.history):,} people; {len(chosen):,} slates of {len(set(person.tolist())):,} "
        f"people: the next 8 distinct videos of a person in one tab, without overlap, by what was "
        "known at the first of them. Errors are clustered by person, differences paired; seed "
        f"{told.seed}. Also tried, in scripts that were thrown away: EASE, factors, and segments "
        "of people, none of them better. Of the feed's heads only that of watching is compared, "
        "because the histories tell of nothing else. "
        "`bench/feed_quality/decision_slates.py`\n\n"
        f"{machine.table(head, rows)}\n"
        + ("**The placebo failed, so nothing above counts:** " + "; ".join(wrong) if wrong else
           "The placebo holds for all: with labels shuffled within each person, 0.50 ± 0.01.")
    )  # fmt: skip
    report.write("Decision slates on a real log", body)
    if wrong:
        sys.exit("The placebo failed: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
