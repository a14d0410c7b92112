"""Jobs on the same PostgreSQL, through PgQueuer, enqueued in the caller's transaction.

A job is a name and a small JSON body of ids, never of personal data: bodies stay in the queue's
tables until the job has run. Every job may run twice: a worker that is killed leaves its jobs
picked, and another takes them over once their heartbeat is `HEARTBEAT_S` old.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

import asyncpg
import msgspec

# PgQueuer reads its names from the environment when first asked; the schema is part of ours.
os.environ["PGQUEUER_SCHEMA"] = "queue"
os.environ["PGQUEUER_DURABILITY"] = "durable"

from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import FailingListenerError, RetryRequested
from pgqueuer.domain.models import HealthCheckEvent, Job, Schedule, TracebackRecord
from pgqueuer.domain.types import JOB_STATUS, QueueEntrypoint, QueueManagerId
from pgqueuer.ports.repository import EntrypointExecutionParameter

from luciole.kit.db import Tx
from luciole.kit.logs import log
from luciole.kit.metrics import job_duration

Body = Mapping[str, str]
Work = Callable[[Body], Awaitable[None]]

HEARTBEAT_S = 10
# An idle worker asks for jobs this often; one that has not for SILENT_S asks no more, whatever
# holds it up.
ASK_EVERY_S = 5
SILENT_S = 30
CUT_WITHIN_S = 5
CONNECT_WITHIN_S = 10
MAX_ATTEMPTS = 5
FIRST_RETRY_S = 2
MAX_BODY_BYTES = 2048
# Most jobs take milliseconds and somebody waits for them, such as who has just made an account
# private. Those that take minutes name a lower priority, so that these never stand behind them.
QUICK = 20
LOG_KEPT_DAYS = 30

GIVE_BACK = """
UPDATE queue.pgqueuer
SET status = 'queued', queue_manager_id = NULL, slot = NULL, updated = now(),
    execute_after = now() + make_interval(secs => $3)
WHERE id = ANY($1::bigint[]) AND status = 'picked' AND queue_manager_id = ANY($2::uuid[])
"""
FORGET = """
DELETE FROM queue.pgqueuer WHERE EXISTS (
    SELECT 1 FROM unnest($1::text[]) AS word
    WHERE position(convert_to(word, 'UTF8') IN payload) > 0)
"""
TIDY_LOG = "DELETE FROM queue.pgqueuer_log WHERE created < now() - make_interval(days => $1)"
TIDY_STATISTICS = (
    "DELETE FROM queue.pgqueuer_statistics WHERE created < now() - make_interval(days => $1)"
)


class Places(msgspec.Struct, frozen=True):
    """So many jobs of the kinds that share these places run in one process at once. What finds no
    place free stays in the queue, for other processes and machines to take."""

    name: str
    most: int


class GaveUp(Exception):
    """A job that failed MAX_ATTEMPTS times. Its text names the job and the class of the error
    only, because PgQueuer keeps the text in its log table."""


class Silent(Exception):
    """The worker has stopped asking for jobs and could not be ended in order."""


class _Queries(Queries):
    """PgQueuer ends a job that was cancelled, and one whose retry could not be written because the
    database was away. Neither has run to its end, so both go back to the queue. (Left picked, they
    would count as running here for ever: no worker takes jobs over while it is full of its own.)
    """

    def __init__(self, driver: AsyncpgPoolDriver, places: Mapping[str, Places]) -> None:
        super().__init__(driver)
        self.asked_at = time.monotonic()
        self._places = places

    async def dequeue(
        self,
        batch_size: int,
        entrypoints: dict[QueueEntrypoint, EntrypointExecutionParameter],
        queue_manager_id: QueueManagerId,
        global_concurrency_limit: int | None,
        heartbeat_timeout: timedelta,
    ) -> list[Job]:
        """Asks for each set of places by itself, within what is free there, so that what takes
        long neither waits here for a place nor keeps one from what is quick."""
        jobs: list[Job] = []
        for places in (None, *dict.fromkeys(self._places.values())):
            asked = {
                name: each for name, each in entrypoints.items() if self._places.get(name) == places
            }
            most = global_concurrency_limit if places is None else places.most
            if asked or places is None:
                jobs += await super().dequeue(
                    batch_size=batch_size if most is None else min(batch_size, most),
                    entrypoints=asked,
                    queue_manager_id=queue_manager_id,
                    global_concurrency_limit=most,
                    heartbeat_timeout=heartbeat_timeout,
                )
        self.asked_at = time.monotonic()
        return jobs

    async def log_jobs(
        self, job_status: list[tuple[Job, JOB_STATUS, TracebackRecord | None]]
    ) -> None:
        ended, cut_off = [], []
        for one in job_status:
            job, status, trace = one
            gave_up = trace is not None and trace.exception_type == GaveUp.__name__
            if status == "successful" or gave_up:
                ended.append(one)
            else:
                cut_off.append(job)
        if ended:
            await super().log_jobs(ended)
        if cut_off:
            ids, owners = [job.id for job in cut_off], [job.queue_manager_id for job in cut_off]
            await self.driver.execute(GIVE_BACK, ids, owners, FIRST_RETRY_S)


class _Manager(QueueManager):
    """PgQueuer sends its first probe of the listener before it listens, so that this one is lost
    as often as not. A lost probe is asked again before the worker gives up."""

    async def listener_healthy(
        self, timeout: timedelta = timedelta(seconds=10)
    ) -> HealthCheckEvent:
        try:
            return await super().listener_healthy(timeout / 2)
        except FailingListenerError:
            return await super().listener_healthy(timeout / 2)


class _Runner(PgQueuer):
    """PgQueuer with our manager of the queue."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.qm = _Manager(self.qm.queries, self.channel, resources=self.resources)
        self.qm.shutdown = self.shutdown


