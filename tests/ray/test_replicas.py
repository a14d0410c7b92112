"""Ranking in actors gives the very pages and digests of ranking in process, whoever dies."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.ray.conftest import REPLICAS, ROOT, Cluster, all_ready
from tests.ray.logbook import NOW, Logbook, pages

from luciole.actors.state import READY_WITHIN_S, RankingAway, Replicas
from luciole.cell.feed.ranker import Asked
from luciole.cell.feed.ranking_state import Source, read_on

Follow = Callable[[Source], Awaitable[Replicas]]


@pytest.fixture
def book() -> Logbook:
    made = Logbook()
    made.add_clips(300)
    made.add_events(2_500)
    return made


@pytest.fixture
async def follow(cluster: Cluster) -> AsyncIterator[Follow]:
    """Opens a state in the cluster that has read a log to its end."""
    opened: list[Replicas] = []

    async def following(source: Source) -> Replicas:
        state = await cluster.follow(source, anew=not opened)
        opened.append(state)
        return state

    yield following
    for state in opened:
        await state.close()


async def refused(state: Replicas) -> RankingAway:
    """With what a page is refused while nobody can draw it; at once or when asked again."""
    for _ in range(3):
        try:
            await state.draw(Asked(NOW, 1, 10), None)
        except RankingAway as refusal:
            return refusal
    raise AssertionError("somebody drew")


async def test_pages_are_those_of_this_process(book: Logbook, follow: Follow) -> None:
    here, away = await book.state(), await follow(book)
    for _ in range(3):
        expected = await pages(here, book)
        # Turns go round, so that each page is drawn by each replica.
        for _ in range(REPLICAS):
            assert await pages(away, book) == expected
            await away.budget(NOW)
        book.remove_clip()
        book.add_events(600)
        book.add_clips(20)
        await read_on(here, book)
        await read_on(away, book)
    assert await away.digests() == [await here.digest()] * REPLICAS
    assert (away.clips, away.events) == (here.clips, here.events)
    assert await away.budget(NOW) == await here.budget(NOW)


async def test_a_snapshot_is_that_of_this_process(book: Logbook, follow: Follow) -> None:
    here, away = await book.state(), await follow(book)
    assert await away.save() == await here.save()


async def test_begun_from_a_snapshot_and_the_rows_after_it(book: Logbook, follow: Follow) -> None:
    await book.take_snapshot()
    book.add_clips(25)
    book.add_events(900)
    here, away = await book.state(), await follow(book)
    assert await away.digests() == [await here.digest()] * REPLICAS
    assert await pages(away, book) == await pages(here, book)


async def test_a_useless_snapshot_is_passed_over(book: Logbook, follow: Follow) -> None:
    here = await book.state()
    await book.take_snapshot()
    assert book.taken is not None
    book.taken = type(book.taken)(
        **{
            **{name: getattr(book.taken, name) for name in book.taken.__struct_fields__},
            "data": b"of another version",
        }
    )
    away = await follow(book)
    assert await away.digests() == [await here.digest()] * REPLICAS


async def test_a_killed_replica_comes_back_to_the_same_digest(
    cluster: Cluster, book: Logbook, follow: Follow
) -> None:
    await book.take_snapshot()
    book.add_events(700)
    here, away = await book.state(), await follow(book)
    expected = await pages(here, book)
    killed = cluster.named("ray::Replica")
    assert len(killed) == REPLICAS
    assert killed[0].send(signal.SIGKILL)
    # The other one answers meanwhile, each page in bounded time.
    began = time.monotonic()
    assert await pages(away, book) == expected
    assert time.monotonic() - began < 20
    book.add_events(300)
    book.add_clips(5)
    await read_on(here, book)
    await read_on(away, book)
    await all_ready(away)
    await read_on(away, book)
    assert await away.digests() == [await here.digest()] * REPLICAS
    assert {one.pid for one in cluster.named("ray::Replica")} != {one.pid for one in killed}
    assert await pages(away, book) == await pages(here, book)


async def test_all_replicas_killed(cluster: Cluster, book: Logbook, follow: Follow) -> None:
    here, away = await book.state(), await follow(book)
    for one in cluster.named("ray::Replica"):
        assert one.send(signal.SIGKILL)
    began = time.monotonic()
    await refused(away)
    assert time.monotonic() - began < 20
    await all_ready(away)
    assert await away.digests() == [await here.digest()] * REPLICAS


FOLLOWER = """
import asyncio, pathlib, pickle, sys
from luciole.actors.line import Line
from luciole.actors.state import Replicas
from luciole.cell.feed.ranking_state import read_on
from tests.ray.logbook import pages

async def main():
    book = pickle.loads(sys.stdin.buffer.read())
    rows, book.rows = book.rows, []
    state = Replicas(Line(pathlib.Path(sys.argv[1])), int(sys.argv[2]), book)
    for at in range(0, len(rows) + 170, 170):
        book.rows = rows[:at]
        await read_on(state, book)
    found = await pages(state, book)
    await state.close()
    sys.stdout.buffer.write(pickle.dumps(found))

asyncio.run(main())
"""


async def test_two_processes_feed_the_same_replicas(
    cluster: Cluster, book: Logbook, follow: Follow
) -> None:
    here, away = await book.state(), await follow(book)
    before = away.events
    book.add_events(2_000)
    book.remove_clip()
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FOLLOWER, str(cluster.place), str(REPLICAS),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
    )  # fmt: skip
    answer = asyncio.create_task(other.communicate(pickle.dumps(book)))
    rows, book.rows = book.rows, book.rows[:2_800]
    while len(book.rows) < len(rows):
        book.rows = rows[: len(book.rows) + 90]
        await read_on(away, book)
        await asyncio.sleep(0.05)
    output, _ = await answer
    assert other.returncode == 0
    await read_on(here, book)
    theirs = pickle.loads(output)  # noqa: S301 - our own child's
    assert theirs == await pages(here, book) == await pages(away, book)
    await read_on(away, book)
    assert away.events == here.events == before + 2_000
    assert await away.digests() == [await here.digest()] * REPLICAS


async def test_a_dead_cluster_is_refused_and_a_new_one_taken(
    cluster: Cluster, book: Logbook, follow: Follow
) -> None:
    here, away = await book.state(), await follow(book)
    children = cluster.children()
    for head in (*cluster.named("gcs_server"), *cluster.named("raylet")):
        assert head.send(signal.SIGKILL)
    assert cluster.process is not None
    assert await asyncio.to_thread(cluster.process.wait, 60) != 0
    began = time.monotonic()
    assert "log/ranking.log" in (await refused(away)).next_step
    with pytest.raises(RankingAway):
        await read_on(away, book)
    assert time.monotonic() - began < 3 * READY_WITHIN_S
    await asyncio.to_thread(cluster.start)
    await all_ready(away)
    assert await away.digests() == [await here.digest()] * REPLICAS
    assert await pages(away, book) == await pages(here, book)
    assert not [one for one in children if one.is_alive]


def test_it_listens_on_loopback_only(cluster: Cluster) -> None:
    assert cluster.process is not None
    inodes = set()
    for pid in (cluster.process.pid, *(child.pid for child in cluster.children())):
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            if handle.is_symlink() and (name := os.readlink(handle)).startswith("socket:["):
                inodes.add(name[8:-1])
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{cluster.process.pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in inodes:
                listening.append(words[1].rpartition(":")[0])
    assert listening
    # 127.0.0.1, also as an address of version 6.
    loopback = {"0100007F", "0000000000000000FFFF00000100007F", "0" * 24 + "01000000"}
    assert set(listening) <= loopback
