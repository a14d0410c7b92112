"""Backups: what comes back, and who does not."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests import canary
from tests.cell.house import Browser, House
from tests.cell.rights.log import Log
from tests.cell.rights.support import forget

from luciole import catalogue
from luciole.cell.rights.log_reader import LogReader
from luciole.copies import model
from luciole.copies.backup import Backup, BeingWritten
from luciole.copies.model import Damaged, Manifest, NoBackup, NotEmpty, OtherCell
from luciole.copies.restore import Restore, Restored
from luciole.kit import postgres
from luciole.kit.blobs import Blobs
from luciole.kit.db import Database
from luciole.kit.postgres import Server
from luciole.kit.postgres_logins import SUPERUSER
from luciole.ledger import entry
from luciole.ledger.note import KeyKind, Signer

from tests.conftest import NOT_DURABLE  # isort: skip

_names = itertools.count(1)
COPIED = [one for one in catalogue.OWNED if not one.stays]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Another machine's PostgreSQL, empty."""
    home = tmp_path_factory.mktemp("elsewhere")
    with postgres.embedded(home, settings=NOT_DURABLE) as running:
        yield running


@pytest.fixture
async def elsewhere(server: Server) -> str:
    """The owner's URL of an empty database there."""
    name = f"restored_{next(_names)}"
    superuser = await asyncpg.connect(server.url(SUPERUSER, "postgres"))
    await superuser.execute(f"CREATE DATABASE {name} OWNER {server.logins.owner}")
    await superuser.close()
    return server.url(database=name)


@pytest.fixture
def log(house: House, pools: tuple[Database, ...], monkeypatch: pytest.MonkeyPatch) -> Log:
    """The log of the house, signed with the key that it has in a real one."""
    blobs, secret = house.parts.blobs, house.vault.store.secret
    monkeypatch.setattr(house.parts.journal, "_log", LogReader(blobs))
    made = Log(pools[0], blobs, secret.cell_id)
    made.signer = Signer(
        made.signer.verifier.name, KeyKind.ED25519, secret.derived("ledger/access")
    )
    return made


async def back_up(house: House, owner_url: str, folder: Path) -> Manifest:
    custody = house.vault.custody(house.clock)
    return await Backup(folder, owner_url, house.parts.blobs, custody, house.clock).run()


def restore_of(house: House, folder: Path, url: str, blobs: Blobs, work: Path) -> Restore:
    work.mkdir(exist_ok=True)
    return Restore(folder, url, blobs, house.vault.store, house.clock, work)


async def bring_back(house: House, folder: Path, url: str, tmp_path: Path) -> Restored:
    """Restores next to an empty object store."""
    blobs = Blobs.open(str(tmp_path / "blobs-elsewhere"))
    return await restore_of(house, folder, url, blobs, tmp_path / "work").run()


async def contents(url: str) -> dict[str, list[Any]]:
    """Every row of every copied table."""
    owner = await asyncpg.connect(url)
    found = {}
    for one in COPIED:
        rows = await owner.fetch(f"SELECT t::text AS row FROM {one.table} t")
        found[one.table] = sorted(row["row"] for row in rows)
    await owner.close()
    return found


async def live(house: House, film: bytes) -> list[Browser]:
    """Three people with clips, who know each other."""
    people = [await house.person(handle) for handle in ("ana", "ben", "eve")]
    clips = [await one.clip(house, film, caption=f"by {one.handle}\ttab\\n") for one in people]
    for one in people:
        await one.put("/api/me/contacts/email", json={"value": f"{one.handle}@example.org"})
        for other, clip in zip(people, clips, strict=True):
            await one.put(f"/api/clips/{clip['id']}/like")
            if other is not one:
                await one.follow(other)
    return people


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
    assert done.skipped_objects == 2
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
    assert len(set(first) - set(second)) == len(set(second) - set(first)) == 2
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
        from tests.cell.rights.support import workshop_of

        await workshop_of(house).sweep_objects()
        return await copy(backup, rows)

    monkeypatch.setattr(Backup, "_copy_objects", meanwhile)
    made = await back_up(house, owner_url, tmp_path / "backup")
    assert made.gone == 0
    done = await bring_back(house, tmp_path / "backup", elsewhere, tmp_path)
    assert done.objects == 2
    for (key,) in await contents_of(elsewhere, "SELECT object_key FROM media.file"):
        assert (tmp_path / "blobs-elsewhere" / key).exists()


async def contents_of(url: str, query: str) -> list[Any]:
    owner = await asyncpg.connect(url)
    rows = await owner.fetch(query)
    await owner.close()
    return list(rows)


async def test_numbers_that_the_log_has_given_out_are_not_given_again(
    house: House,
    log: Log,
    ana: Browser,
    owner_url: str,
    elsewhere: str,
    tmp_path: Path,
) -> None:
    await log.take()
    await back_up(house, owner_url, tmp_path / "backup")
    for _ in range(3):
        again = house.visitor()
        body = {"handle": "ana", "password": "seven turquoise herons"}
        await again.post("/api/sessions", json=body)
        await again.get("/api/me/contacts")
    await log.take()
    head = await house.parts.blobs.get("ledger/access/checkpoint")
    await house.parts.blobs.put("ledger/access/pending", head)
    done = await restore_of(
        house, tmp_path / "backup", elsewhere, house.parts.blobs, tmp_path / "work"
    ).run()
    # The grants of the three sessions.
    assert done.missed == 3
    label_key = house.vault.store.label_key(await house.person_id("ana"))
    rows = await contents_of(
        elsewhere,
        "SELECT j.n, j.leaf, j.sealed, p.idx FROM custody.journal j "
        "LEFT JOIN ledger.place p ON p.ref = j.ref ORDER BY j.n",
    )
    assert [row["n"] for row in rows] == list(range(len(rows)))
    for row in rows:
        leaf = entry.decode(row["leaf"])
        assert isinstance(leaf, entry.PersonEntry)
        assert leaf.label == entry.label_of(label_key, row["n"])
    # Before them, what the backup has; after them, the entry about the restore, which is new.
    *kept, _, _, _, last = rows
    assert all(row["sealed"] for row in kept)
    assert [(row["idx"], row["sealed"]) for row in rows[-4:-1]] == [(n, b"") for n in (3, 4, 5)]
    assert last["idx"] is None


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
