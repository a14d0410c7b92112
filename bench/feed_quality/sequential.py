"""Does a nightly sequence model find a person's next item better than counting does?

Expected: on logs of months such as MovieLens-1M clearly (published NDCG@10: SASRec .126, gSASRec
.173, FuXi-alpha .181); on the last 50 videos of KuaiRand-Pure, whose order is mostly that in which
a feed served them, little beyond a table of what was watched next.

    PYTHONPATH=src:. python -m bench.feed_quality.sequential FILE [--models popularity,cosine,...]

FILE is `ratings.dat` or SASRec's text file; `leave_last_out` has the protocol, to which the
published numbers keep as well. The data are not ours to ship. The model needs PyTorch: install the
extra `sequence`. Without it, leave `sasrec` out of `--models`.

Each configuration is fitted once and judged on validation (NDCG@10 of the same people for all); the
best of each kind is frozen and only then asked for the test. All that was tried is in the report.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from bench import machine
from bench.feed_quality import sequence_counts as counts
from bench.feed_quality.leave_last_out import (
    TOP,
    Items,
    Log,
    Numbers,
    Scorer,
    gains,
    hits,
    mean_and_error,
    ranks,
    read,
    sampled,
)

COUNTED = ("popularity", "cosine", "transitions", "ease")
LEARNED = "sasrec"
KINDS = (*COUNTED, LEARNED)
NO_TORCH = (
    "The sequence model needs PyTorch, which is not installed. Install Luciole's extra `sequence`, "
    "or leave it out: --models " + ",".join(COUNTED)
)
# What may be tried of the learned model: width, blocks, dropout, negatives, t. One negative without
# correction is SASRec's own loss. The last two are small enough for a processor.
SHAPES: tuple[tuple[int, int, float, int, float], ...] = (
    (64, 2, 0.2, 256, 0.75),
    (128, 2, 0.2, 256, 0.75),
    (128, 2, 0.5, 256, 0.75),
    (256, 3, 0.3, 256, 0.75),
    (128, 2, 0.2, 1, 0.0),
    (64, 1, 0.2, 128, 0.75),
    (64, 1, 0.2, 1, 0.0),
)


@dataclass
class Tried:
    """One configuration and what came of it."""

    kind: str
    described: str
    fit: Callable[[int], Scorer]
    """From a seed. A model that only counts does not look at it."""
    validation: float = 0.0
    note: str = ""
    model: Scorer | None = None
    seconds: float = 0.0


@dataclass
class Tested:
    """What the frozen configuration of a kind reached, per seed and person."""

    chosen: Tried
    hits: list[Numbers] = field(default_factory=list)
    gains: list[Numbers] = field(default_factory=list)


def counted(log: Log, kinds: list[str]) -> Iterator[Tried]:
    """The configurations of the models that count. A table is made once for all its fades."""
    if "popularity" in kinds:
        popular = counts.Popular(counts.popularity(log))
        yield Tried("popularity", "people in training", lambda _: popular)
    if "cosine" in kinds:
        table = counts.cosine_table(log)
        yield from tables("cosine", "", table, (1.0, 0.9, 0.7))
    if "transitions" in kinds:
        for within in (1, 5, 20, 50):
            for damp in (0.0, 0.2):
                table = counts.transition_table(log, within, damp)
                told = f"within {within}, damp {damp}, "
                yield from tables("transitions", told, table, (1.0, 0.9))
    if "ease" in kinds:
        for ridge in (100.0, 400.0, 1600.0):
            table = counts.ease_table(log, ridge)
            yield from tables("ease", f"ridge {ridge:.0f}, ", table, (1.0, 0.9))


def tables(kind: str, told: str, table: counts.Table, fades: tuple[float, ...]) -> Iterator[Tried]:
    for fade in fades:
        model = counts.FromTable(table, fade)
        yield Tried(kind, f"{told}fade {fade}", lambda _, model=model: model)


def learned(log: Log, people: Items, told: argparse.Namespace) -> Iterator[Tried]:
    """The configurations of the sequence model. PyTorch is imported here and nowhere else."""
    from bench.feed_quality import sequence_model

    base = sequence_model.Shape(
        length=told.length,
        epochs=told.epochs,
        patience=told.patience,
        rate=told.rate,
        batch=told.batch,
    )
    for number in told.shapes:
        width, blocks, dropout, negatives, calibration = SHAPES[number]
        shape = replace(
            base,
            width=width,
            blocks=blocks,
            dropout=dropout,
            negatives=min(negatives, log.item_count - 1),
            calibration=calibration,
        )

        def fit(seed: int, shape: sequence_model.Shape = shape) -> Scorer:
            return sequence_model.fit(
                log,
                shape,
                seed,
                told.device,
                lambda fitted: float(gains(ranks(log, fitted, people, test=False)).mean()),
                told.seconds,
            )

        yield Tried(LEARNED, shape.described(), fit)


def spent(_: int) -> Scorer:
    raise AssertionError("A counting model is fitted once.")


def how_long(model: Scorer) -> str:
    """How long a learned model was trained, and to which epoch its weights belong."""
    epochs, curve = getattr(model, "epochs", None), getattr(model, "curve", None)
    if epochs is None or not curve:
        return ""
    seconds = getattr(model, "seconds", 0.0)
    return f"weights of epoch {epochs}, trained to {curve[-1][0]}, {seconds:.0f} s"


def choose(tried: Iterator[Tried], log: Log, people: Items) -> list[Tried]:
    """All configurations with their validation; the model of a kind's best one is kept."""
    done = list[Tried]()
    best = dict[str, Tried]()
    for one in tried:
        began = time.perf_counter()
        model = one.fit(0)
        one.seconds = time.perf_counter() - began
        one.validation = float(gains(ranks(log, model, people, test=False)).mean())
        one.note = how_long(model)
        before = best.get(one.kind)
        if before is None or one.validation > before.validation:
            if before is not None:
                before.model = None
            one.model, best[one.kind] = model, one
        if one.kind in COUNTED:
            one.fit = spent  # It holds a table of millions of numbers.
        print(
            f"{one.kind:12} {one.validation:.4f} {one.seconds:6.1f} s  {one.described} {one.note}"
        )
        sys.stdout.flush()
        done.append(one)
    return done


