"""What an operator sees of the background jobs, and does about one that is stuck."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from luciole import config, reach
from luciole.cell.media.store import waiting
from luciole.cell.media.store.waiting import Late
from luciole.config import Settings
from luciole.finding import Finding
from luciole.kit import queue_look
from luciole.kit.clock import Clock
from luciole.kit.console import say
from luciole.kit.db import Database, Tx
from luciole.kit.errors import Invalid, NotFound
from luciole.kit.queue_look import Waiting

SHOWN = 100
# A film that cannot be played after so long has an author who wonders.
LATE_AFTER = timedelta(minutes=15)
CAUSES = {
    "disk": "no room on the disk of a worker, or in the object store",
    "store": "the object store does not answer, or has not got what was uploaded",
}


class NoSuchJob(NotFound):
    code = "no-such-job"
    sentence = "No such job is in the queue."
    next_step = "Look at its number with `luciole jobs list`; it may have ended meanwhile."


class WhichJob(Invalid):
    code = "which-job"
    sentence = "The number of the job is missing."
    next_step = "Take it from `luciole jobs list`."


def command(chosen: argparse.Namespace) -> int:
    """`luciole jobs …`. Raises NoSuchJob, WhichJob."""
    settings = config.load(dict(os.environ))
    for line in asyncio.run(done(settings, chosen, Clock())):
        say(line)
    return 0


async def done(settings: Settings, chosen: argparse.Namespace, clock: Clock) -> list[str]:
    """Does it, and gives lines for the console."""
    async with _database(settings) as tx:
        if chosen.act == "list":
            found, films = await look(tx, clock)
            if chosen.stuck:
                found = [job for job in found if job.is_stuck]
            return [*_jobs(found), *_films(films)]
        if chosen.id is None:
            raise WhichJob
        act = queue_look.retry if chosen.act == "retry" else queue_look.drop
        name = await act(tx, chosen.id)
        if name is None:
            raise NoSuchJob
        is_retry = chosen.act == "retry"
        return [f"{name} runs as soon as a worker is free." if is_retry else f"{name} is dropped."]


def looked(settings: Settings) -> Iterator[Finding]:
    """What `luciole doctor` says of them."""
    try:
        found = asyncio.run(faults(settings, Clock()))
    except NotFound:
        return  # no cell yet: nothing can be stuck in it
    except Exception as error:
        found = [(f"cannot be read ({type(error).__name__})", "Start the cell.")]
    yield from (Finding("WARN", "jobs", *words) for words in found)
    if not found:
        yield Finding("OK", "jobs", "none is stuck, and no film waits")


async def faults(settings: Settings, clock: Clock) -> list[tuple[str, str]]:
    """What is stuck, each with the next step; for `luciole doctor`."""
    async with _database(settings) as tx:
        found, films = await look(tx, clock)
    words = []
    if stuck := [job for job in found if job.is_stuck]:
        names = ", ".join(sorted({job.name for job in stuck}))
        words.append(
            (f"{len(stuck)} jobs are stuck ({names})", "Look at them with ./luciole jobs list.")
        )
    for cause, says in CAUSES.items():
        if held := [film for film in films if film.waits_for == cause]:
            words.append(
                (f"{len(held)} films wait: {says}", "Mend that; they go on within a minute or two.")
            )
    if late := [film for film in films if film.waits_for is None]:
        longest = max(film.age_s for film in late)
        words.append(
            (
                f"{len(late)} films cannot be played yet, the oldest since {_age(longest)}",
                "Start more workers, or look into the worker's log.",
            )
        )
    return words


async def look(tx: Tx, clock: Clock) -> tuple[list[Waiting], list[Late]]:
    """What is in the queue, and the films that wait for something or are late."""
    now = clock.now()
    return await queue_look.jobs(tx), await waiting.late(tx, now - LATE_AFTER, now, SHOWN)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Tx]:
    async with reach.reached(settings) as place:
        database = await Database.open(place.owner_url, size=1)
        try:
            async with database.tx() as tx:
                yield tx
        finally:
            await database.close()


def _jobs(found: Sequence[Waiting]) -> list[str]:
    if not found:
        return ["No job is in the queue."]
    lines = [f"{'number':>9}  {'state':8} {'for':>9}  {'tries':>5}  job"]
    for job in found[:SHOWN]:
        since = job.runs_s if job.is_running else job.due_s
        age = _age(since) if since >= 0 else f"in {_age(-since)}"
        lines.append(f"{job.id:>9}  {job.state:8} {age:>9}  {job.attempts:>5}  {job.name}")
    if len(found) > SHOWN:
        lines.append(f"… and {len(found) - SHOWN} more.")
    return lines


def _films(films: Sequence[Late]) -> list[str]:
    return [
        f"film {film.id}  {film.state}, since {_age(film.age_s)}"
        + (f"; waits: {CAUSES[film.waits_for]}" if film.waits_for else "")
        for film in films
    ]


def _age(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h"
