"""Jobs on the same PostgreSQL, through PgQueuer, enqueued in the caller's transaction.

A job is a name and a small JSON body of ids, never of personal data: bodies stay in the queue's
tables until the job has run. Every job may run twice: a worker that is killed leaves its jobs
picked, and another takes them over once their heartbeat is `HEARTBEAT_S` old.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
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
from pgqueuer.domain.types import JOB_STATUS

from luciole.kit.db import Tx
from luciole.kit.logs import log
from luciole.kit.metrics import job_duration

Body = Mapping[str, str]
Work = Callable[[Body], Awaitable[None]]

HEARTBEAT_S = 10
MAX_ATTEMPTS = 5
FIRST_RETRY_S = 2
MAX_BODY_BYTES = 2048
LOG_KEPT_DAYS = 30

TIDY_LOG = "DELETE FROM queue.pgqueuer_log WHERE created < now() - make_interval(days => $1)"
TIDY_STATISTICS = (
    "DELETE FROM queue.pgqueuer_statistics WHERE created < now() - make_interval(days => $1)"
)


class GaveUp(Exception):
    """A job that failed MAX_ATTEMPTS times. Its text names the job and the class of the error
    only, because PgQueuer keeps the text in its log table."""


class _Queries(Queries):
    """PgQueuer ends a job that was cancelled, and one whose retry could not be written because the
    database was away. Neither has run to its end, so both stay picked here, and are taken over
    once their heartbeat is old."""

    async def log_jobs(
        self, job_status: list[tuple[Job, JOB_STATUS, TracebackRecord | None]]
    ) -> None:
        ended = [
            one
            for one in job_status
            if one[1] == "successful" or (one[2] and one[2].exception_type == GaveUp.__name__)
        ]
        if ended:
            await super().log_jobs(ended)


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
        self._periodic: dict[str, tuple[Callable[[], Awaitable[None]], str]] = {}

    def job(self, name: str, *, at_once: int = 0) -> Callable[[Work], Work]:
        """Declares what the job `name` does; at most `at_once` of them in the cell (0: any)."""

        def register(work: Work) -> Work:
            if name in self._work:
                raise ValueError(f"job {name} is registered twice")
            self._work[name] = (work, at_once)
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

    async def put(
        self,
        tx: Tx,
        name: str,
        body: Body,
        *,
        after: timedelta | None = None,
        priority: int = 0,
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
        anew, which is simpler than healing every connection inside the library.
        """
        settings = {"application_name": "luciole-queue", "timezone": "UTC", "jit": "off"}
        if role is not None:
            settings["role"] = role
        async with asyncpg.create_pool(
            url, min_size=2, max_size=6, server_settings=settings
        ) as pool:
            async with AsyncpgPoolDriver(pool) as driver:
                runner = _Runner(driver, queries=_Queries(driver))
                for name, (work, at_once) in self._work.items():
                    runner.entrypoint(name, concurrency_limit=at_once)(_guarded(name, work))
                for name, (periodic, cron) in self._periodic.items():
                    runner.schedule(name, cron)(_scheduled(name, periodic))
                waiting = asyncio.create_task(stop.wait())
                running = asyncio.create_task(
                    runner.run(
                        batch_size=max(1, slots // 2),
                        max_concurrent_tasks=max(2, slots),
                        heartbeat_timeout=timedelta(seconds=HEARTBEAT_S),
                        dequeue_timeout=timedelta(seconds=5),
                        shutdown_on_listener_failure=True,
                    )
                )
                try:
                    await asyncio.wait({waiting, running}, return_when=asyncio.FIRST_COMPLETED)
                    runner.shutdown.set()
                    await running
                finally:
                    waiting.cancel()

    async def run_once(self, name: str, body: Body) -> None:
        """Does one job's work here and now, without the queue; for tests and drills."""
        work, _ = self._work[name]
        await work(body)


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
