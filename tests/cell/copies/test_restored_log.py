"""A database that goes back, and a log that does not."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest
from tests.cell.copies.support import (
    back_up,
    contents_of,
    restore_of,
)
from tests.cell.house import Browser, House
from tests.cell.rights.log import Log
from tests.cell.rights.support import forget

from luciole.copies.restore import Restore
from luciole.keys import KeyStore, NoKey
from luciole.ledger import entry


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


async def test_erased_person_stays_away_though_an_old_key_store_is_put_back(
    house: House,
    log: Log,
    ana: Browser,
    ben: Browser,
    owner_url: str,
    elsewhere: str,
    tmp_path: Path,
) -> None:
    """The disk breaks after an erasure; the copy of the keys was made before it."""
    await log.take()
    person_id = await house.person_id("ana")
    await back_up(house, owner_url, tmp_path / "backup")
    store = house.vault.store
    shutil.copytree(store.folder, tmp_path / "keys")
    await forget(house, ana)
    await log.take()
    head = await house.parts.blobs.get("ledger/access/checkpoint")
    await house.parts.blobs.put("ledger/access/pending", head)
    (tmp_path / "work").mkdir()
    with contextlib.closing(KeyStore(tmp_path / "keys", store._root)) as old:
        assert old.data_key(person_id)
        restore = Restore(
            tmp_path / "backup", elsewhere, house.parts.blobs, old, house.clock, tmp_path / "work"
        )
        done = await restore.run()
        with pytest.raises(NoKey):
            old.data_key(person_id)
    assert (done.persons, done.erased) == (1, 1)
    rows = await contents_of(elsewhere, "SELECT handle FROM people.person")
    assert [row["handle"] for row in rows] == ["ben"]
