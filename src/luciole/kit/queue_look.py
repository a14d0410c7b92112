"""What waits in the queue, what runs, and what is stuck; for metrics and for who looks after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec

from luciole.kit.db import Tx
from luciole.kit.metrics import Gauge

# Of a longer queue, the oldest are looked at; its length is known well enough then.
LOOKED_AT = 20_000
# A job that is due and finds no worker for so long, or that runs on for so long, is stuck. An hour:
# a ladder of three minutes of 4K takes half of that on a small machine.
DUE_WITHIN_S = 600
RUNS_WITHIN_S = 3600
# Whoever works on a job says so every few seconds; who has not for a minute is gone, and yet
# nobody has taken the job over.
HEARD_WITHIN_S = 60

JOBS = """
SELECT id, entrypoint, status::text AS status, attempts,
       extract(epoch FROM now() - created)::bigint AS age_s,
       extract(epoch FROM now() - execute_after)::bigint AS due_s,
       extract(epoch FROM now() - updated)::bigint AS runs_s,
       extract(epoch FROM now() - heartbeat)::bigint AS silent_s
FROM queue.pgqueuer ORDER BY id LIMIT $1
"""
RETRY = """
UPDATE queue.pgqueuer
SET status = 'queued', queue_manager_id = NULL, slot = NULL, attempts = 0, updated = now(),
    execute_after = now()
WHERE id = $1
RETURNING entrypoint
"""
DROP = "DELETE FROM queue.pgqueuer WHERE id = $1 RETURNING entrypoint"

jobs_waiting = Gauge(
    "luciole_jobs",
    "Jobs in the queue, of the whole cell. The state is waiting, running or stuck.",
    ["job", "state"],
)
oldest_job = Gauge(
    "luciole_job_oldest_due_seconds", "How long the job that is due the longest has been due."
)


class Waiting(msgspec.Struct, frozen=True):
    """A job in the queue, without what it is about. Ages in seconds."""

    id: int
    name: str
    is_running: bool
    attempts: int
    age_s: int
    due_s: int
    """Since when it could run; below zero where it is to wait."""
    runs_s: int
    silent_s: int

    @property
    def state(self) -> Literal["waiting", "running", "stuck"]:
        if self.is_stuck:
            return "stuck"
        return "running" if self.is_running else "waiting"

    @property
    def is_stuck(self) -> bool:
        """Whether somebody should look after it."""
        if self.is_running:
            return self.silent_s > HEARD_WITHIN_S or self.runs_s > RUNS_WITHIN_S
        return self.due_s > DUE_WITHIN_S


async def jobs(tx: Tx) -> list[Waiting]:
    """What is in the queue, the oldest first."""
    return [
        Waiting(
            row["id"],
            row["entrypoint"],
            row["status"] == "picked",
            row["attempts"],
            row["age_s"],
            row["due_s"],
            row["runs_s"],
            row["silent_s"] or 0,
        )
        for row in await tx.fetch(JOBS, LOOKED_AT)
    ]


async def retry(tx: Tx, job_id: int) -> str | None:
    """Lets a job run now, with all its attempts; gives its name, None where there is no such job.
    One that does run may do so twice, as every job may."""
    found: str | None = await tx.fetchval(RETRY, job_id)
    return found


async def drop(tx: Tx, job_id: int) -> str | None:
    """Removes a job; gives its name. What it has begun goes on."""
    found: str | None = await tx.fetchval(DROP, job_id)
    return found


def measure(found: Sequence[Waiting]) -> None:
    """Sets the gauges of this process to what was found."""
    jobs_waiting.clear()
    for (name, state), number in Counter((job.name, job.state) for job in found).items():
        jobs_waiting.labels(name, state).set(number)
    oldest_job.set(max((job.due_s for job in found if not job.is_running), default=0))
