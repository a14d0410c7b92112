"""How does the feed treat new clips, changing tastes, rings of accounts and variety? In a made-up
town (see made_up.py); never a measure of quality.

    PYTHONPATH=src .venv/bin/python -m bench.feed_quality.town [--seeds 2] [--days 3]
"""

from __future__ import annotations

import argparse
from uuid import UUID, uuid4

import numpy as np

from bench import machine
from bench.feed_quality import report
from bench.feed_quality.made_up import DAY, PEOPLE, START, TOPICS, Town
from luciole.cell.feed.ranking.budget import budget
from luciole.cell.feed.ranking.counting import Count
from luciole.cell.feed.ranking.draw import Draw, decode
from luciole.cell.feed.ranking.model import Event, Signal, Slot, Source
from luciole.cell.feed.ranking.page import Asked, public
from luciole.cell.feed.ranking.weights import published

NEW_A_DAY = 20
IMPRESSIONS_A_DAY = 6_000
PAGES_A_DAY = IMPRESSIONS_A_DAY // 10
WAYS = ("public", "learning", "trending only", "chance")


def other_way(town: Town, person: int, now: float, seed: int, way: str) -> list[Slot]:
    """Baselines: the best by the lower bound, or any clips."""
    served = town.session(person, now)[1]
    allowed = town.world.allowed(served)
    if way == "trending only":
        rows = town.world.trending.best(10, allowed)
    else:
        start = int(np.random.default_rng(seed).integers(0, 1 << 62))
        rows = town.world.shelf.by_chance.cycle(10, allowed, start)
    ids = [town.world.shelf.id_of(row) for row in rows.tolist()]
    return [Slot(each, Source.REST, "", (), b"", 0.1) for each in ids]


