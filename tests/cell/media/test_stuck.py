"""What is stuck is seen by the operator, who runs it again or drops it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.cell.media.support import Cell, Person

from luciole import cli, jobs_console
from luciole.config import DatabaseSettings, Settings
from luciole.kit import metrics, queue_look


@pytest.fixture
def settings(cell: Cell, owner_url: str) -> Settings:
    return Settings(data_dir=str(cell.settings.data), database=DatabaseSettings(url=owner_url))


async def test_job_that_nobody_takes_is_stuck_until_it_is_run_or_dropped(
    cell: Cell, ana: Person, small_film: bytes, settings: Settings
) -> None:
    async def run(*words: str) -> list[str]:
        return await jobs_console.done(settings, cli.parser().parse_args(words), cell.clock)

    assert await jobs_console.faults(settings, cell.clock) == []
    asset_id = await cell.begin(ana, small_film)
    assert await run("jobs", "list", "--stuck") == ["No job is in the queue."]
    await cell.rows(
        "UPDATE queue.pgqueuer SET execute_after = now() - interval '1 hour' RETURNING id"
    )
    cell.clock.advance(timedelta(hours=1))
    _, line, film = await run("jobs", "list", "--stuck")
    number = line.split()[0]
    assert line.split()[1:] == ["stuck", "60", "min", "0", "media.prepare"]
    assert film.startswith(f"film {asset_id}  queued, since 60 min")
    stuck, late = await jobs_console.faults(settings, cell.clock)
    assert stuck[0] == "1 jobs are stuck (media.prepare)"
    assert late[0].startswith("1 films cannot be played yet")
    async with cell.db.read() as tx:
        queue_look.measure(await queue_look.jobs(tx))
    assert b'luciole_jobs{job="media.prepare",state="stuck"} 1.0' in metrics.render()
    assert await run("jobs", "retry", number) == ["media.prepare runs as soon as a worker is free."]
    assert "stuck" not in (await run("jobs", "list"))[1]
    assert await run("jobs", "drop", number) == ["media.prepare is dropped."]
    with pytest.raises(jobs_console.NoSuchJob):
        await run("jobs", "drop", number)
    with pytest.raises(jobs_console.WhichJob):
        await run("jobs", "retry")


async def test_hundred_films_of_one_author_do_not_stand_before_anothers(
    cell: Cell, ana: Person, small_film: bytes
) -> None:
    """In the queue that all workers take from, and in what the other author is told."""
    ben = await cell.person()
    hers = [await cell.begin(ana, small_film) for _ in range(4)]
    his = await cell.begin(ben, small_film)
    rows = await cell.rows(
        "SELECT convert_from(payload, 'UTF8') AS body FROM queue.pgqueuer "
        "WHERE entrypoint = 'media.prepare' ORDER BY priority DESC, id"
    )
    order = [next(each for each in (*hers, his) if str(each) in row["body"]) for row in rows]
    assert order == [hers[0], his, *hers[1:]]
    async with cell.db.read() as tx:
        way = await cell.media.way(tx, his)
        last = await cell.media.way(tx, hers[-1])
    assert way is not None
    assert last is not None
    assert (way.ahead, last.ahead) == (1, 4)
    assert 0 < (way.left_s or 0) < (last.left_s or 0)
