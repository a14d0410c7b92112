"""Rules that point at spam and at rings of accounts, from what they did together. Pure.

Each rule looks at acts, never at who somebody is, and gives numbers that a moderator can follow.
How often it is wrong about honest accounts was measured on made-up towns (`bench.rings`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import Literal
from uuid import UUID

import msgspec

Rule = Literal["same-words", "new-burst", "shared-likes", "shared-follows"]
VERSION = "1"
#: Honest accounts that each rule points at, in a week, of 10,000: the most that was measured
#: in six made-up towns (bench/results/rings.md). It is said beside each suggestion.
WRONG_PER_10000: dict[Rule, int] = {
    "same-words": 24,
    "new-burst": 12,
    "shared-likes": 19,
    "shared-follows": 13,
}

LEAST_LETTERS = 24
LEAST_WRITERS = 5
SAME_WORDS_WITHIN = timedelta(hours=24)
NEW_DAYS = 3
BURST_ACTS = 150
#: What many like or follow says nothing of who belongs together, and costs the square of how many.
MOST_ON_ONE = 60
LEAST_SHARED = 8
#: Of likes more, since friends of friends like the same clips as well (bench/results/rings.md).
LEAST_LIKENESS = {"shared-likes": 0.8, "shared-follows": 0.6}
LEAST_ACCOUNTS = 4
MOST_PAIRS = 2_000_000

#: Two who follow each other, the smaller id first.
Friends = Collection[tuple[UUID, UUID]]


class Act(msgspec.Struct, frozen=True, array_like=True):
    """Somebody has liked or followed something."""

    person_id: UUID
    on_id: UUID
    at: datetime


class Said(msgspec.Struct, frozen=True, array_like=True):
    """Somebody has written a comment."""

    comment_id: UUID
    person_id: UUID
    text: str
    at: datetime


class Pointed(msgspec.Struct, frozen=True):
    """What a rule points at: a person, or one of their comments; and why, in numbers."""

    rule: Rule
    person_id: UUID
    comment_id: UUID | None
    facts: dict[str, int]


def words_of(text: str) -> str:
    """The letters of a text, so that digits, signs and spaces make no other one of it."""
    return "".join(one for one in text.casefold() if one.isalpha())


def same_words(comments: Iterable[Said]) -> list[Pointed]:
    """The first comment of each account, where several have written the same long words within a
    day."""
    by_words: dict[str, dict[UUID, Said]] = defaultdict(dict)
    for one in sorted(comments, key=lambda one: one.at):
        words = words_of(one.text)
        if len(words) >= LEAST_LETTERS:
            by_words[words].setdefault(one.person_id, one)
    found = []
    for first in by_words.values():
        said = list(first.values())
        begin = 0
        near: set[int] = set()
        for end, one in enumerate(said):
            while one.at - said[begin].at > SAME_WORDS_WITHIN:
                begin += 1
            if end - begin + 1 >= LEAST_WRITERS:
                near.update(range(begin, end + 1))
        facts = {"accounts": len(near)}
        found += [
            Pointed("same-words", said[place].person_id, said[place].comment_id, facts)
            for place in sorted(near)
        ]
    return found


def new_bursts(acts: Iterable[Act], opened: Mapping[UUID, date]) -> list[Pointed]:
    """Accounts that in one hour of their first days did more than anybody does by hand."""
    times: dict[UUID, list[datetime]] = defaultdict(list)
    for one in acts:
        day = opened.get(one.person_id)
        if day is not None and (one.at.date() - day).days <= NEW_DAYS:
            times[one.person_id].append(one.at)
    found = []
    for person_id, at in times.items():
        at.sort()
        begin = most = 0
        for end, now in enumerate(at):
            while now - at[begin] > timedelta(hours=1):
                begin += 1
            most = max(most, end - begin + 1)
        if most >= BURST_ACTS:
            found.append(Pointed("new-burst", person_id, None, {"acts": most}))
    return found


def busy(acts: Iterable[Act]) -> set[UUID]:
    """Those who have liked or followed enough to be looked at for what they share."""
    done = Counter(one.person_id for one in acts)
    return {person for person, count in done.items() if count >= LEAST_SHARED}


def shared(
    rule: Literal["shared-likes", "shared-follows"], acts: Sequence[Act], friends: Friends = ()
) -> list[Pointed]:
    """Accounts of which each likes or follows nearly the same few things as another, in groups.

    Two belong together that share at least eight things that not many like or follow, and these
    are most of all such that either does (Jaccard). Friends do such things together, and
    do not count. Groups are what hangs together so.
    """
    whom: dict[UUID, set[UUID]] = defaultdict(set)
    for act in acts:
        whom[act.on_id].add(act.person_id)
    few = {on: who for on, who in whom.items() if 2 <= len(who) <= MOST_ON_ONE}
    size = Counter(person for who in whom.values() if len(who) <= MOST_ON_ONE for person in who)
    pairs: Counter[tuple[UUID, UUID]] = Counter()
    # The smallest first: where there is too much, it is the busiest that are left out.
    counted = 0
    for who in sorted(few.values(), key=len):
        some = sorted(person for person in who if size[person] >= LEAST_SHARED)
        counted += len(some) * (len(some) - 1) // 2
        if counted > MOST_PAIRS:
            break
        pairs.update(combinations(some, 2))
    group: dict[UUID, UUID] = {}

    def head(person: UUID) -> UUID:
        while group.setdefault(person, person) != person:
            group[person] = person = group[group[person]]
        return person

    most: Counter[UUID] = Counter()
    for (one, other), both in pairs.items():
        if (one, other) in friends:
            continue
        if both >= LEAST_SHARED and both >= LEAST_LIKENESS[rule] * (size[one] + size[other] - both):
            group[head(one)] = head(other)
            for person in (one, other):
                most[person] = max(most[person], both)
    members: dict[UUID, list[UUID]] = defaultdict(list)
    for person in most:
        members[head(person)].append(person)
    return [
        Pointed(
            rule,
            person,
            None,
            {"accounts": len(ring), "shared": most[person], "things": size[person]},
        )
        for ring in members.values()
        if len(ring) >= LEAST_ACCOUNTS
        for person in sorted(ring)
    ]


def pointed(
    comments: Sequence[Said],
    likes: Sequence[Act],
    follows: Sequence[Act],
    opened: Mapping[UUID, date],
    friends: Friends,
) -> list[Pointed]:
    """What all rules point at."""
    written = [Act(one.person_id, one.comment_id, one.at) for one in comments]
    return [
        *same_words(comments),
        *new_bursts([*likes, *follows, *written], opened),
        *shared("shared-likes", likes, friends),
        *shared("shared-follows", follows, friends),
    ]