def effective(counts: np.ndarray) -> float:
    """Exponential of the entropy: how many topics there are as good as."""
    share = counts[counts > 0] / counts.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def one_way(way: str, seed: int, days: int) -> dict[str, float]:
    """A town that lives with one way of choosing. On the last day half of the people have the
    tastes of somebody else."""
    town = Town(seed)
    rng = np.random.default_rng(seed + 1_000)
    new: list[tuple[UUID, float]] = []
    due: list[tuple[float, UUID, int]] = []
    after_a_day: list[tuple[int, int]] = []
    long_views = np.zeros((days, 2))
    shown = np.zeros((PEOPLE, TOPICS))
    floors: list[int] = []
    changed = rng.permutation(PEOPLE)[: PEOPLE // 2]
    is_changed = np.isin(np.arange(PEOPLE), changed)
    after_change = np.zeros((2, 2))
    for page in range(days * PAGES_A_DAY):
        now = START + page * DAY / PAGES_A_DAY
        day = page // PAGES_A_DAY
        if page == (days - 1) * PAGES_A_DAY:
            town.tastes[changed] = town.tastes[np.roll(changed, 1)]
        if page % (PAGES_A_DAY // NEW_A_DAY) == 0:
            new.append((town.publish(now).id, now))
            if day > 0:
                due.append((now + DAY, new[-1][0], budget(town.world, now).floor))
        town.settle(now)
        # One in ten people comes ten times as often.
        person = int(rng.integers(0, PEOPLE // 10 if rng.random() < 0.5 else PEOPLE))
        if way in ("public", "learning"):
            slots = town.page(person, now, page, way).slots
        else:
            slots = other_way(town, person, now, page, way)
        got = town.watch(person, now, slots, way == "learning")
        long_views[day] += (got, len(slots))
        for slot in slots:
            shown[person, town.topic[slot.clip]] += 1
        if day == days - 1:
            after_change[int(is_changed[person])] += (got, len(slots))
        while due and due[0][0] <= now:
            _, clip, floor = due.pop(0)
            seen = int(town.world.counts[town.world.shelf.rows[clip.int], Count.SEEN])
            after_a_day.append((seen, floor))
        if page % 60 == 0:
            floors.append(budget(town.world, now).floor)
    end = START + days * DAY
    town.settle(end + 100)
    seen_of = {
        clip: int(town.world.counts[town.world.shelf.rows[clip.int], Count.SEEN])
        for clip, at in new
        if at <= end - DAY
    }
    best = sorted(seen_of, key=lambda clip: -town.quality[clip])[: max(len(seen_of) // 10, 1)]
    often = shown.sum(axis=1) >= 100
    return {
        "long views": long_views[: days - 1, 0].sum() / long_views[: days - 1, 1].sum(),
        "floor": float(min(floors[len(floors) // days :])),
        "new that had their floor after 24 h": float(np.mean([n >= f for n, f in after_a_day])),
        "least seen of them": float(min(n for n, _ in after_a_day)),
        "impressions of a new clip": float(np.mean(list(seen_of.values()))),
        "of the best tenth": float(np.mean([seen_of[clip] for clip in best])),
        "topics of a person": float(np.mean([effective(row) for row in shown[often]])),
        "clips shown": len([c for c in town.world.counts[:, Count.SEEN] if c > 0])
        / town.world.shelf.size,
        "unchanged, last day": after_change[0, 0] / after_change[0, 1],
        "changed, last day": after_change[1, 0] / after_change[1, 1],
    }


def ring(town: Town, accounts: int, trust: float, signals: tuple[Signal, ...]) -> list[float]:
    """What a ring of accounts makes of a poor clip with 100 honest impressions: its rank by chance
    of a slot before and after, its score's gain, its chance in the first slot before and after."""
    now = START + 40 * DAY
    poor = town.publish(now - 3 * DAY, quality=0.2)
    row = town.world.shelf.rows[poor.id.int]
    rng = np.random.default_rng(5)

    def shown(trust: float, is_long: bool, more: tuple[Signal, ...] = ()) -> list[Event]:
        ms = int((1.2 if is_long else 0.05) * poor.duration_ms)
        session = uuid4()
        pairs = [(Signal.SHOWN, 0), (Signal.WATCHED, ms), *((each, 0) for each in more)]
        return [
            Event(now - 60, session, poor.id, signal, value, 0, Source.FRESH, b"", trust)
            for signal, value in pairs
        ]

    for _ in range(100):
        town.world.apply(shown(1.0, bool(rng.random() < 0.2)))

    def standing() -> tuple[float, float, float]:
        places, chances, scores = [], [], []
        for seed in range(5):
            draw = Draw(decode(public(town.world, Asked(now, seed, 10)).inputs), town.world.weights)
            ids = [draw.id_of(at) for at in range(draw.size)]
            if poor.id not in ids:
                continue
            at = ids.index(poor.id)
            chance = draw.chances(False)[0]
            places.append(1 + int((chance > chance[at]).sum()))
            chances.append(float(chance[at]))
            scores.append(float(draw.scores()[at]))
        if not places:
            return float("nan"), 0.0, float("nan")
        return float(np.mean(places)), float(np.mean(chances)), float(np.mean(scores))

    before = standing()
    bound = town.world.trend(np.array([row]))[0]
    for _ in range(accounts):
        town.world.apply(shown(trust, True, signals))
    after = standing()
    risen = town.world.trend(np.array([row]))[0] - bound
    return [before[1], after[1], after[0], after[2] - before[2], risen]


def rings(seed: int) -> str:
    """A table: what rings gain."""
    every = (Signal.LIKED, Signal.COMMENTED, Signal.SHARED, Signal.FOLLOWED)
    rows = []
    for accounts, trust, signals, name in (
        (10, 1.0, every, "full trust"), (50, 1.0, every, "full trust"),
        (200, 1.0, every, "full trust"), (50, 0.25, every, "a quarter"),
        (200, 0.25, every, "a quarter"), (200, 1.0, (), "full trust, watches only"),
    ):  # fmt: skip
        town = Town(seed)
        for page in range(150):
            now = START + page * 144
            town.settle(now)
            person = page % PEOPLE
            town.watch(person, now, town.page(person, now, page, "public").slots, False)
        town.settle(START + 2 * DAY)
        before, after, place, gain, risen = ring(town, accounts, trust, signals)
        rows.append(
            [str(accounts), name, f"{before:.4f}", f"{after:.4f}", f"{place:.0f}",
             f"{gain:+.2f}", f"{risen:+.3f}"]
        )  # fmt: skip
    head = ["accounts", "trust", "chance of the first slot before", "after", "place after",
            "score", "lower bound of trending"]  # fmt: skip
    return machine.table(head, rows)


def cold(seed: int) -> str:
    """Pages that somebody new needs until learning serves them better than the public way."""
    gains = []
    town = Town(seed)
    for page in range(600):
        now = START + page * 144
        town.settle(now)
        person = 50 + page % (PEOPLE - 50)
        town.watch(person, now, town.page(person, now, page, "public").slots, False)
    town.settle(START + 2 * DAY)
    for number in range(8):
        share = np.zeros(2)
        for person in range(50):
            now = START + 2 * DAY + number * 600 + person
            for way_number, way in enumerate(("public", "learning")):
                slots = town.page(person, now, number * 100 + person, way).slots
                share[way_number] += sum(town.likes(person, slot.clip) for slot in slots) / 10
                if way == "learning":
                    town.watch(person, now, slots, True)
            town.settle(now)
        gains.append((number, share[0] / 50, share[1] / 50))
    rows = [[str(page), f"{plain:.3f}", f"{own:.3f}"] for page, plain, own in gains]
    return machine.table(["pages watched before", "public way", "learning"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--days", type=int, default=3)
    told = parser.parse_args()
    results = {way: [one_way(way, seed, told.days) for seed in range(told.seeds)] for way in WAYS}
    names = list(results[WAYS[0]][0])
    rows = []
    for way in WAYS:
        table = np.array([[found[name] for name in names] for found in results[way]])
        half = np.abs(table - table.mean(axis=0)).max(axis=0)
        rows.append([way, *(f"{mean:.3f} ± {error:.3f}" for mean, error in
                            zip(table.mean(axis=0), half, strict=True))])  # fmt: skip
    weights = published()
    most = sum(weights.heads[h] * weights.caps[h] for h in ("like", "comment", "share", "follow"))
    body = (
        f"Made up, so no measure of quality: {PEOPLE} people, {NEW_A_DAY} new clips and "
        f"{IMPRESSIONS_A_DAY} impressions a day, {told.days} days, seeds 0 to {told.seeds - 1}; "
        "± is half the range over seeds. Tastes of half of the people change on the last day. "
        "`bench/feed_quality/town.py`\n\n"
        f"{machine.table(['way', *names], rows)}\n"
        "### Somebody new\n\nExpected long views of a page, 50 people who start with nothing.\n\n"
        f"{cold(0)}\n"
        "### Rings of accounts\n\nA poor clip (true share of long views 0.2) with 100 honest "
        "impressions; each account of the ring watches it to the end once, and likes, comments, "
        "shares and follows. Whatever their number, these four heads cannot add more than their "
        f"published caps to the score, together {most:.2f}. The share of good watches "
        "cannot move by more than m·t / (n + m·t + 8) with m accounts of trust t and n honest "
        "watches.\n\n"
        f"{rings(0)}"
    )
    report.write("New clips, changing tastes, rings, variety", body)


if __name__ == "__main__":
    main()
