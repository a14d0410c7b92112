"""Whose film is made next: fair between authors whatever they upload, and nobody waits for ever."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from luciole.cell.media import turns
from luciole.cell.media.turns import Work

NOW = datetime(2026, 11, 27, tzinfo=UTC)
ARRIVALS = st.lists(st.one_of(st.none(), st.integers(0, 4)), min_size=1, max_size=200)


class Line:
    """Films that wait. None in a list of arrivals is a film that is taken out and made."""

    def __init__(self) -> None:
        self.waiting: list[tuple[int, int, int]] = []
        self.last: dict[int, int] = {}
        self.served = 0
        self.count = 0

    def put(self, author: int) -> None:
        now = min(self.waiting)[0] if self.waiting else self.served
        turn = turns.turn(now, self.last.get(author))
        self.last[author] = turn
        self.count += 1
        self.waiting.append((turn, self.count, author))

    def take(self) -> tuple[int, int]:
        """The author, and which film of all it is."""
        first = min(self.waiting)
        self.waiting.remove(first)
        self.served = max(self.served, first[0])
        return first[2], first[1]


@given(ARRIVALS)
def test_between_two_films_of_an_author_each_other_author_has_one_at_most(
    arrivals: list[int | None],
) -> None:
    """As long as the author has films waiting: that is its fair share."""
    line = Line()
    since: dict[int, Counter[int]] = defaultdict(Counter)
    for author in arrivals:
        if author is not None:
            # Who has nothing waiting has no claim yet.
            if not any(each[2] == author for each in line.waiting):
                since[author] = Counter()
            line.put(author)
        elif line.waiting:
            took, _ = line.take()
            for other in {each[2] for each in line.waiting} - {took}:
                since[other][took] += 1
                # One in the round that was under way when it came, one in its own.
                assert since[other][took] <= 2
            since[took] = Counter()


@given(ARRIVALS)
def test_films_of_one_author_keep_their_order(arrivals: list[int | None]) -> None:
    line = Line()
    made: dict[int, list[int]] = defaultdict(list)
    for author in [*arrivals, *[None] * len(arrivals)]:
        if author is not None:
            line.put(author)
        elif line.waiting:
            who, which = line.take()
            made[who].append(which)
    assert not line.waiting
    assert all(each == sorted(each) for each in made.values())


@given(st.integers(1, 100), st.integers(0, 99))
def test_hundred_films_of_one_let_the_next_author_in_after_one(many: int, served: int) -> None:
    line = Line()
    for _ in range(many):
        line.put(0)
    for _ in range(min(served, many - 1)):
        line.take()
    line.put(1)
    assert 1 in {line.take()[0] for _ in range(min(2, len(line.waiting)))}


def test_stranger_after_a_long_quiet_time_is_not_behind() -> None:
    line = Line()
    for _ in range(50):
        line.put(0)
    for _ in range(50):
        line.take()
    line.put(0)
    line.put(0)
    line.put(1)
    assert [line.take()[0] for _ in range(3)] == [0, 1, 0]


def test_one_who_uploads_without_end_does_not_starve() -> None:
    """Others who come anew all the time do not keep an author's hundredth film waiting."""
    line = Line()
    for _ in range(20):
        line.put(0)
    made = 0
    for newcomer in range(1, 60):
        line.put(newcomer)
        line.put(newcomer)
        made += line.take()[0] == 0
        made += line.take()[0] == 0
    assert made >= 10


def test_turns_end_without_an_overflow() -> None:
    assert turns.turn(turns.MOST, turns.MOST) == turns.MOST
    for job in turns.BANDS:
        assert -(2**31) <= turns.priority(job, turns.MOST) < 2**31
    assert turns.priority("media.prepare", turns.MOST) > turns.priority("media.ladder", 0)


def at_work(progress: int, seconds: float) -> Work:
    return Work("encoding", progress, NOW - timedelta(seconds=seconds), 0, None)


def test_half_done_takes_as_long_again() -> None:
    assert turns.left_s(at_work(50, 8), 0, [], 20_000, NOW) == 8


def test_just_begun_takes_what_films_take() -> None:
    assert turns.left_s(at_work(3, 2), 0, [], 20_000, NOW) == 18


def test_slower_than_others_is_never_done_at_once() -> None:
    assert turns.left_s(at_work(3, 200), 0, [], 20_000, NOW) == 2


def test_who_waits_waits_for_those_before_on_all_machines() -> None:
    film = Work("queued", 0, None, 9, None)
    busy = [at_work(50, 10), at_work(50, 10)]
    # Ten seconds each for those at work, four that wait, on two places, and the film itself.
    assert turns.left_s(film, 4, busy, 20_000, NOW) == (20 + 80) / 2 + 20
    assert turns.left_s(film, 0, [], None, NOW) == turns.FIRST_GUESS_MS / 1000


@given(st.integers(0, 500), st.integers(0, 99), st.floats(0, 10_000), st.integers(1, 600_000))
def test_time_left_is_a_time(ahead: int, progress: int, seconds: float, pace_ms: int) -> None:
    film = at_work(progress, seconds)
    assert turns.left_s(film, ahead, [film], pace_ms, NOW) >= 0
    waiting = Work("queued", 0, None, 9, None)
    assert turns.left_s(waiting, ahead, [film], pace_ms, NOW) >= 1


def test_mean_follows_and_forgets() -> None:
    assert turns.mean_ms(None, 5_000) == 5_000
    assert turns.mean_ms(10_000, 5_000) == 9_000
    mean = 60_000
    for _ in range(30):
        mean = turns.mean_ms(mean, 5_000)
    assert 5_000 <= mean < 5_100
