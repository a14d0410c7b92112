"""How many honest accounts do the rules against spam and rings point at, and how many planted rings
do they find?

Expected: below 10 of 10,000 honest accounts for each rule, and half of the rings by one rule or
another. There is no peer: chance would point at as many of both. Made-up towns, of which nothing is
like a real one but its shape: clips and people with a long tail, and for each rule the honest
people who are the hardest for it: clubs of friends who like nearly all of one another's clips and
mostly follow one another; sayings that many copy from each other; people who like a lot on their
first day. Rings like and follow the same targets, more or less all of them, and hide among popular
clips. A third of them follow one another as friends do, a quarter like whatever there is in a
hurry. They post the same words, in a quarter of the rings changed a little, in a quarter wholly.

    PYTHONPATH=src .venv/bin/python -m bench.rings
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import numpy as np

from bench import machine
from luciole.cell.safety import rings
from luciole.cell.safety.rings import Act, Said

RESULTS = Path(__file__).with_name("results") / "rings.md"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
WEEK_S = 7 * 86_400
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Town(msgspec.Struct):
    """What a cell would hold of a week."""

    comments: list[Said] = []
    likes: list[Act] = []
    follows: list[Act] = []
    opened: dict[UUID, date] = {}
    honest: list[UUID] = []
    planted: list[list[UUID]] = []


class Maker:
    """Fills a town, from a seed."""

    def __init__(self, seed: int, honest: int, ring_count: int) -> None:
        self._random = np.random.default_rng(seed)
        self._ids = 0
        self.town = Town()
        self._clips = [self._id() for _ in range(honest // 4)]
        weights = 1 / np.arange(1, len(self._clips) + 1)
        self._clip_weights = weights / weights.sum()
        self._honest(honest)
        for _ in range(ring_count):
            self._ring()

    def _id(self) -> UUID:
        self._ids += 1
        return UUID(int=self._ids)

    def _at(self) -> datetime:
        return NOW + timedelta(seconds=float(self._random.uniform(0, WEEK_S)))

    def _sentence(self) -> str:
        words = ["".join(self._random.choice(list(LETTERS), 6)) for _ in range(6)]
        return " ".join(words)

    def _like(self, person: UUID, on: UUID, at: datetime | None = None) -> None:
        self.town.likes.append(Act(person, on, at or self._at()))

    def _popular(self, person: UUID, count: int) -> None:
        for place in self._random.choice(len(self._clips), count, p=self._clip_weights):
            self._like(person, self._clips[place])

    def _honest(self, count: int) -> None:
        random, town = self._random, self.town
        people = town.honest = [self._id() for _ in range(count)]
        sayings = [self._sentence() for _ in range(30)]
        fame = 1 / np.arange(1, count + 1)
        fame /= fame.sum()
        for person in people:
            self._popular(person, int(random.poisson(12)))
            for place in random.choice(count, int(random.poisson(10)), p=fame):
                town.follows.append(Act(person, people[place], self._at()))
            is_new = random.random() < 0.03
            town.opened[person] = NOW.date() - timedelta(days=-1 if is_new else 100)
            if is_new:
                # One hour of liking what comes along: half below 25 likes, 1 in 40 above 150.
                began = NOW + timedelta(days=1, hours=2)
                for _ in range(int(random.lognormal(np.log(25), 0.9))):
                    at = began + timedelta(seconds=float(random.uniform(0, 3600)))
                    self._like(person, self._clips[random.integers(len(self._clips))], at)
            for _ in range(int(random.poisson(2))):
                # One comment in 100 is a saying that goes round.
                is_saying = random.random() < 0.01
                text = sayings[random.integers(len(sayings))] if is_saying else self._sentence()
                town.comments.append(Said(self._id(), person, text, self._at()))
        # A fifth are in clubs of friends.
        members = list(random.permutation(count)[: count // 5])
        while members:
            club = [
                people[members.pop()] for _ in range(min(len(members), int(random.integers(4, 16))))
            ]
            zeal = random.beta(4, 3)
            clips = [self._id() for _ in club for _ in range(random.integers(1, 4))]
            for person in club:
                for clip in clips:
                    if random.random() < zeal:
                        self._like(person, clip)
                for other in club:
                    if other != person and random.random() < 0.8:
                        town.follows.append(Act(person, other, self._at()))

    def _ring(self) -> None:
        random, town = self._random, self.town
        ring = [self._id() for _ in range(random.integers(5, 31))]
        town.planted.append(ring)
        zeal = random.uniform(0.6, 1.0)
        clips = [self._id() for _ in range(random.integers(10, 31))]
        stars = [self._id() for _ in range(random.integers(8, 21))]
        words, change = self._sentence(), random.choice(["none", "none", "little", "wholly"])
        # A third follow one another, so that they look like friends; a quarter like much else.
        are_friends, is_loud = random.random() < 1 / 3, random.random() < 1 / 4
        is_new, speed = random.random() < 0.5, random.uniform(60, 300)
        began = self._at()
        for person in ring:
            town.opened[person] = began.date() if is_new else NOW.date() - timedelta(days=100)
            self._popular(person, int(random.poisson(10)))
            acts = [(clip, town.likes) for clip in clips] + [(star, town.follows) for star in stars]
            at = began
            for on, where in acts:
                if random.random() < zeal:
                    at += timedelta(seconds=float(random.exponential(3600 / speed)))
                    where.append(Act(person, on, at))
            if are_friends:
                town.follows += [Act(person, other, at) for other in ring if other != person]
            for place in random.integers(len(self._clips), size=400 if is_loud else 0):
                self._like(person, self._clips[place], at)
                at += timedelta(seconds=float(random.exponential(3600 / speed)))
            text = {
                "none": words,
                "little": f"{words} {random.integers(1000)} !!",
                "wholly": self._sentence(),
            }[str(change)]
            at = began + timedelta(seconds=float(random.uniform(0, 43_200)))
            town.comments.append(Said(self._id(), person, text, at))


def friends_of(town: Town) -> set[tuple[UUID, UUID]]:
    """Who follow each other."""
    follows = {(one.person_id, one.on_id) for one in town.follows}
    return {(a, b) for a, b in follows if a < b and (b, a) in follows}


def main() -> None:
    parser = argparse.ArgumentParser(description="rules against rings, on made-up towns")
    parser.add_argument("--honest", type=int, default=10_000)
    parser.add_argument("--rings", type=int, default=40)
    parser.add_argument("--towns", type=int, default=3)
    parser.add_argument("--seed", type=int, default=8)
    chosen = parser.parse_args()
    wrong: dict[str, list[float]] = defaultdict(list)
    right: dict[str, list[float]] = defaultdict(list)
    for number in range(chosen.towns):
        town = Maker(chosen.seed + number, chosen.honest, chosen.rings).town
        honest = set(town.honest)
        found: dict[str, set[UUID]] = defaultdict(set)
        for one in rings.pointed(
            town.comments, town.likes, town.follows, town.opened, friends_of(town)
        ):
            found[one.rule].add(one.person_id)
        found["any of them"] = set().union(*found.values())
        for rule in (*rings.WRONG_PER_10000, "any of them"):
            wrong[rule].append(10_000 * len(found[rule] & honest) / chosen.honest)
            halves = [len(found[rule] & set(ring)) * 2 >= len(ring) for ring in town.planted]
            right[rule].append(sum(halves) / len(halves))
    rows = [
        [
            rule,
            ", ".join(f"{one:.0f}" for one in wrong[rule]),
            ", ".join(f"{one:.0%}" for one in right[rule]),
        ]
        for rule in wrong
    ]
    head = ["rule", "honest accounts pointed at, of 10,000", "rings of which half is found"]
    text = (
        "# Rings\n\nWhat the rules point at in made-up towns of "
        f"{chosen.honest:,} honest accounts and {chosen.rings} rings, in a week; one number for "
        f"each of {chosen.towns} seeds.\n\n{machine.described()}\n\n" + machine.table(head, rows)
    )
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