class Queue:
    """Registers what jobs do, and puts jobs."""

    def __init__(self) -> None:
        self._work: dict[str, tuple[Work, int]] = {}
        self._places: dict[str, Places] = {}
        self._periodic: dict[str, tuple[Callable[[], Awaitable[None]], str]] = {}

    def job(
        self, name: str, *, at_once: int = 0, places: Places | None = None
    ) -> Callable[[Work], Work]:
        """Declares what the job `name` does; at most `at_once` of them in the cell (0: any), and
        in this process as many as there are `places`, or slots where it has none of its own."""

        def register(work: Work) -> Work:
            if name in self._work:
                raise ValueError(f"job {name} is registered twice")
            self._work[name] = (work, at_once)
            if places is not None:
                self._places[name] = places
            return work

        return register

    def every(
        self, name: str, cron: str
    ) -> Callable[[Callable[[], Awaitable[None]]], Callable[[], Awaitable[None]]]:
        """Declares what runs on a schedule (five cron fields, UTC), once for the whole cell."""

        def register(work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
            self._periodic[name] = (work, cron)
            return work

        return register

    @property
    def names(self) -> frozenset[str]:
        """The names of all registered jobs."""
        return frozenset(self._work)

    @property
    def periodic(self) -> frozenset[str]:
        """The names of all that runs on a schedule."""
        return frozenset(self._periodic)

    async def put(
        self,
        tx: Tx,
        name: str,
        body: Body,
        *,
        after: timedelta | None = None,
        priority: int = QUICK,
        once: str | None = None,
    ) -> None:
        """Queues a job; it exists if, and only if, the caller's transaction commits.

        Higher `priority` runs first. With `once`, a second job with the same key is dropped while
        the first waits or runs.
        """
        payload = msgspec.json.encode(body)
        if len(payload) > MAX_BODY_BYTES:
            raise ValueError(f"the body of job {name} is larger than {MAX_BODY_BYTES} bytes")
        queries = Queries(AsyncpgDriver(cast(Any, tx)))
        await queries.enqueue(
            name,
            payload,
            priority=priority,
            execute_after=after,
            dedupe_key=once,
            on_conflict="skip",
        )

    async def run(self, url: str, *, role: str | None, slots: int, stop: asyncio.Event) -> None:
        """Works until `stop` is set, at most `slots` jobs at the same time in this process.

        Raises one of `kit.db.LOST` when the database goes away: the supervisor starts the worker
        anew, which is simpler than healing every connection inside the library. Jobs that run then
        may go on for `SILENT_S`; raises `Silent` when something still does afterwards.
        """
        settings = {"application_name": "luciole-queue", "timezone": "UTC", "jit": "off"}
        if role is not None:
            settings["role"] = role
        pool = await asyncpg.create_pool(
            url, min_size=2, max_size=6, timeout=CONNECT_WITHIN_S, server_settings=settings
        )
        try:
            queries = _Queries(AsyncpgPoolDriver(pool), self._places)
            runner = _Runner(queries.driver, queries=queries)
            for name, (work, at_once) in self._work.items():
                runner.entrypoint(name, concurrency_limit=at_once)(_guarded(name, work))
            for name, (periodic, cron) in self._periodic.items():
                runner.schedule(name, cron)(_scheduled(name, periodic))
            running = asyncio.create_task(
                runner.run(
                    batch_size=max(1, slots // 2),
                    max_concurrent_tasks=max(2, slots),
                    heartbeat_timeout=timedelta(seconds=HEARTBEAT_S),
                    dequeue_timeout=timedelta(seconds=ASK_EVERY_S),
                    shutdown_on_listener_failure=True,
                )
            )
            await _until_over(running, runner, queries, stop)
        finally:
            try:
                await asyncio.wait_for(pool.close(), CUT_WITHIN_S)
            except TimeoutError:
                pool.terminate()

    async def run_once(self, name: str, body: Body) -> None:
        """Does one job's work here and now, without the queue; for tests and drills."""
        work, _ = self._work[name]
        await work(body)

    async def run_periodic(self, name: str) -> None:
        """Does once, here and now, what is done on a schedule; for tests and drills."""
        work, _ = self._periodic[name]
        await work()


async def _until_over(
    running: asyncio.Task[None], runner: _Runner, queries: _Queries, stop: asyncio.Event
) -> None:
    """Waits for the end of `running`, which `stop` asks for. Cuts it where it has fallen silent:
    without asking for jobs it does none, and nobody would know."""
    waiting = asyncio.create_task(stop.wait())
    try:
        while not running.done():
            left_s = queries.asked_at + SILENT_S - time.monotonic()
            if left_s <= 0:
                log.error("queue is silent")
                break
            await asyncio.wait(
                {running} if runner.shutdown.is_set() else {running, waiting},
                timeout=left_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if waiting.done():
                runner.shutdown.set()
    finally:
        waiting.cancel()
        until = time.monotonic() + CUT_WITHIN_S
        # At the first call the library begins to wait for its jobs, at a later one it cuts them.
        while not running.done() and time.monotonic() < until:
            running.cancel()
            await asyncio.wait({running}, timeout=0.1)
    if not running.done() or running.cancelled():
        raise Silent
    await running


def _guarded(name: str, work: Work) -> Callable[[Job], Awaitable[None]]:
    async def entry(job: Job) -> None:
        body = msgspec.json.decode(job.payload or b"{}", type=dict[str, str])
        started = time.monotonic()
        try:
            await work(body)
        except Exception as error:
            kind = type(error).__name__
            log.warning("job failed", job=name, attempt=job.attempts, error=kind, exc_info=True)
            is_last = job.attempts + 1 >= MAX_ATTEMPTS
            _count(name, "gave-up" if is_last else "failed", started)
            if is_last:
                raise GaveUp(f"{name}: {kind}") from None
            delay = timedelta(seconds=FIRST_RETRY_S * 2**job.attempts)
            raise RetryRequested(delay=delay, reason=f"{name}: {kind}") from None
        _count(name, "done", started)
        log.info("job done", job=name, duration_ms=_ms_since(started))

    return entry


def _scheduled(
    name: str, work: Callable[[], Awaitable[None]]
) -> Callable[[Schedule], Awaitable[None]]:
    async def entry(_schedule: Schedule) -> None:
        started = time.monotonic()
        try:
            await work()
            _count(name, "done", started)
        except Exception as error:
            # The next turn of the schedule is the retry.
            _count(name, "failed", started)
            log.warning("job failed", job=name, error=type(error).__name__, exc_info=True)

    return entry


def _count(name: str, outcome: str, started: float) -> None:
    job_duration.labels(name, outcome).observe(time.monotonic() - started)


def _ms_since(started: float) -> int:
    return int((time.monotonic() - started) * 1000)


async def install(connection: Tx) -> None:
    """Makes or upgrades PgQueuer's own tables in the schema `queue`."""
    queries = Queries(AsyncpgDriver(cast(Any, connection)))
    if await queries.schema_is_installed():
        await queries.upgrade()
    else:
        await queries.install()


async def tidy(tx: Tx) -> None:
    """Deletes PgQueuer's notes of jobs that ended more than LOG_KEPT_DAYS ago; it never does."""
    await tx.execute(TIDY_LOG, LOG_KEPT_DAYS)
    await tx.execute(TIDY_STATISTICS, LOG_KEPT_DAYS)


async def forget(tx: Tx, ids: Sequence[str]) -> None:
    """Removes all jobs whose body names one of the ids, whatever their state. Work that one of
    them has begun goes on; it has to find out by itself that its subject is gone."""
    if ids:
        await tx.execute(FORGET, list(ids))
