"""Films are made on machines of their own: each with a disk of its own, over the cell's database
and object store, and each may die."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from tests import bucket
from tests.cell.house import Browser, House
from tests.drills.cell_process import ROOT, Cell, none_left, started
from tests.unit.media import films

from luciole.cell.media import fence

PATIENCE_S = 240
FILMS = 4
Value = TypeVar("Value")

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not fence.available().is_enough, reason="nothing is decoded without a fence"
    ),
]


def machine(owner_url: str, blobs: str, data: Path) -> tuple[list[str], dict[str, str]]:
    """Command and environment of a machine that only encodes, one film at a time."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LUCIOLE_", "DATABASE_URL"))
    }
    environment |= {
        "PYTHONPATH": str(ROOT / "src"),
        "LUCIOLE_DATA_DIR": str(data),
        "LUCIOLE_DATABASE_URL": owner_url,
        "LUCIOLE_BLOBS": blobs,
        "LUCIOLE_WORKER_ENCODERS": "1",
        "LUCIOLE_MEDIA_MIN_FREE_BYTES": "0",
    }
    return [sys.executable, "-m", "luciole", "films"], environment


def at_work(data: Path) -> set[str]:
    """The films (`ASSET-ATTEMPT`) that this machine has on its disk."""
    folder = data / "work" / "media"
    return {each.name for each in folder.iterdir()} if folder.is_dir() else set()


async def until(look: Callable[[], Value], *running: Cell) -> Value:
    """What `look` gives once it gives something, while these run."""
    end = time.monotonic() + PATIENCE_S
    while not (found := look()):
        said = "\n".join(line for each in running for line in each.console)
        assert time.monotonic() < end, said
        assert all(each.process.poll() is None for each in running), said
        await asyncio.sleep(0.02)
    return found


async def test_machine_that_dies_leaves_its_film_to_another(
    house: House, ana: Browser, owner_url: str, tmp_path: Path
) -> None:
    # Long enough that one is killed in the middle of a film.
    film = films.make(tmp_path / "film.mp4", size="360x640", seconds=5).read_bytes()
    clips = []
    for number in range(FILMS):
        body = await ana.draft(film, caption=f"Film {number}")
        answer = await ana.post("/api/clips", json=body)
        assert answer.status_code == 201, answer.text
        clips.append(answer.json()["id"])
    blobs = house.settings.blobs_place
    first, second = tmp_path / "first machine", tmp_path / "second machine"
    with (
        started(*machine(owner_url, blobs, first)) as dying,
        started(*machine(owner_url, blobs, second)) as staying,
    ):
        await until(lambda: at_work(first) and at_work(second), dying, staying)
        # Whatever else it may be, it is not the machine of the key broker.
        assert not (first / "keys").exists()
        begun = await until(lambda: at_work(first), dying)
        dying.stop(signal.SIGKILL)
        shutil.rmtree(first)
        end = time.monotonic() + PATIENCE_S
        while await house.rows("SELECT id FROM media.asset WHERE state <> 'complete'"):
            assert time.monotonic() < end, "\n".join(staying.console)
            assert staying.process.poll() is None, "\n".join(staying.console)
            await asyncio.sleep(0.2)
        assert staying.stop(signal.SIGTERM) == 0
    assert none_left(first, second) == []
    assert at_work(second) == set()
    # What the dead one had begun was begun again, not gone on with.
    attempts = {
        str(row["id"]): row["attempt"]
        for row in await house.rows("SELECT id, attempt FROM media.asset")
    }
    assert len(attempts) == FILMS
    for name in begun:
        asset, _, attempt = name.rpartition("-")
        assert attempts[asset] > int(attempt)
    # News for the slices above are not theirs to take: the cell's own worker does those.
    waiting = await house.rows("SELECT entrypoint FROM queue.pgqueuer")
    assert [row["entrypoint"] for row in waiting].count("media.playable") >= FILMS
    # Nor is the key that signs films: the cell's worker does that where it finds none signed, or
    # where a machine that swept has left it the word.
    sealed = "SELECT count(*) AS films FROM media.asset WHERE sealed_says_ai IS NOT NULL"
    assert (await house.rows(sealed))[0]["films"] == 0
    await house.work()
    await house.parts.queue.run_periodic("media.sweep")
    await house.work()
    assert (await house.rows(sealed))[0]["films"] == FILMS
    for clip_id in clips:
        clip = (await ana.get(f"/api/clips/{clip_id}")).json()
        assert clip["state"] == "published"
        answer = await ana.get(clip["renditions"][-1]["url"])
        assert answer.status_code == 200
        assert len(answer.content) == clip["renditions"][-1]["size_bytes"]


