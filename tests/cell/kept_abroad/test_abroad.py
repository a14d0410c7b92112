"""A cell's backup in another cell: what comes back from it, and what the other cell can see."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from tests import canary, keeper_keys
from tests.cell.copies.support import COPIED, live
from tests.cell.house import Browser, House
from tests.cell.kept_abroad.support import Abroad, Peer
from tests.cell.messages.phone import Phone, befriend
from tests.cell.rights.support import forget
from tests.cell.test_glass import ADD_PEER
from tests.conftest import later

from luciole.abroad import recovery
from luciole.abroad.fetching import NotThatFar
from luciole.abroad.parcels import ParcelBroken, Unpacker
from luciole.ask.alone import Exchange
from luciole.border.kept import PIECE_BYTES
from luciole.config import CellSettings, Settings
from luciole.keys import KeyFileRefused, KeyStore
from luciole.kit import postgres
from luciole.roots.choose import open_root

# A restore starts a server twice and goes through its log.
pytestmark = pytest.mark.timeout(400)
# What a restore tells the database: entries about it, numbers beyond those that were seen.
CHANGED = {"custody.journal", "custody.subject", "ledger.inbox", "messages.device"}


async def contents(url: str) -> dict[str, list[Any]]:
    owner = await asyncpg.connect(url)
    found = {}
    for one in COPIED:
        rows = await owner.fetch(f"SELECT t::text AS row FROM {one.table} t")
        found[one.table] = sorted(row["row"] for row in rows)
    await owner.close()
    return found


async def test_all_of_a_cell_comes_back_on_an_empty_machine(
    house: House, owner_url: str, abroad: Abroad, sg: Peer, tiny_film: bytes
) -> None:
    await live(house, tiny_film)
    abroad.copy_keys()
    async with abroad.receiving():
        await abroad.send_all()
        # What is written after the base backup comes by the log alone.
        await (await house.person("late")).put("/api/me/contacts/email", json={"value": "l@x.org"})
        abroad.copy_keys()
        await abroad.send_all()
    before = await contents(owner_url)
    settings = abroad.elsewhere()
    said = await abroad.bring_back(settings)
    assert "4 people" in said[-3], said
    home, log = settings.data / "postgres", settings.data / "log" / "postgresql.log"
    async with postgres.embedded_async(home, log=log) as server:
        after = await contents(server.url())
    for table in before.keys() - CHANGED:
        assert after[table] == before[table], table
    for table in CHANGED:
        assert len(after[table]) >= len(before[table]), table
    blobs = house.settings.data / "blobs"
    for path in canary.files(blobs):
        if path.relative_to(blobs).parts[0] == "uploads":
            continue  # what no row refers to any more goes at a restore
        again = settings.data / "blobs" / path.relative_to(blobs)
        assert again.read_bytes() == path.read_bytes()


async def test_other_cell_finds_and_opens_nothing(
    house: House, abroad: Abroad, sg: Peer, tiny_film: bytes
) -> None:
    """With its root, its keys and all that came over the wire. As many fields as make a test; a
    million are in bench/abroad.py."""
    stem, home_id = "quetzalcanary", house.vault.store.cell_id
    # What keeps the pieces is a cell with keys of its own, and with those of its people.
    keeper = Settings(data_dir=str(sg.folder.parent), cell=CellSettings(short_name="sg"))
    assert keeper.trustee_dir == sg.folder
    keeper_keys.settle(keeper, home_id)
    for number in range(12):
        one = await house.person(f"{stem}{number:04}", display_name=f"{stem} {number}")
        await one.patch("/api/me", json={"bio": f"{stem} bio {number}"})
        await one.put("/api/me/contacts/email", json={"value": f"{stem}{number}@example.org"})
    await one.clip(house, tiny_film, caption=f"{stem} caption")
    abroad.copy_keys()
    async with abroad.receiving():
        await abroad.send_all()
    marks = {"stem": stem.encode(), "film": tiny_film[200:264]}
    # The search is not blind: the home's own files have them.
    database = next(path for path in (abroad.server.data_dir / "base").iterdir() if path.is_dir())
    for path in (abroad.server.data_dir / "base").iterdir():
        database = max(database, path, key=lambda each: sum(1 for _ in each.iterdir()))
    home = canary.search(canary.files(database, house.settings.data / "blobs"), marks)
    assert {line.rpartition(": ")[2].rpartition(" (")[0] for line in home} == set(marks)
    assert canary.search(canary.files(keeper.data), marks) == []
    for body in sg.asked:
        assert canary.seen(body, marks) == []
    # All that the other cell has of keys: its real root, and all that this opens.
    keys = keeper_keys.keys_in(keeper, home_id)
    assert {"root and cell secret", "share key", "derived for trustee"} <= keys.keys()
    assert len([name for name in keys if name.startswith(("data key", "half", "epoch"))]) >= 5
    assert keeper_keys.is_blind(keys, min(PIECE_BYTES)) == []
    pieces = [path.read_bytes() for path in canary.files(sg.folder / "backups")]
    assert len(pieces) > 10
    assert {len(piece) for piece in pieces} <= set(PIECE_BYTES)
    for piece in pieces:
        # Nothing of it can be made smaller: it is noise.
        assert len(zlib.compress(piece)) > 0.99 * len(piece)
    tried = keeper_keys.tried(pieces, keys)
    assert (tried.tries, tried.opened) == (len(pieces) * len(keys), [])
    # The key of the operator does.
    receiver, opened = recovery.load(abroad.key_file).receiver, 0
    for piece in pieces:
        with contextlib.suppress(ParcelBroken):
            Unpacker(receiver).take(piece)
            opened += 1
    assert opened > 5
    # The running cell has only the half that seals.
    public = recovery.public_of(abroad.own)
    with pytest.raises(KeyFileRefused):
        recovery.load(abroad.own / recovery.FILE)
    assert not hasattr(public.sealer, "open")


async def test_cell_comes_back_as_it_was_at_a_moment(
    house: House, abroad: Abroad, ana: Browser
) -> None:
    abroad.copy_keys()
    async with abroad.receiving():
        await abroad.send_all()
        await ana.patch("/api/me", json={"bio": "as I was"})
        moment = datetime.now(UTC)
        await asyncio.sleep(0.05)
        await ana.patch("/api/me", json={"bio": "as I am"})
        await house.person("later")
        abroad.copy_keys()
        await abroad.send_all()
    for until, bio, handles in (
        (moment, "as I was", ["ana"]),
        (None, "as I am", ["ana", "later"]),
        (datetime.now(UTC) + timedelta(hours=1), "as I am", ["ana", "later"]),
    ):
        settings = abroad.elsewhere()
        await abroad.bring_back(settings, until)
        rows = await restored(settings, "SELECT handle, bio FROM people.person ORDER BY handle")
        assert [row["handle"] for row in rows] == handles
        assert rows[0]["bio"] == bio
        # Nobody is signed in, nothing waits twice.
        assert await restored(settings, "SELECT 1 FROM people.session") == []
    with pytest.raises(NotThatFar):
        await abroad.bring_back(abroad.elsewhere(), datetime.now(UTC) - timedelta(days=1))


@pytest.mark.parametrize("is_before", [True, later(False)])
async def test_erased_person_stays_away_whatever_moment_is_brought_back(
    is_before: bool,
    house: House,
    abroad: Abroad,
    ana: Browser,
    ben: Browser,
    tiny_film: bytes,
    tmp_path: Path,
) -> None:
    await ana.patch("/api/me", json={"bio": "canary of ana"})
    await ana.put("/api/me/contacts/email", json={"value": "ana@example.org"})
    await ana.clip(house, tiny_film, caption="canary of ana")
    await ben.follow(ana)
    person_id = await house.person_id("ana")
    abroad.copy_keys()
    async with abroad.receiving():
        await abroad.send_all()
        moment = datetime.now(UTC)
        await asyncio.sleep(0.05)
        await forget(house, ana)
        abroad.copy_keys()
        await abroad.send_all()
    marks = {"text": b"canary of ana", "id": person_id.bytes}
    for until in (moment if is_before else None,):
        settings = abroad.elsewhere()
        said = await abroad.bring_back(settings, until)
        if until:
            assert "erased again: 1 people" in said[-3], said
        rows = await restored(settings, "SELECT handle FROM people.person")
        assert [row["handle"] for row in rows] == ["ben"]
        assert await restored(settings, "SELECT 1 FROM clips.clip") == []
        assert await restored(settings, "SELECT 1 FROM graph.follow") == []
        # Not even what a database remembers of deleted rows, nor an object.
        found = canary.search(canary.files(settings.data / "postgres" / "data" / "base"), marks)
        assert found == []
        assert not [
            one for one in canary.files(settings.data / "blobs") if one.stat().st_size > 500
        ]
        with contextlib.closing(
            KeyStore(settings.keys_dir, open_root(**settings.key_place))
        ) as keys:
            # The store of the tests has people of other tests too.
            assert person_id not in keys.everybody()
            assert await house.person_id("ben") in keys.everybody()


ON_ITS_WAY = """
INSERT INTO abroad.crossing (id, person_id, kind, subject_kind, subject_id, peer, operator,
    jurisdiction, uri, body_sha256, state, offered_at, settled_at)
