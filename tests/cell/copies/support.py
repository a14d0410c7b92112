"""What the tests of backups share: another PostgreSQL, backing up and bringing back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
from tests.cell.house import Browser, House

from luciole import catalogue
from luciole.copies.backup import Backup
from luciole.copies.model import Manifest
from luciole.copies.restore import Restore, Restored
from luciole.kit.blobs import Blobs

# The film and the same as a fragmented file, a poster of both kinds, a moving preview.
FILES_OF_A_CLIP = 5
COPIED = [one for one in catalogue.OWNED if not one.stays]


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


async def contents_of(url: str, query: str) -> list[Any]:
    owner = await asyncpg.connect(url)
    rows = await owner.fetch(query)
    await owner.close()
    return list(rows)