def test(chosen: Tried, log: Log, seeds: int) -> Tested:
    """The test of a frozen configuration: once per seed, the first with the model already there."""
    assert chosen.model is not None, "Only a chosen configuration keeps its model."
    tested = Tested(chosen)
    for seed in range(seeds if chosen.kind == LEARNED else 1):
        model = chosen.model if seed == 0 else chosen.fit(seed)
        rank = ranks(log, model, log.asked(), test=True)
        tested.hits.append(hits(rank))
        tested.gains.append(gains(rank))
        print(f"{chosen.kind:12} seed {seed}: NDCG@{TOP} {tested.gains[-1].mean():.4f}")
        sys.stdout.flush()
    return tested


def shown(values: Numbers, signed: bool = False) -> str:
    mean, error = mean_and_error(values)
    return f"{mean:+.4f} ± {error:.4f}" if signed else f"{mean:.4f} ± {error:.4f}"


def report(log: Log, tried: list[Tried], tested: list[Tested], people: Items, note: str) -> str:
    """The result in Markdown, its answer first."""
    counting = [one for one in tested if one.chosen.kind in COUNTED]
    peer = max(counting, key=lambda one: one.chosen.validation, default=None)
    rows, answer = [], "The sequence model was not run."
    for one in tested:
        gain, hit = np.mean(one.gains, axis=0), np.mean(one.hits, axis=0)
        against = (
            "" if peer is None or one is peer else shown(gain - np.mean(peer.gains, axis=0), True)
        )
        seeds = ", ".join(f"{each.mean():.4f}" for each in one.gains)
        rows.append([
            one.chosen.kind, one.chosen.described, shown(hit), shown(gain), seeds, against,
        ])  # fmt: skip
        if one.chosen.kind == LEARNED and peer is not None:
            answer = (
                f"The sequence model reaches NDCG@{TOP} {gain.mean():.4f} and {peer.chosen.kind}, "
                f"the best of those that count, {np.mean(peer.gains):.4f}: a difference of "
                f"{against} (paired by person, mean of {len(one.gains)} seeds)."
            )
    head = [
        "model", "frozen configuration", f"HR@{TOP}", f"NDCG@{TOP}", "NDCG by seed",
        f"NDCG minus {peer.chosen.kind if peer else 'best'}, paired",
    ]  # fmt: skip
    choices = [[one.kind, one.described, f"{one.validation:.4f}", one.note] for one in tried]
    return "\n".join([
        answer,
        "",
        machine.described() + note,
        "",
        log.described(),
        "",
        "## Test, asked once",
        "",
        "Leave-last-out, all items ranked, those seen taken out, ties lost. ± is one standard "
        "error over people, who are averaged over seeds first.",
        "",
        machine.table(head, rows),
        f"## All {len(tried)} configurations tried",
        "",
        f"NDCG@{TOP} on validation, the same {len(people):,} people for all; the learned ones with "
        "seed 0 here.",
        "",
        machine.table(["model", "configuration", "validation", "training"], choices),
    ])  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="ratings.dat, or lines `user item` in time order")
    parser.add_argument("--models", default=",".join(KINDS), help="kinds, with commas")
    parser.add_argument("--people", type=int, default=0, help="a random sample; else everybody")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--validate", type=int, default=5000, help="people to choose by, at most")
    parser.add_argument("--shapes", default="0,1,2,3,4", help="which of SHAPES to try")
    parser.add_argument("--length", type=int, default=50, help="items that the model is shown")
    parser.add_argument("--rate", type=float, default=1e-3, help="of learning")
    parser.add_argument("--batch", type=int, default=128, help="people in a step of learning")
    parser.add_argument("--epochs", type=int, default=100, help="at most")
    parser.add_argument("--patience", type=int, default=3, help="looks without a better one")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="a fit lasts at most")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--write", type=Path, help="where the report goes; else it is printed")
    parser.add_argument("--note", default="", help="added to the line about the machine")
    told = parser.parse_args(arguments)
    kinds = told.models.split(",")
    told.shapes = [int(number) for number in told.shapes.split(",")]
    if unknown := set(kinds) - set(KINDS):
        parser.error(f"No such model: {', '.join(sorted(unknown))}. There are {', '.join(KINDS)}.")
    if LEARNED in kinds and importlib.util.find_spec("torch") is None:
        parser.error(NO_TORCH)
    log = read(told.file)
    if told.people:
        log = sampled(log, told.people)
    print(log.described())
    people = log.asked()
    if len(people) > told.validate:
        people = np.sort(np.random.default_rng(0).choice(people, told.validate, replace=False))
    tried = choose(counted(log, kinds), log, people)
    if LEARNED in kinds:
        tried += choose(learned(log, people, told), log, people)
    tested = [test(one, log, told.seeds) for one in tried if one.model is not None]
    text = "# The next item, by leave-last-out\n\n" + report(log, tried, tested, people, told.note)
    if told.write:
        told.write.write_text(text, encoding="utf-8")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
