"""A worker lives through a lost probe of its listener, and not through a dead listener. A job that
was cut off is done by the next worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, cast

import pytest

from luciole.kit.db import Database

# First, because it names the schema of the library's tables.
from luciole.kit import queue  # isort: skip
from pgqueuer.domain.errors import FailingListenerError
from pgqueuer.domain.models import HealthCheckEvent

SLOTS = 2


class Line:
    """In place of the database: loses the first `lost` probes and answers the next."""

    def __init__(self, lost: int) -> None:
        self.lost = lost
        self.manager = queue._Manager(cast(Any, self))

    async def notify_health_check(self, probe: Any) -> None:
        self.lost -= 1
        if self.lost < 0:
            answer = HealthCheckEvent.model_construct(id=probe)
            self.manager.pending_health_check[probe].set_result(answer)


@pytest.mark.parametrize("lost", [0, 1])
async def test_lost_probe_is_asked_again(lost: int) -> None:
    await Line(lost).manager.listener_healthy(timedelta(seconds=0.02))


async def test_dead_listener_ends_the_worker() -> None:
    with pytest.raises(FailingListenerError):
        await Line(2).manager.listener_healthy(timedelta(seconds=0.02))


@asynccontextmanager
async def working(url: str, work: queue.Work, *, orderly: bool = True) -> AsyncIterator[None]:
    """A worker that does `work` for the job `test.work`, stopped or cancelled at the end."""
    jobs, stop = queue.Queue(), asyncio.Event()
    jobs.job("test.work")(work)
    running = asyncio.create_task(jobs.run(url, role=None, slots=SLOTS, stop=stop))
    try:
        yield
    finally:
        stop.set() if orderly else running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def put(url: str, number: int = 1) -> None:
    database = await Database.open(url, size=1)
    async with database.tx() as tx:
        for _ in range(number):
            await queue.Queue().put(tx, "test.work", {})
    await database.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "HEARTBEAT_S", 1)
    monkeypatch.setattr(queue, "ASK_EVERY_S", 0.2)
    monkeypatch.setattr(queue, "FIRST_RETRY_S", 0.05)


@pytest.mark.usefixtures("quick")
async def test_job_of_a_cancelled_worker_is_done_by_the_next(empty_url: str) -> None:
    begun, done = asyncio.Event(), asyncio.Event()

    async def hang(_body: queue.Body) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def finish(_body: queue.Body) -> None:
        done.set()

    await put(empty_url)
    async with working(empty_url, hang, orderly=False):
        await asyncio.wait_for(begun.wait(), 20)
    async with working(empty_url, finish):
        await asyncio.wait_for(done.wait(), 20)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("number", [1, SLOTS])
async def test_retry_that_could_not_be_written_is_not_the_end_of_a_job(
    empty_url: str, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Nor of the worker, when it happens to as many jobs as it does at once: the library takes no
    job over while it counts so many as its own."""
    tries, done = 0, asyncio.Event()

    async def away(*_: Any) -> None:
        raise ConnectionRefusedError

    async def work(_body: queue.Body) -> None:
        nonlocal tries
        tries += 1
        if tries <= number:
            await asyncio.sleep(0.2)
            raise RuntimeError("the database went away in the middle")
        if tries == 2 * number:
            done.set()

    monkeypatch.setattr(queue._Queries, "retry_job", away)
    await put(empty_url, number)
    async with working(empty_url, work):
        await asyncio.wait_for(done.wait(), 20)


async def test_worker_that_asks_no_more_is_ended(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the reason, and even if it cannot be interrupted: the supervisor starts another."""
    is_over = False

    async def hang(*_: Any, **__: Any) -> None:
        while not is_over:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.2)

    monkeypatch.setattr(queue.Queries, "dequeue", hang)
    monkeypatch.setattr(queue, "SILENT_S", 0.5)
    monkeypatch.setattr(queue, "CUT_WITHIN_S", 0.5)
    with pytest.raises(queue.Silent):
        await queue.Queue().run(empty_url, role=None, slots=SLOTS, stop=asyncio.Event())
    is_over = True
    left = asyncio.all_tasks() - {cast(Any, asyncio.current_task())}
    if left:
        await asyncio.wait(left, timeout=10)


@pytest.mark.usefixtures("quick")
async def test_job_that_fails_again_and_again_is_given_up(empty_url: str, db: Database) -> None:
    tries = 0

    async def fail(_body: queue.Body) -> None:
        nonlocal tries
        tries += 1
        raise RuntimeError("always")

    await put(empty_url)
    async with working(empty_url, fail):
        async with asyncio.timeout(60):
            while True:
                async with db.read() as tx:
                    if not await tx.fetchval("SELECT count(*) FROM queue.pgqueuer"):
                        break
                await asyncio.sleep(0.05)
    assert tries == queue.MAX_ATTEMPTS


@pytest.mark.usefixtures("quick")
async def test_what_takes_long_is_left_for_other_workers_where_no_place_is_free(
    empty_url: str,
) -> None:
    """Two workers with one place each: of four long jobs each takes one, and what is quick passes
    by."""
    begun: list[str] = []
    quick_done, both_begun, all_begun, end = (asyncio.Event() for _ in range(4))

    def worker(name: str) -> queue.Queue:
        jobs = queue.Queue()

        @jobs.job("test.long", places=queue.Places("long", 1))
        async def long(_body: queue.Body) -> None:
            begun.append(name)
            if len(begun) == 2:
                both_begun.set()
            if len(begun) == 4:
                all_begun.set()
            await end.wait()

        @jobs.job("test.work")
        async def quick(_body: queue.Body) -> None:
            quick_done.set()

        return jobs

    database = await Database.open(empty_url, size=1)
    async with database.tx() as tx:
        for _ in range(4):
            await queue.Queue().put(tx, "test.long", {})
    stop = asyncio.Event()
    running = [
        asyncio.create_task(worker(name).run(empty_url, role=None, slots=4, stop=stop))
        for name in ("one", "other")
    ]
    try:
        await asyncio.wait_for(both_begun.wait(), 20)
        await put(empty_url)
        await asyncio.wait_for(quick_done.wait(), 20)
        assert sorted(begun) == ["one", "other"]
        end.set()
        await asyncio.wait_for(all_begun.wait(), 20)
    finally:
        end.set()
        stop.set()
        await asyncio.gather(*running, return_exceptions=True)
        await database.close()