async def test_machine_makes_films_of_a_bucket_and_waits_while_that_is_away(
    house: House, owner_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = films.make(tmp_path / "film.mp4", size="360x640", seconds=1).read_bytes()
    with bucket.serving() as s3:
        for name, value in s3.environment.items():
            monkeypatch.setenv(name, value)
        settings = msgspec.structs.replace(house.settings, blobs="s3://films/a cell")
        cell = House(house.db, settings, house.vault)
        ana = await cell.person("ana")
        answer = await ana.post("/api/clips", json=await ana.draft(film, caption="By the sea"))
        assert answer.status_code == 201, answer.text
        assert {key.partition("/")[0] for key in s3.objects} == {"a cell"}
        s3.is_away = True
        elsewhere = tmp_path / "machine"
        with started(*machine(owner_url, settings.blobs, elsewhere)) as one:
            # It has tried, and the film waits: it is not refused for that.
            held = "SELECT state FROM media.asset WHERE waits_for = 'store'"
            end = time.monotonic() + PATIENCE_S
            while not (waiting := await cell.rows(held)):
                assert time.monotonic() < end, "\n".join(one.console)
                await asyncio.sleep(0.2)
            assert waiting[0]["state"] not in ("refused", "complete")
            told = (await ana.get(f"/api/clips/{answer.json()['id']}")).json()
            assert told["state"] == "processing"
            s3.is_away = False
            end = time.monotonic() + PATIENCE_S
            while await cell.rows("SELECT id FROM media.asset WHERE state <> 'complete'"):
                assert time.monotonic() < end, "\n".join(one.console)
                assert one.process.poll() is None, "\n".join(one.console)
                await asyncio.sleep(0.2)
            assert one.stop(signal.SIGTERM) == 0
        assert none_left(elsewhere) == []
        assert at_work(elsewhere) == set()
        await cell.work()
        clip = (await ana.get(f"/api/clips/{answer.json()['id']}")).json()
        assert clip["state"] == "published"
        for rendition in clip["renditions"]:
            shown = await ana.get(rendition["url"])
            assert shown.status_code == 200
            assert len(shown.content) == rendition["size_bytes"]
            assert shown.content in s3.objects.values()
        # Nothing is left of the upload, and nothing half.
        cell.clock.advance(timedelta(days=2))
        await cell.parts.queue.run_periodic("media.sweep")
        await cell.work()
        assert not [key for key in s3.objects if "/uploads/" in key]
        assert s3.parts == {}
        await cell.close()


@pytest.mark.parametrize(
    ("missing", "named"),
    [("LUCIOLE_BLOBS", "LUCIOLE_BLOBS"), ("LUCIOLE_DATABASE_URL", "LUCIOLE_DATABASE_FILMS_URL")],
)
def test_machine_without_the_cells_places_says_what_is_missing(
    missing: str, named: str, tmp_path: Path
) -> None:
    command, environment = machine("postgresql://cell.example/cell", "s3://films", tmp_path)
    del environment[missing]
    with started(command, environment) as one:
        assert one.process.wait(60) != 0
        assert named in one.wait_for(named, 10)[0]
