"""AV1 for films that are watched: made when nothing else waits, kept and lost with the rest."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.cell.media.support import Cell, Person, refused
from tests.cell.media.test_segments import plays

from luciole.cell.media import aftercare, av1, fence
from luciole.cell.media.encode import EncodingFailed
from luciole.cell.media.service import LAST
from luciole.cell.media.store import erasure

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)
WORK = ("media.prepare", "media.ladder", "media.rename", "media.look", "media.av1")
FILES = "SELECT name, filename, object_key, mime FROM media.file WHERE kind = 'av1'"


async def watched(cell: Cell, *asset_ids: UUID) -> None:
    async with cell.db.tx() as tx:
        await cell.media.want_av1(tx, list(asset_ids))


async def with_av1(cell: Cell, person: Person, film: bytes, *, is_public: bool = True) -> Any:
    """A film that was watched, and for which all work is done."""
    found = await cell.playable(person, film, is_public=is_public)
    await watched(cell, found["asset_id"])
    await cell.sweep()
    await cell.work(WORK)
    return await cell.look(found["asset_id"])


async def test_watched_film_gets_av1_that_plays_by_its_index_and_its_playlist(
    cell: Cell, ana: Person, film: bytes, tmp_path: Path
) -> None:
    found = await with_av1(cell, ana, film)
    low, high = found["renditions"]
    assert high["av1"] is None, "there is nothing larger to make it from"
    assert low["av1"]["codecs"] == "av01.0.04M.08,mp4a.40.2"
    assert low["av1"]["size_bytes"] < low["size_bytes"]
    assert low["av1"]["bitrate_bps"] < low["bitrate_bps"]
    visitor = cell.visitor()
    await plays(visitor, f"/media/{low['av1']['key']}", low["av1"], tmp_path)
    folder = low["key"].rpartition("/")[0]
    text = (await visitor.get(f"/media/{folder}/clip.m3u8")).text
    codecs = [line.partition("CODECS=")[2] for line in text.splitlines() if "CODECS=" in line]
    assert [one.strip('"')[:4] for one in codecs] == ["avc1", "avc1", "av01"]
    listed = (await visitor.get(text.splitlines()[-1])).text
    assert f'URI="/media/{low["av1"]["key"]}"' in listed
    await cell.sweep()
    assert await cell.objects() == await cell.referred()


async def test_film_is_noted_once_and_made_once(cell: Cell, ana: Person, film: bytes) -> None:
    found = await with_av1(cell, ana, film)
    before = await cell.rows(FILES)
    await watched(cell, found["asset_id"])
    await cell.sweep()
    assert await cell.work(["media.av1"]) == 0
    await cell.queue.run_once("media.av1", {"asset_id": str(found["asset_id"])})
    assert await cell.rows(FILES) == before
    assert (await cell.row("SELECT av1, crashes FROM media.asset"))["crashes"] == 0


async def test_film_that_nobody_watches_and_a_small_one_get_none(
    cell: Cell, ana: Person, film: bytes, small_film: bytes
) -> None:
    await cell.playable(ana, film)
    small = await cell.playable(ana, small_film)
    await watched(cell, small["asset_id"])
    await cell.sweep()
    await cell.work(WORK)
    assert await cell.rows(FILES) == []
    states = await cell.rows("SELECT av1 FROM media.asset ORDER BY id")
    assert [row["av1"] for row in states] == ["no", "made"]


async def test_job_stands_behind_all_others_and_does_nothing_while_a_film_waits(
    cell: Cell, ana: Person, film: bytes
) -> None:
    found = await cell.playable(ana, film)
    await watched(cell, found["asset_id"])
    await cell.sweep()
    queued = "SELECT priority FROM queue.pgqueuer WHERE entrypoint = 'media.av1'"
    assert (await cell.row(queued))["priority"] < LAST
    await cell.begin(ana, film)
    await cell.work(["media.av1"])
    assert (await cell.row(f"{FILES} UNION ALL SELECT '', '', '', ''"))["name"] == ""
    await cell.sweep()
    assert await cell.rows(queued) == [], "not even put while a film waits"
    await cell.work()
    await cell.sweep()
    await cell.work(WORK)
    assert len(await cell.rows(FILES)) == 1


async def test_film_that_comes_meanwhile_ends_the_work_and_leaves_nothing(
    cell: Cell, ana: Person, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await cell.playable(ana, film)
    await watched(cell, found["asset_id"])
    begun = asyncio.Event()

    async def for_ever(*_: Any, **__: Any) -> Any:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(av1, "made", for_ever)
    monkeypatch.setattr(aftercare, "GIVES_WAY_EVERY_S", 0.02)
    job = asyncio.create_task(
        cell.queue.run_once("media.av1", {"asset_id": str(found["asset_id"])})
    )
    await asyncio.wait_for(begun.wait(), 60)
    await cell.begin(ana, film)
    await asyncio.wait_for(job, 20)
    row = await cell.row("SELECT av1, crashes FROM media.asset WHERE state = 'complete'")
    assert tuple(row) == ("wanted", 0)
    assert list(cell.work_folder.glob("*")) == []
    assert await cell.rows(FILES) == []


async def test_film_that_cannot_be_made_is_not_tried_for_ever(
    cell: Cell, ana: Person, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await cell.playable(ana, film)
    await watched(cell, found["asset_id"])

    async def fails(*_: Any, **__: Any) -> Any:
        raise EncodingFailed("no")

    monkeypatch.setattr(av1, "made", fails)
    body = {"asset_id": str(found["asset_id"])}
    with pytest.raises(EncodingFailed):
        await cell.queue.run_once("media.av1", body)
    await cell.queue.run_once("media.av1", body)
    await cell.sweep()
    assert await cell.work(["media.av1"]) == 0
    assert (await cell.look(found["asset_id"]))["state"] == "complete"


async def test_av1_that_saves_nothing_is_not_kept(
    cell: Cell, ana: Person, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await cell.playable(ana, film)
    await watched(cell, found["asset_id"])
    async with cell.db.tx() as tx:
        await tx.execute("UPDATE media.file SET size_bytes = 10 WHERE kind = 'rendition'")
    await cell.queue.run_once("media.av1", {"asset_id": str(found["asset_id"])})
    assert await cell.rows(FILES) == []
    assert (await cell.row("SELECT av1 FROM media.asset"))["av1"] == "made"


async def test_narrower_audience_kills_the_address_of_av1_too(
    cell: Cell, ana: Person, film: bytes
) -> None:
    found = await with_av1(cell, ana, film)
    key = found["renditions"][0]["av1"]["key"]
    async with cell.db.tx() as tx:
        await cell.media.narrow(tx, found["asset_id"])
    refused(await ana.get(f"/media/{key}"), 404, "no-such-file")
    await cell.work()
    new = (await cell.look(found["asset_id"]))["renditions"][0]["av1"]["key"]
    assert new.startswith("r/")
    refused(await cell.visitor().get(f"/media/{new}"), 404, "no-such-file")
    signed = cell.media.url(new, ana.session_id)
    assert (await ana.get(signed)).status_code == 200
    refused(await cell.visitor().get(signed), 404, "no-such-file")
    async with cell.db.tx() as tx:
        await cell.media.widen(tx, found["asset_id"])
    await cell.work()
    again = (await cell.look(found["asset_id"]))["renditions"][0]["av1"]["key"]
    answer = await cell.visitor().get(f"/media/{again}")
    assert (answer.status_code, again[:2]) == (200, "p/")
    await cell.sweep(after=timedelta(hours=3))
    assert await cell.objects() == await cell.referred()


async def test_private_film_keeps_its_av1_behind_signatures(
    cell: Cell, ana: Person, film: bytes
) -> None:
    found = await with_av1(cell, ana, film, is_public=False)
    key = found["renditions"][0]["av1"]["key"]
    assert key.startswith("r/")
    refused(await cell.visitor().get(f"/media/{key}"), 404, "no-such-file")
    assert (await ana.get(cell.media.url(key, ana.session_id))).status_code == 200


async def test_deleting_and_erasing_take_av1_along(cell: Cell, ana: Person, film: bytes) -> None:
    one, other = await with_av1(cell, ana, film), await with_av1(cell, ana, film)
    keys = [row["object_key"] for row in await cell.rows(FILES)]
    assert len(keys) == 2
    async with cell.db.tx() as tx:
        await cell.media.delete(tx, one["asset_id"])
    async with cell.db.tx() as tx:
        gone = await erasure.erase_assets(tx, ana.person_id, 10)
        await cell.media.disown(tx, *gone.object_keys)
    assert gone.assets == [other["asset_id"]]
    await cell.sweep(after=timedelta(hours=3))
    assert await cell.objects() == set()


async def test_film_deleted_during_the_work_leaves_nothing(
    cell: Cell, ana: Person, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await cell.playable(ana, film)
    await watched(cell, found["asset_id"])
    made = av1.made

    async def deleted_meanwhile(*args: Any, **more: Any) -> Any:
        async with cell.db.tx() as tx:
            await cell.media.delete(tx, found["asset_id"])
        return await made(*args, **more)

    monkeypatch.setattr(av1, "made", deleted_meanwhile)
    await cell.queue.run_once("media.av1", {"asset_id": str(found["asset_id"])})
    await cell.sweep(after=timedelta(hours=3))
    assert await cell.objects() == set()


async def test_film_that_loses_its_sound_loses_the_av1_that_has_it(
    cell: Cell, ana: Person, film: bytes
) -> None:
    found = await with_av1(cell, ana, film)
    async with cell.db.tx() as tx:
        await tx.execute("UPDATE media.asset SET sound_mode = 'replace'")
    await cell.queue.run_once("media.silence", {"asset_id": str(found["asset_id"])})
    row = await cell.row("SELECT av1, has_audio FROM media.asset")
    assert tuple(row) == ("wanted", False)
    assert await cell.rows(FILES) == []
    await cell.sweep()
    await cell.work(WORK)
    silent = (await cell.look(found["asset_id"]))["renditions"][0]["av1"]
    assert silent["codecs"] == "av01.0.04M.08"
    await cell.sweep(after=timedelta(hours=3))
    assert await cell.objects() == await cell.referred()
