"""Backups: what comes back, and who does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests import canary
from tests.cell.copies.support import (
    FILES_OF_A_CLIP,
    back_up,
    bring_back,
    contents,
    contents_of,
    live,
    restore_of,
)
from tests.cell.house import Browser, House
from tests.cell.rights.support import forget, workshop_of

from luciole.copies import model
from luciole.copies.backup import Backup, BeingWritten
from luciole.copies.model import Damaged, Manifest, NoBackup, NotEmpty, OtherCell
from luciole.copies.restore import Restore


async def test_cell_comes_back_whole(
    house: House, tiny_film: bytes, owner_url: str, elsewhere: str, tmp_path: Path
) -> None:
    people = await live(house, tiny_film)
    await people[0].draft(tiny_film)
    # The grants of the backup itself come before the state that is copied.
    made = await back_up(house, owner_url, tmp_path / "backup")
    before = await contents(owner_url)
    assert (made.unsealed, made.gone) == (0, 0)
    done = await bring_back(house, tmp_path / "backup", elsewhere, tmp_path)
    assert (done.persons, done.erased, done.skipped_rows) == (3, 0, 0)
    after = await contents(elsewhere)
    for table, rows in before.items():
        if table not in ("custody.subject", "custody.journal", "ledger.inbox", "media.unclaimed"):
            assert after[table] == rows, table
    # One more entry for each: that they were put back.
    assert len(after["custody.journal"]) == len(before["custody.journal"]) + 3
    assert set(before["custody.journal"]) <= set(after["custody.journal"])
    for path in canary.files(tmp_path / "blobs-elsewhere"):
        name = path.relative_to(tmp_path / "blobs-elsewhere")
        assert path.read_bytes() == (house.settings.data / "blobs" / name).read_bytes()
    assert done.objects == len(list(canary.files(tmp_path / "blobs-elsewhere"))) > 6


async def test_erased_person_does_not_come_back_and_all_others_do(
    house: House, tiny_film: bytes, owner_url: str, elsewhere: str, tmp_path: Path
) -> None:
    ana, *_ = await live(house, tiny_film)
    person_id = await house.person_id("ana")
    await back_up(house, owner_url, tmp_path / "backup")
    await forget(house, ana)
    house.vault.store.rotate()
    done = await bring_back(house, tmp_path / "backup", elsewhere, tmp_path)
    assert (done.persons, done.erased) == (2, 1)
    assert done.skipped_rows > 10
    assert done.skipped_objects == FILES_OF_A_CLIP
    owner = await asyncpg.connect(elsewhere)
    handles = [row["handle"] for row in await owner.fetch("SELECT handle FROM people.person")]
    assert sorted(handles) == ["ben", "eve"]
    # What the handle looks like stays taken, by nobody.
    taken = await owner.fetch("SELECT likeness, person_id FROM people.handle_taken")
    assert {row["likeness"]: row["person_id"] is None for row in taken} == {
        "ana": True,
        "ben": False,
        "eve": False,
    }
    for row in await owner.fetch("SELECT followers, following FROM graph.tally"):
        assert (row["followers"], row["following"]) == (1, 1)
    assert {row["likes"] for row in await owner.fetch("SELECT likes FROM clips.clip")} == {2}
    await owner.close()
    # Nothing names the person: not the restored rows, not the backup under all keys of today.
    marks = {"id": person_id.bytes, "id as text": str(person_id).encode(), "word": b"by ana"}
    restored = "\n".join(row for rows in (await contents(elsewhere)).values() for row in rows)
    assert canary.seen(restored.encode(), marks) == []
    restore = restore_of(
        house, tmp_path / "backup", elsewhere, house.parts.blobs, tmp_path / "work"
    )
    opened = b"".join(
        line for part in restore.manifest.tables for line in restore._backup.lines(part)
    )
    assert canary.seen(opened, marks) == []
    assert canary.search(canary.files(tmp_path / "backup"), marks) == []


async def test_backup_shows_nothing_to_who_has_no_keys(
    house: House, tiny_film: bytes, owner_url: str, tmp_path: Path
) -> None:
    await live(house, tiny_film)
    await back_up(house, owner_url, tmp_path / "backup")
    rows = await house.rows("SELECT id, handle FROM people.person")
    marks = {row["handle"]: row["id"].bytes for row in rows}
    marks |= {"film": tiny_film[1000:1064], "words": b"by ana", "address": b"example.org"}
    tokens = await house.rows("SELECT token FROM media.asset")
    marks |= {f"token {n}": row["token"].encode() for n, row in enumerate(tokens)}
    assert canary.search(canary.files(tmp_path / "backup"), marks) == []


async def test_second_backup_writes_only_new_objects_and_drops_old_ones(
    house: House, tiny_film: bytes, owner_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    people = await live(house, tiny_film)
    await back_up(house, owner_url, folder)
    first = {path: path.stat().st_mtime_ns for path in canary.files(folder / "objects")}
    clips = (await people[0].get("/api/people/ana/clips")).json()["items"]
    await people[0].delete(f"/api/clips/{clips[0]['id']}")
    await people[1].clip(house, tiny_film)
    made = await back_up(house, owner_url, folder)
    second = {path: path.stat().st_mtime_ns for path in canary.files(folder / "objects")}
    kept = set(first) & set(second)
    assert all(first[path] == second[path] for path in kept)
    assert len(set(first) - set(second)) == len(set(second) - set(first)) == FILES_OF_A_CLIP
    assert [path.name for path in folder.glob("rows-*")] == [made.rows_dir]


async def test_backup_that_is_cut_off_leaves_the_former_one(
    house: House,
    ana: Browser,
    tiny_film: bytes,
    owner_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "backup"
    first = await back_up(house, owner_url, folder)
    await ana.clip(house, tiny_film)

    async def cut(*_: Any) -> int:
        raise OSError("no room")

    monkeypatch.setattr(Backup, "_write_object", cut)
    with pytest.raises(OSError, match="no room"):
        await back_up(house, owner_url, folder)
    assert model.read(folder) == first
    assert [path.name for path in folder.glob("rows-*")] == [first.rows_dir]
    monkeypatch.undo()
    assert (await back_up(house, owner_url, folder)).id != first.id


async def test_two_backups_into_one_folder_take_turns(
    house: House, ana: Browser, owner_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Backup._write

    async def meanwhile(backup: Backup, rows: Path) -> Manifest:
        with pytest.raises(BeingWritten):
            await back_up(house, owner_url, tmp_path / "backup")
        return await write(backup, rows)

    monkeypatch.setattr(Backup, "_write", meanwhile)
    await back_up(house, owner_url, tmp_path / "backup")


async def test_film_whose_address_changes_meanwhile_is_in_the_backup(
    house: House,
    ana: Browser,
    tiny_film: bytes,
    owner_url: str,
    elsewhere: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await ana.clip(house, tiny_film)
    copy = Backup._copy_objects

    async def meanwhile(backup: Backup, rows: Path) -> Any:
        await ana.patch("/api/me", json={"is_private": True})
        await house.work()
        await workshop_of(house).sweep_objects()
        return await copy(backup, rows)

    monkeypatch.setattr(Backup, "_copy_objects", meanwhile)
    made = await back_up(house, owner_url, tmp_path / "backup")
    assert made.gone == 0
    done = await bring_back(house, tmp_path / "backup", elsewhere, tmp_path)
    assert done.objects == FILES_OF_A_CLIP
    for (key,) in await contents_of(elsewhere, "SELECT object_key FROM media.file"):
        assert (tmp_path / "blobs-elsewhere" / key).exists()


# What is refused


async def test_database_with_people_is_not_filled(
    house: House, ana: Browser, owner_url: str, tmp_path: Path
) -> None:
    await back_up(house, owner_url, tmp_path / "backup")
    with pytest.raises(NotEmpty):
        await bring_back(house, tmp_path / "backup", owner_url, tmp_path)


async def test_folder_without_a_backup_is_refused(
    house: House, owner_url: str, tmp_path: Path
) -> None:
    with pytest.raises(NoBackup):
        restore_of(house, tmp_path, owner_url, house.parts.blobs, tmp_path / "work")


async def test_backup_of_another_cell_is_refused(
    house: House, ana: Browser, owner_url: str, tmp_path: Path
) -> None:
    await back_up(house, owner_url, tmp_path / "backup")
    path = tmp_path / "backup" / model.MANIFEST
    text = path.read_text()
    path.write_text(text.replace(str(house.vault.store.cell_id), str(await house.person_id("ana"))))
    with pytest.raises(OtherCell):
        restore_of(house, tmp_path / "backup", owner_url, house.parts.blobs, tmp_path / "work")


@pytest.mark.parametrize("damage", ["rows", "object", "cut"])
async def test_damaged_backup_fills_nothing(
    house: House,
    ana: Browser,
    tiny_film: bytes,
    owner_url: str,
    elsewhere: str,
    tmp_path: Path,
    damage: str,
) -> None:
    await ana.clip(house, tiny_film)
    folder = tmp_path / "backup"
    made = await back_up(house, owner_url, folder)
    path = folder / made.rows_dir / "clips.clip"
    if damage != "rows":
        path = next(canary.files(folder / "objects"))
    data = bytearray(path.read_bytes())
    if damage == "cut":
        del data[-40:]
    else:
        data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(Damaged):
        await bring_back(house, folder, elsewhere, tmp_path)
    owner = await asyncpg.connect(elsewhere)
    assert await owner.fetch("SELECT FROM people.person") == []
    await owner.close()


async def test_restore_can_be_started_again(
    house: House,
    ana: Browser,
    tiny_film: bytes,
    owner_url: str,
    elsewhere: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await ana.clip(house, tiny_film)
    await back_up(house, owner_url, tmp_path / "backup")
    fill = Restore._fill

    async def cut(restore: Restore, *args: Any) -> Any:
        await fill(restore, *args)
        raise OSError("the power is gone")

    monkeypatch.setattr(Restore, "_fill", cut)
    with pytest.raises(OSError, match="power"):
        await bring_back(house, tmp_path / "backup", elsewhere, tmp_path)
    monkeypatch.undo()
    assert (await bring_back(house, tmp_path / "backup", elsewhere, tmp_path)).persons == 1
