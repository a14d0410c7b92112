"""What is done to films that play already: it may come twice, wait, and counts nothing then."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cell.media.support import Cell, Person

from luciole.cell.media import fence, workshop

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)


async def test_film_is_looked_at_once_however_often_the_job_comes(
    cell: Cell, ana: Person, small_film: bytes
) -> None:
    found = await cell.playable(ana, small_film)
    async with cell.db.tx() as tx:
        await tx.execute("UPDATE media.asset SET thumbhash = NULL")
        await tx.execute("DELETE FROM media.file WHERE kind IN ('avif-poster', 'preview')")
    body = {"asset_id": str(found["asset_id"])}
    await cell.queue.run_once("media.look", body)
    await cell.queue.run_once("media.look", body)
    row = await cell.row("SELECT crashes, thumbhash IS NULL AS is_unseen FROM media.asset")
    assert (row["crashes"], row["is_unseen"]) == (0, False)
    made = "SELECT filename FROM media.file WHERE kind IN ('avif-poster', 'preview') ORDER BY kind"
    assert [each["filename"] for each in await cell.rows(made)] == [
        "avif-poster-3.avif",
        "preview-3.avif",
    ]


async def test_ladder_that_has_to_wait_does_not_take_back_that_the_film_plays(
    cell: Cell, ana: Person, film: bytes, tmp_path: Path
) -> None:
    asset_id = await cell.begin(ana, film)
    await cell.work(["media.prepare"])
    told = len(cell.progress)
    away = (tmp_path / "blobs").rename(tmp_path / "elsewhere")
    await cell.work(["media.ladder"])
    row = await cell.row("SELECT state, waits_for, crashes FROM media.asset")
    assert tuple(row) == ("playable", "store", 0)
    assert len(cell.progress) == told
    away.rename(tmp_path / "blobs")
    await cell.sweep()
    await cell.work()
    assert (await cell.look(asset_id))["state"] == "complete"


@pytest.mark.parametrize("catches_up", ["look", "segment"])
async def test_film_whose_objects_are_gone_keeps_no_other_waiting(
    cell: Cell,
    ana: Person,
    small_film: bytes,
    film: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    catches_up: str,
) -> None:
    lost, other = await cell.begin(ana, small_film), await cell.begin(ana, film)
    await cell.work()
    async with cell.db.tx() as tx:
        await tx.execute("UPDATE media.asset SET thumbhash = NULL")
        await tx.execute("DELETE FROM media.file WHERE kind IN ('avif-poster', 'preview')")
        await tx.execute("UPDATE media.file SET index = NULL")
        of_lost = await tx.fetch("SELECT object_key FROM media.file WHERE asset_id = $1", lost)
    for row in of_lost:
        (tmp_path / "blobs" / row["object_key"]).unlink()
    monkeypatch.setattr(workshop, "LOOKED_AT_ONCE", 1)
    monkeypatch.setattr(workshop, "SEGMENTED_AT_ONCE", 1)
    for _ in range(3):
        await cell.sweep()
        await cell.work([f"media.{catches_up}"])
    done = {
        "look": "SELECT id FROM media.asset WHERE thumbhash IS NOT NULL",
        "segment": "SELECT DISTINCT asset_id AS id FROM media.file WHERE index IS NOT NULL",
    }[catches_up]
    assert [row["id"] for row in await cell.rows(done)] == [other]