SELECT gen_random_uuid(), $1, k, 'clip', $2, 'sg', 'Somebody', 'SG', 'https://us.example/c/1',
       sha256('x'), s, now() - interval '8 days', CASE WHEN s = 'crossed' THEN now() END
FROM (VALUES ('clip', 'crossed'), ('gone', 'offered')) AS t (k, s)
"""
SALE = """
INSERT INTO house.sale (id, state, operator, jurisdiction, keys, announced_at, not_before)
VALUES (gen_random_uuid(), 'announced', 'New House', 'FR', 'keys', now(), now() + interval '9 days')
"""
PERSONA = "INSERT INTO abroad.persona VALUES ($1, gen_random_uuid(), now())"


async def test_what_was_on_its_way_abroad_is_looked_at_anew_and_a_sale_stays_announced(
    house: House, owner_url: str, abroad: Abroad, ana: Browser, ben: Browser
) -> None:
    person_id, clip_id = await house.person_id("ana"), uuid4()
    owner = await asyncpg.connect(owner_url)
    for whose in (person_id, await house.person_id("ben")):
        await owner.execute(PERSONA, whose)
        await owner.execute(ON_ITS_WAY, whose, clip_id)
    await owner.execute(SALE)
    await owner.execute(ADD_PEER, uuid4(), bytes(32), "GREEN", "cosigned")
    kept = {
        table: sorted(row["r"] for row in await owner.fetch(f"SELECT t::text AS r FROM {table} t"))
        for table in ("abroad.consent", "house.sale", "house.migration")
    }
    # A week without an answer: the person is told, and that it is sent all the same.
    told = (await ana.get("/api/me/crossings")).json()["items"]
    assert {one["kind"]: one["is_owed"] for one in told} == {"clip": False, "gone": True}
    abroad.copy_keys()
    async with abroad.receiving():
        await abroad.send_all()
        await forget(house, ben)
        abroad.copy_keys()
        await abroad.send_all()
    await owner.execute("DELETE FROM house.sale")
    await owner.execute("DELETE FROM border.peer")
    await owner.close()
    settings = abroad.elsewhere()
    asked = Exchange(b"q" * 32, b"a" * 32)
    await abroad.bring_back(settings, asked=("https://border.sg.example", [asked]))
    # What the keeper was asked without a gateway is told by the log of crossings.
    sql = "SELECT peer, is_ours, kind, asked, answered FROM border.exchange"
    told = [tuple(row) for row in await restored(settings, sql)]
    assert told == [("sg", True, "backup", *asked)]
    sql = "SELECT person_id, kind, state FROM abroad.crossing ORDER BY kind"
    rows = [tuple(row) for row in await restored(settings, sql)]
    # The recall does not count as sent any more, and the clip as being there: it is called back
    # anew. Of whoever was erased nothing is left.
    assert rows == [(person_id, "clip", "crossed"), (person_id, "gone", "replaced")]
    stale = await restored(settings, "SELECT kind, id FROM abroad.stale WHERE kind = 'clip'")
    assert ("clip", clip_id) in [tuple(row) for row in stale]
    for table, before in kept.items():
        found = await restored(settings, f"SELECT t::text AS r FROM {table} t")
        assert sorted(row["r"] for row in found) == before, table
    personas = await restored(settings, "SELECT person_id FROM abroad.persona")
    assert [row["person_id"] for row in personas] == [person_id]


async def test_conversations_begin_anew(house: House, abroad: Abroad) -> None:
    """Devices are further than the restored epochs: those would never take their messages."""
    ana, ben = await house.person("ana"), await house.person("ben")
    await befriend(ana, ben)
    anas, bens = await Phone.of(house, ana), await Phone.of(house, ben)
    pair = await anas.talk("pair", bens)
    await anas.send(pair)
    before = await house.rows("SELECT id, next_n FROM messages.device ORDER BY id")
    abroad.copy_keys()
    async with abroad.receiving():
        await abroad.send_all()
    settings = abroad.elsewhere()
    await abroad.bring_back(settings)
    for table in ("conversation", "member", "seat", "envelope", "delivery"):
        assert await restored(settings, f"SELECT 1 FROM messages.{table}") == [], table
    after = await restored(settings, "SELECT id, next_n FROM messages.device ORDER BY id")
    assert [row["id"] for row in after] == [row["id"] for row in before]
    assert all(row["next_n"] > 10**8 for row in after)


class Killed(BaseException):
    """The process is gone at this point."""


@pytest.mark.parametrize(
    "at",
    [
        "put 1",
        *(later(step) for step in ("noted", "objects", "put 2", "log", "base", "head")),
    ],
)
async def test_shipper_that_is_killed_loses_nothing(
    house: House, abroad: Abroad, sg: Peer, ana: Browser, at: str
) -> None:
    abroad.copy_keys()
    left = int(at.split()[1]) if at.startswith("put") else 0

    def stop(step: str) -> None:
        if step == at:
            raise Killed

    async def ask(body: bytes) -> bytes:
        nonlocal left
        answer = await sg.ask(body)
        if at.startswith("put") and b"\xa3put" in body[:8]:
            left -= 1
            if left == 0:
                # It has arrived, and nobody hears of it.
                raise Killed
        return answer

    async with abroad.receiving():
        await ana.patch("/api/me", json={"bio": "before"})
        abroad.ask, abroad.step = ask, stop
        abroad.begin()
        with pytest.raises(Killed):
            await abroad.send_all()
        # Not closed: whatever was not committed is gone.
        abroad.state._db.rollback()
        abroad.state.close()
        abroad.ask, abroad.step = sg.ask, lambda step: None
        abroad.begin()
        await ana.patch("/api/me", json={"bio": "after"})
        await abroad.send_all()
    settings = abroad.elsewhere()
    await abroad.bring_back(settings)
    (row,) = await restored(settings, "SELECT bio FROM people.person")
    assert row["bio"] == "after"
    # What was cut off is not there for ever.
    names = {one.name for one in canary.files(sg.folder / "backups")}
    ours = {n.hex() for one in abroad.state.every() for n in abroad.shipping._names_of(one)}
    kept = sg.backups._db.execute("SELECT name FROM piece WHERE dropped_at IS NULL").fetchall()
    assert {bytes(row[0]).hex() for row in kept} == ours
    assert ours <= names


async def test_after_a_gap_a_new_base_backup_goes_on(
    house: House, abroad: Abroad, ana: Browser
) -> None:
    abroad.copy_keys()
    async with abroad.receiving():
        await abroad.send_all()
    # Nobody received for a while, and the server has no slot for us any more.
    await ana.patch("/api/me", json={"bio": "lost for the old chain"})
    abroad.spool.clear()
    async with abroad.receiving():
        abroad.shipping.begin_chain()
        await abroad.shipping.send_base()
        await ana.patch("/api/me", json={"bio": "of the new chain"})
        await abroad.send_all()
    assert len({one.chain for one in abroad.shipping.whole_bases()}) == 2
    settings = abroad.elsewhere()
    await abroad.bring_back(settings)
    (row,) = await restored(settings, "SELECT bio FROM people.person")
    assert row["bio"] == "of the new chain"


async def restored(settings: Settings, query: str) -> list[Any]:
    home, log = settings.data / "postgres", settings.data / "log" / "postgresql.log"
    async with postgres.embedded_async(home, log=log) as server:
        owner = await asyncpg.connect(server.url())
        rows = list(await owner.fetch(query))
        await owner.close()
    return rows
