"""From a finished upload to files that play, and what is left when the worker dies on the way."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cell.media.support import Cell, Person
from tests.unit.media import films

from luciole.cell.media import encode, fence, launchers, pictures, store, workshop
from luciole.cell.media.model import (
    BadTrim,
    Edit,
    NoSuchUpload,
    UploadNotFinished,
    UploadUsed,
)
from luciole.cell.media.shelf import Shelf
from luciole.kit import workplace

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)


async def nothing_is_left(cell: Cell) -> None:
    """No object without a row, no row without an object, no folder, no child process."""
    await cell.sweep()
    assert await cell.objects() == await cell.referred()
    assert await cell.rows("SELECT * FROM media.unclaimed") == []
    assert list(cell.work_folder.glob("*")) == []
    for launcher in launchers.running():
        children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children")
        assert children.read_text().split() == []


async def test_film_becomes_playable_then_complete(cell: Cell, ana: Person, film: bytes) -> None:
    asset_id = await cell.begin(ana, film)
    await cell.work(["media.prepare"])
    found = await cell.look(asset_id)
    assert found["state"] == "playable"
    assert (found["width"], found["height"]) == (540, 960)
    assert found["duration_ms"] == pytest.approx(1000, abs=60)
    assert found["has_audio"]
    assert [each["name"] for each in found["renditions"]] == ["540"]
    assert await cell.news("media.playable") == [{"asset_id": str(asset_id)}]
    await cell.work(["media.ladder"])
    found = await cell.look(asset_id)
    assert found["state"] == "complete"
    assert [each["name"] for each in found["renditions"]] == ["540", "720"]
    for each in found["renditions"]:
        answer = await cell.visitor().get(f"/media/{each['key']}")
        assert answer.status_code == 200
        assert len(answer.content) == each["size_bytes"]
        assert answer.headers["content-type"] == each["mime"] == "video/mp4"
    poster = await cell.visitor().get(f"/media/{found['poster_key']}")
    assert poster.headers["content-type"] == "image/webp"
    assert poster.content[8:12] == b"WEBP"
    assert await cell.rows("SELECT * FROM media.upload") == []
    await nothing_is_left(cell)


async def test_small_film_is_complete_at_once(cell: Cell, ana: Person, small_film: bytes) -> None:
    found = await cell.playable(ana, small_film)
    assert found["state"] == "complete"
    assert [(each["width"], each["height"]) for each in found["renditions"]] == [(180, 320)]
    await nothing_is_left(cell)


async def test_progress_is_shown(
    cell: Cell, ana: Person, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop, "PROGRESS_EVERY_S", 0.01)
    asset_id = await cell.begin(ana, film)
    await cell.work()
    assert {each for each, _ in cell.progress} == {asset_id}
    percents = [percent for _, percent in cell.progress]
    assert percents == sorted(percents)
    assert percents[0] == 5


async def test_refused_file_tells_why_and_leaves_nothing(cell: Cell, ana: Person) -> None:
    asset_id = await cell.begin(ana, b"this is no film" * 1000)
    await cell.work()
    found = await cell.look(asset_id)
    assert (found["state"], found["refused_code"]) == ("refused", "not-a-video")
    assert found["renditions"] == []
    news = {"asset_id": str(asset_id), "code": "not-a-video"}
    assert await cell.news("media.refused") == [news]
    assert await cell.objects() == set() or await nothing_is_left(cell) is None
    await nothing_is_left(cell)
    assert await cell.rows("SELECT * FROM media.upload") == []


async def test_trim_outside_the_film_is_refused(cell: Cell, ana: Person, small_film: bytes) -> None:
    found = await cell.playable(ana, small_film, Edit(trim_start_ms=60_000))
    assert found["refused_code"] == "too-short"


async def test_too_long_a_film_is_refused(
    make_cell: Callable[..., Cell], small_film: bytes, tmp_path: Path
) -> None:
    cell = make_cell(max_duration_ms=1000)
    ana = await cell.person()
    data = films.make(tmp_path / "a.mp4", size="64x64", seconds=3).read_bytes()
    assert (await cell.playable(ana, data))["refused_code"] == "too-long"
    assert (await cell.playable(ana, data, Edit(500, 1400)))["state"] == "complete"


async def test_only_a_finished_own_unused_upload_becomes_an_asset(
    cell: Cell, ana: Person, small_film: bytes
) -> None:
    upload_id = await cell.upload(ana, small_film)
    bob = await cell.person()
    async with cell.db.tx() as tx:
        with pytest.raises(NoSuchUpload):
            await cell.media.begin(tx, bob.person_id, upload_id, Edit(), is_public=True)
        with pytest.raises(BadTrim):
            await cell.media.begin(tx, ana.person_id, upload_id, Edit(5, 5), is_public=True)
        await cell.media.begin(tx, ana.person_id, upload_id, Edit(), is_public=True)
        with pytest.raises(UploadUsed):
            await cell.media.begin(tx, ana.person_id, upload_id, Edit(), is_public=True)
        unfinished = await cell.media.create_upload(tx, ana.person_id, 10)
        with pytest.raises(UploadNotFinished):
            await cell.media.begin(tx, ana.person_id, unfinished.id, Edit(), is_public=True)


async def test_jobs_may_run_twice(cell: Cell, ana: Person, film: bytes) -> None:
    asset_id = await cell.begin(ana, film)
    body = {"asset_id": str(asset_id)}
    await cell.queue.run_once("media.prepare", body)
    await cell.queue.run_once("media.prepare", body)
    await cell.work(["media.prepare"])
    await cell.queue.run_once("media.ladder", body)
    await cell.queue.run_once("media.ladder", body)
    await cell.work()
    assert (await cell.look(asset_id))["state"] == "complete"
    assert len(await cell.news("media.playable")) == 1
    await nothing_is_left(cell)


async def test_of_two_workers_on_one_asset_the_later_wins(
    cell: Cell, ana: Person, film: bytes
) -> None:
    asset_id = await cell.begin(ana, film)
    body = {"asset_id": str(asset_id)}
    await asyncio.gather(*(cell.queue.run_once("media.prepare", body) for _ in range(2)))
    await cell.work()
    found = await cell.look(asset_id)
    assert found["state"] == "complete"
    assert len(found["renditions"]) == 2
    assert len(await cell.news("media.playable")) == 1
    await cell.sweep(after=timedelta(hours=3))
    await nothing_is_left(cell)


class Died(BaseException):
    """The worker is gone: nothing after it runs, so no handler may catch it."""


@pytest.mark.parametrize("place", ["_assemble", "put", "claim"])
async def test_killed_worker_is_repeated(
    cell: Cell, ana: Person, film: bytes, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    asset_id = await cell.begin(ana, film)
    owner: Any = workshop.Workshop if place == "_assemble" else Shelf
    original = getattr(owner, place)
    after = place == "put"

    async def die(self: Any, *args: Any) -> None:
        if after:  # the objects are there, the rows are not
            await original(self, *args)
        raise Died

    async def no_pardon(*_: Any) -> None:
        return

    with monkeypatch.context() as patch:
        patch.setattr(owner, place, die)
        patch.setattr(store, "pardon", no_pardon)
        with pytest.raises(Died):
            await cell.work(["media.prepare"])
    assert (await cell.look(asset_id))["state"] in ("probing", "encoding")
    await cell.sweep(after=timedelta(minutes=3))
    await cell.work()
    assert (await cell.look(asset_id))["state"] == "complete"
    row = await cell.row("SELECT attempt, crashes FROM media.asset")
    assert row["crashes"] <= 1
    await cell.sweep(after=timedelta(hours=3))
    await nothing_is_left(cell)


async def test_film_outlives_many_workers_that_are_killed_beside_it(
    cell: Cell, ana: Person, small_film: bytes
) -> None:
    """kill -9 leaves no word of who was to blame; most often it is not the film."""
    asset_id = await cell.begin(ana, small_film)
    await cell.rows("UPDATE media.asset SET attempt = 8, crashes = 8, state = 'encoding'")
    await cell.work()
    assert (await cell.look(asset_id))["state"] == "complete"


async def test_film_that_kills_its_worker_again_and_again_is_refused(
    cell: Cell, ana: Person, small_film: bytes
) -> None:
    asset_id = await cell.begin(ana, small_film)
    await cell.rows("UPDATE media.asset SET attempt = 9, crashes = 9, state = 'encoding'")
    await cell.work()
    assert (await cell.look(asset_id))["refused_code"] == "cannot-be-read"


async def test_file_that_ffmpeg_fails_on_each_time_is_refused(
    cell: Cell, ana: Person, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset_id = await cell.begin(ana, film)

    async def fail(*_: Any) -> None:
        raise encode.EncodingFailed("again")

    monkeypatch.setattr(encode, "first_playable", fail)
    body = {"asset_id": str(asset_id)}
    for _ in range(3):
        with pytest.raises(encode.EncodingFailed):
            await cell.queue.run_once("media.prepare", body)
    await cell.queue.run_once("media.prepare", body)
    assert (await cell.look(asset_id))["refused_code"] == "cannot-be-read"
    await cell.take(["media.prepare"])
    await nothing_is_left(cell)


async def test_ladder_that_fails_leaves_what_plays(
    cell: Cell, ana: Person, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset_id = await cell.begin(ana, film)
    await cell.work(["media.prepare"])

    async def fail(*_: Any, **__: Any) -> None:
        raise encode.EncodingFailed("again")

    monkeypatch.setattr(encode, "ladder", fail)
    body = {"asset_id": str(asset_id)}
    for _ in range(3):
        with pytest.raises(encode.EncodingFailed):
            await cell.queue.run_once("media.ladder", body)
    await cell.queue.run_once("media.ladder", body)
    found = await cell.look(asset_id)
    assert found["state"] == "complete"
    assert [each["name"] for each in found["renditions"]] == ["540"]
    await cell.take(["media.ladder"])
    await nothing_is_left(cell)


async def test_deleted_asset_leaves_nothing(cell: Cell, ana: Person, film: bytes) -> None:
    found = await cell.playable(ana, film)
    async with cell.db.tx() as tx:
        await cell.media.delete(tx, found["asset_id"])
        await cell.media.delete(tx, found["asset_id"])
    key = found["renditions"][0]["key"]
    assert (await cell.visitor().get(f"/media/{key}")).status_code == 404
    await cell.sweep()
    assert await cell.objects() == set()


async def test_asset_deleted_while_it_is_made_leaves_nothing(
    cell: Cell, ana: Person, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset_id = await cell.begin(ana, film)
    original = Shelf.put

    async def put(self: Any, *args: Any) -> None:
        await original(self, *args)
        async with cell.db.tx() as tx:
            await cell.media.delete(tx, asset_id)

    monkeypatch.setattr(Shelf, "put", put)
    await cell.work()
    assert await cell.rows("SELECT * FROM media.asset") == []
    assert await cell.news("media.playable") == []
    await cell.sweep(after=timedelta(hours=3))
    assert await cell.objects() == set()


async def test_film_deleted_while_its_ladder_is_made_leaves_nothing(
    cell: Cell, ana: Person, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset_id = await cell.begin(ana, film)
    await cell.work(["media.prepare"])
    small = pictures.small

    async def deleted_meanwhile(*args: Any) -> Any:
        async with cell.db.tx() as tx:
            await cell.media.delete(tx, asset_id)
        return await small(*args)

    monkeypatch.setattr(pictures, "small", deleted_meanwhile)
    await cell.work()
    assert await cell.rows("SELECT * FROM media.asset") == []
    await cell.sweep(after=timedelta(hours=3))
    assert await cell.objects() == set()


async def test_folder_of_a_dead_attempt_is_swept_and_a_living_one_kept(cell: Cell) -> None:
    dead, alive = cell.work_folder / "dead-1", cell.work_folder / "alive-1"
    for folder in (dead, alive):
        os.close(workplace.open_folder(folder))
        (folder / "source").write_bytes(b"x")
    with (alive / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        await cell.sweep()
        assert not dead.exists()
        assert alive.exists()
