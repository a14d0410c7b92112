"""May logged pages say what another rule would have been worth? Only where it comes out right.

In a made-up town the worth of a rule is known exactly. IPS, SNIPS (Swaminathan and Joachims 2015)
and DR (Dudik, Langford and Li 2011) see only what the feed logs: the inputs of a page, the clip in
its first slot, its chance, and whether it was watched long. An estimate is accepted where it lies
within two of its standard errors of what is known, and these are below 0.02.

    PYTHONPATH=src .venv/bin/python -m bench.feed_quality.estimators
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field

import msgspec
import numpy as np

from bench import machine
from bench.feed_quality import report
from bench.feed_quality.made_up import DAY, PEOPLE, START, Town
from luciole.cell.feed.ranking.draw import Draw, decode
from luciole.cell.feed.ranking.model import Source
from luciole.cell.feed.ranking.weights import Weights, published

MOST_ERROR = 0.02


def rules() -> dict[str, Weights]:
    """The rules whose worth is asked for; the first is the one that logged."""
    now = published()
    return {
        "as logged": now,
        "twice as exploring": change(now, temperature=2 * now.draw.temperature),
        "temperature 0.25": change(now, temperature=0.25),
        "no uncertainty": change(now, uncertainty=0.0),
        "nearly the best only (temperature 0.03)": change(now, temperature=0.03),
    }


def change(weights: Weights, **draw: float) -> Weights:
    return msgspec.structs.replace(weights, draw=msgspec.structs.replace(weights.draw, **draw))


@dataclass
class Logged:
    """Per page: weight (chance under the rule by chance as logged), reward, guesses of a model."""

    weight: list[float] = field(default_factory=list)
    reward: list[float] = field(default_factory=list)
    guess: list[float] = field(default_factory=list)
    guess_all: list[float] = field(default_factory=list)
    true: list[float] = field(default_factory=list)


def estimates(logged: Logged) -> dict[str, tuple[float, float]]:
    """Value and standard error by each estimator."""
    weight, reward, guess, guess_all = (
        np.array(each) for each in (logged.weight, logged.reward, logged.guess, logged.guess_all)
    )
    count = len(weight)
    ips = weight * reward
    snips = ips.sum() / weight.sum()
    doubly = guess_all + weight * (reward - guess)
    return {
        "IPS": (float(ips.mean()), float(ips.std() / count**0.5)),
        "SNIPS": (
            float(snips),
            float(np.sqrt((weight**2 * (reward - snips) ** 2).sum()) / weight.sum()),
        ),
        "DR": (float(doubly.mean()), float(doubly.std() / count**0.5)),
    }


def run(seed: int, pages: int, is_wrong: bool = False) -> dict[str, Logged]:
    """Logs pages of a town and weighs them for each rule. `is_wrong` forgets the chances and takes
    all candidates for equally likely, as a log without propensities would have to."""
    town = Town(seed)
    rng = np.random.default_rng(seed + 77)
    found = {name: Logged() for name in rules()}
    for page in range(pages):
        now = START + page * DAY / 600
        town.settle(now)
        person = int(rng.integers(0, PEOPLE))
        drawn = town.page(person, now, page, "public", limit=10)
        first = drawn.slots[0]
        if first.source != Source.FLOOR and page >= 100:
            inputs = decode(drawn.inputs)
            here = -1
            for name, weights in rules().items():
                draw = Draw(inputs, weights)
                if here < 0:
                    ids = [draw.id_of(at) for at in range(draw.size)]
                    here = ids.index(first.clip)
                    likes = np.array([town.likes(person, each) for each in ids])
                    # The model: what the counts of a clip say, as its feature has it.
                    known = np.frombuffer(inputs.features, "<f2").reshape(draw.size, -1)[:, 1]
                    guesses = 1 / (1 + np.exp(0.75 - known.astype(np.float64)))
                    reward = float(rng.random() < likes[here])
                chances = draw.chances(False)[0]
                logged = found[name]
                propensity = 1 / draw.size if is_wrong else first.propensity
                logged.weight.append(float(chances[here] / propensity))
                logged.reward.append(reward)
                logged.guess.append(float(guesses[here]))
                logged.guess_all.append(float(chances @ guesses))
                logged.true.append(float(chances @ likes))
        town.watch(person, now, drawn.slots, False)
    return found


def table(logged: dict[str, Logged]) -> str:
    rows = []
    for name, each in logged.items():
        weight = np.array(each.weight)
        effective = weight.sum() ** 2 / (weight**2).sum()
        known = float(np.mean(each.true))
        row = [name, f"{known:.4f}", f"{effective:.0f} of {len(weight)}"]
        for value, error in estimates(each).values():
            taken = abs(value - known) <= 2 * error and error <= MOST_ERROR
            row.append(f"{value:.4f} ± {error:.4f} {'accepted' if taken else 'REJECTED'}")
        rows.append(row)
    return machine.table(["rule", "known", "effective pages", "IPS", "SNIPS", "DR"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--pages", type=int, default=2_500)
    told = parser.parse_args()
    body = (
        f"A made-up town, seed {told.seed}, {told.pages} pages; first slots that are not for new "
        f"clips. Accepted: within two standard errors of the known worth, and these at most "
        f"{MOST_ERROR}. `bench/feed_quality/estimators.py`\n\n"
        f"{table(run(told.seed, told.pages))}\n"
        "The same with the chances forgotten (each candidate taken for equally likely), which has "
        "to be rejected:\n\n"
        f"{table(run(told.seed, told.pages, is_wrong=True))}"
    )
    report.write("Estimates from logged chances", body)


if __name__ == "__main__":
    main()
