"""What the cell has to be rid of before a film can be made: it waits, says so, and goes on by
itself. The faults are real ones: a disk without room, a folder of objects that is elsewhere, an
object store that does not answer."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cell.house import Browser, House

from luciole.cell.media import fence, held
from luciole.cell.media.held import Held, storing
from luciole.kit.blobs import Blobs

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)


@contextlib.contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[None]:
    """A disk of that size in the place of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={mib}m,mode=700"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("NO DISK CAN BE MOUNTED HERE (that takes root): a full one is not tried.")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def leave_room_for(folder: Path, source_bytes: int) -> None:
    """Fills the disk: the source finds room, and a block of what is made of it."""
    disk = os.statvfs(folder)
    blocks = disk.f_bfree - -(-source_bytes // disk.f_bsize) - 1
    (folder / "ballast").write_bytes(bytes(blocks * disk.f_bsize))


async def begun(house: House, author: Browser, film: bytes, **fields: Any) -> str:
    """A clip of the film, after all work that could be done."""
    answer = await author.post("/api/clips", json=await author.draft(film, **fields))
    assert answer.status_code == 201, answer.text
    await house.work()
    return str(answer.json()["id"])


async def look(author: Browser, clip_id: str) -> dict[str, Any]:
    return dict((await author.get(f"/api/clips/{clip_id}")).json())


async def goes_on(house: House, author: Browser, clip_id: str) -> None:
    """With the next sweep, and without a crash that counts against the film."""
    await house.parts.queue.run_periodic("media.sweep")
    await house.work()
    clip = await look(author, clip_id)
    assert (clip["state"], clip["way"]) == ("published", None)
    assert await house.rows("SELECT crashes FROM media.asset WHERE crashes > 0") == []
    assert list((house.settings.work_dir / "media").glob("*")) == []


async def waits(author: Browser, clip_id: str, cause: str) -> None:
    clip = await look(author, clip_id)
    assert (clip["state"], clip["refusal"]) == ("processing", None)
    assert clip["way"]["waits_for"] == cause
    assert clip["way"]["left_s"] is None


async def test_full_disk_is_waited_for_and_no_work_is_begun(
    house: House, ana: Browser, tiny_film: bytes
) -> None:
    with small_disk(house.settings.work_dir / "media", 16):
        clip_id = await begun(house, ana, tiny_film)
        await waits(ana, clip_id, "disk")
        for _ in range(4):  # however long it takes
            await house.parts.queue.run_periodic("media.sweep")
            await house.work()
        await waits(ana, clip_id, "disk")
    await goes_on(house, ana, clip_id)


async def test_disk_that_becomes_full_in_the_middle_of_encoding_is_no_fault_of_the_film(
    house: House, ana: Browser, tiny_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = house.settings.work_dir / "media"
    with small_disk(folder, 1), monkeypatch.context() as patch:
        patch.setattr(held, "LEAST_FREE_BYTES", 0)
        patch.setattr(held, "TIMES_ITS_SIZE", 0)
        leave_room_for(folder, len(tiny_film))
        # Another part than elsewhere, so that it is really encoded.
        clip_id = await begun(house, ana, tiny_film, trim_start_ms=40)
        await waits(ana, clip_id, "disk")
    await goes_on(house, ana, clip_id)


async def test_folder_of_objects_that_is_gone_is_waited_for(
    house: House, ana: Browser, tiny_film: bytes
) -> None:
    answer = await ana.post("/api/clips", json=await ana.draft(tiny_film))
    clip_id = answer.json()["id"]
    place = Path(house.settings.blobs_place)
    place.rename(place.with_name("elsewhere"))
    try:
        await house.work()
        await waits(ana, clip_id, "store")
    finally:
        if place.exists():
            place.rmdir()
        place.with_name("elsewhere").rename(place)
    await goes_on(house, ana, clip_id)


# What makes a film one from before, and what says that it was caught up on.
BEFORE = {
    "looks": [
        "UPDATE media.asset SET thumbhash = NULL",
        "DELETE FROM media.file WHERE kind IN ('avif-poster', 'preview')",
    ],
    "segments": [
        "DELETE FROM media.file WHERE kind = 'segments'",
        "UPDATE media.file SET index = NULL",
    ],
}
CAUGHT_UP = {
    "looks": "SELECT id FROM media.asset WHERE thumbhash IS NOT NULL",
    "segments": "SELECT asset_id FROM media.file WHERE kind = 'rendition' AND index IS NOT NULL",
}


@pytest.mark.parametrize("what", BEFORE)
@pytest.mark.parametrize("fault", ["disk", "store"])
async def test_work_on_finished_films_waits_too(
    house: House, ana: Browser, tiny_film: bytes, what: str, fault: str
) -> None:
    clip_id = await begun(house, ana, tiny_film)
    for query in BEFORE[what]:
        await house.rows(query)
    [film] = await house.rows("SELECT size_bytes FROM media.file WHERE kind = 'rendition'")
    folder, place = house.settings.work_dir / "media", Path(house.settings.blobs_place)
    with contextlib.ExitStack() as faults:
        if fault == "disk":
            faults.enter_context(small_disk(folder, 1))
            leave_room_for(folder, film["size_bytes"])
        else:
            away = place.rename(place.with_name("elsewhere"))
            faults.callback(away.rename, place)
            # A store makes its folder again, in the place where it should be.
            faults.callback(shutil.rmtree, place, ignore_errors=True)
        for _ in range(4):  # however long it takes
            await house.parts.queue.run_periodic("media.sweep")
            await house.work()
        assert await house.rows(CAUGHT_UP[what]) == []
        assert (await look(ana, clip_id))["state"] == "published"
    await goes_on(house, ana, clip_id)
    assert len(await house.rows(CAUGHT_UP[what])) == 1


async def test_objects_that_never_come_back_are_an_end_some_day(
    house: House, ana: Browser, tiny_film: bytes
) -> None:
    answer = await ana.post("/api/clips", json=await ana.draft(tiny_film))
    clip_id = answer.json()["id"]
    for piece in (Path(house.settings.blobs_place) / "uploads").rglob("*"):
        if piece.is_file():
            piece.unlink()
    await house.work()
    await waits(ana, clip_id, "store")
    house.clock.advance(timedelta(hours=house.settings.media.upload_hours + 1))
    await house.parts.queue.run_periodic("media.sweep")
    await house.work()
    clip = await look(ana, clip_id)
    assert (clip["state"], clip["refusal"]["code"]) == ("refused", "cannot-be-read")


async def test_store_that_does_not_answer_is_known_within_the_minute(
    monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused_tcp_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    blobs = Blobs.open("s3://films/cell")
    began = time.monotonic()
    with pytest.raises(Held, match="store"), storing():
        await blobs.get("uploads/a")
    assert time.monotonic() - began < 60
