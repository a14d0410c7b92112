"""A sale that is stopped anywhere, and one that is not right."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests import canary
from tests.cell.house import House
from tests.cell.sale.support import MARKS, Town, counts, fetch, sign_in, take_in
from tests.ledger.house import Stop, stopping_at

from luciole.keys import KeyFileRefused
from luciole.kit.db import Database
from luciole.ledger.note import KeyKind, Signer
from luciole.ledger.policy import Party, Policy
from luciole.sale import announcing, standing
from luciole.sale.buyer import BadBuyer, Buyer, BuyerKey, BuyerKeyExists
from luciole.sale.divest import carried
from luciole.sale.model import (
    AdoptNotEmpty,
    BadBundle,
    BundleDiffers,
    NotAnnounced,
    NotForUs,
    NotWhole,
    OtherBuyer,
    PastReturn,
    SaleUnderWay,
    TooEarly,
)
from luciole.sale.standing import Divested

BEFORE = ["noted", "drained", "rows", "keys", "objects", "written"]
AFTER = [
    "begun",
    "committed",
    "handed over access",
    "handed over border",
    "handed over decisions",
    "ledger",
    "manifest",
]


async def ready(town: Town, film: bytes) -> None:
    await town.live(film)
    await town.announce()
    town.house.clock.advance(timedelta(days=31))


# Divesting


async def test_stop_before_the_handover_leaves_the_old_cell_whole(
    town: Town, tiny_film: bytes
) -> None:
    await ready(town, tiny_film)
    for step in BEFORE:
        with pytest.raises(Stop):
            await town.divest(stopping_at(step))
        await standing.require_ours(town.owner_url)
        with pytest.raises((NotWhole, FileNotFoundError)):
            await town.adopt("postgresql:///nothing")
        again = await sign_in(town.house, "ana")
        assert len((await again.get("/api/me/contacts")).json()["items"]) == 2
        await take_in(town.owner_url, town.house)
    # Everybody's journal tells of it once, however often it was tried.
    notes = await fetch(
        town.owner_url,
        "SELECT person_id, count(*) AS n FROM notify.line WHERE kind = 'operator-change' "
        "GROUP BY person_id",
    )
    assert [row["n"] for row in notes] == [1, 1, 1]
    ana = await sign_in(town.house, "ana")
    items = (await ana.get("/api/me/journal")).json()["items"]
    assert [one["purpose"] for one in items].count("sale") == 1
    # The sale can be taken back, and the cell goes on.
    database = await Database.open(town.owner_url, size=1)
    await announcing.cancel(database, town.house.clock.now())
    await database.close()
    with pytest.raises(NotAnnounced):
        await town.divest()


@pytest.mark.parametrize("step", AFTER)
async def test_stop_after_the_handover_began_is_finished_by_the_next_run(
    town: Town, tiny_film: bytes, elsewhere: str, step: str
) -> None:
    await ready(town, tiny_film)
    is_late: list[str] = []

    def at(reached: str) -> None:
        # The first rounds of the log are those that take in what waits.
        is_late.extend([reached] if reached == "begun" else [])
        if reached == step and (is_late or step == "begun"):
            raise Stop(step)

    with pytest.raises(Stop):
        await town.divest(at)
    if step != "manifest":
        with pytest.raises(NotWhole):
            await town.adopt(elsewhere)
    with pytest.raises(PastReturn):
        await standing.require_ours(town.owner_url)
    other = town.divest_of()
    other._folder = town.folder / "another"
    with pytest.raises(BundleDiffers):
        await other.run(town.buyer())
    await town.divest()
    with pytest.raises(Divested):
        await standing.require_ours(town.owner_url)
    # Once more changes nothing.
    await town.divest()
    done = await town.adopt(elsewhere)
    assert done.persons == 3


async def test_what_is_said_before_is_what_is_done(town: Town, tiny_film: bytes) -> None:
    await town.live(tiny_film)
    with pytest.raises(NotAnnounced):
        await town.divest()
    assert await town.announce(days=30) == 3
    with pytest.raises(SaleUnderWay):
        await town.announce()
    with pytest.raises(TooEarly, match="sale-too-early") as early:
        await town.divest()
    assert "UTC to leave" in early.value.sentence
    town.house.clock.advance(timedelta(days=30, seconds=1))
    with pytest.raises(OtherBuyer):
        await town.divest_of().run(town.buyer("somebody"))
    assert not town.bundle.exists()
    await town.divest()
    said = [
        json.loads(row["entry"])["kind"]
        for row in await fetch(town.owner_url, "SELECT entry FROM ledger.inbox ORDER BY id")
    ]
    assert said == []


# Adopting


async def test_stop_while_adopting_is_finished_by_the_next_run(
    town: Town, tiny_film: bytes, elsewhere: str
) -> None:
    await town.sell(tiny_film)
    expected = await counts(town.owner_url, carried())
    for step in ("keys", "objects", "filled", "rows", "logs"):
        with pytest.raises(Stop):
            await town.adopt(elsewhere, stopping_at(step))
    done = await town.adopt(elsewhere)
    assert await town.adopt(elsewhere) == done
    after = await counts(elsewhere, carried())
    for table in ("custody.journal", "notify.line", "notify.notification"):
        expected[table] += 3
    assert after == expected
    buyer = await town.boot(elsewhere)
    try:
        await take_in(elsewhere, buyer)
    finally:
        await town.shut(buyer)
    # Now that the logs have gone on, nothing is put back any more.
    blobs = town.folder / "buyer" / "blobs"
    (gone,) = list(canary.files(blobs / "p"))[:1]
    gone.unlink()
    assert await town.adopt(elsewhere) == done
    assert not gone.exists()


async def test_bundle_is_for_one_key_and_one_empty_place(
    town: Town, tiny_film: bytes, elsewhere: str
) -> None:
    await town.sell(tiny_film)
    with pytest.raises(NotForUs):
        await town.adopt_of(elsewhere, key=town.buyer_key("another")).run()
    strange = Signer(f"luciole/{town.buyer().cell_id}/access", KeyKind.ED25519, b"s" * 32)
    policy = Policy([Party(strange.verifier, None)], quorum="none")
    with pytest.raises(BadBundle, match="sale-bad-bundle") as refused:
        await town.adopt_of(elsewhere, policy=policy).run()
    assert "Another cell has made" in refused.value.sentence
    with pytest.raises(AdoptNotEmpty):
        await town.adopt(town.owner_url)
    # Keys of another cell in the place.
    keys = town.settings.keys_dir
    keys.mkdir(parents=True, mode=0o700)
    shutil.copy(town.house.vault.store.folder / "share.wrapped", keys)
    (keys / "root.key").write_text(
        "luciole-root-key-v1 01a21a64-91f0-7491-9445-1046a79ecf90 " + "A" * 43 + "=\n"
    )
    (keys / "root.key").chmod(0o600)
    with pytest.raises((AdoptNotEmpty, KeyFileRefused)):
        await town.adopt(elsewhere)


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def an_object(bundle: Path) -> Path:
    return next(path for path in sorted((bundle / "objects").rglob("*")) if path.is_file())


def newest(folder: Path) -> Path:
    return max(folder.iterdir(), key=lambda path: int(path.name))


SPOIL: dict[str, Callable[[Path], None]] = {
    "contents": lambda bundle: flipped(bundle / "contents.json"),
    "rows": lambda bundle: flipped(next(bundle.glob("rows-*/people.person"))),
    "keys": lambda bundle: flipped(next(bundle.glob("rows-*/keys"))),
    "object": lambda bundle: flipped(an_object(bundle)),
    "object gone": lambda bundle: an_object(bundle).unlink(),
    "entries": lambda bundle: flipped(newest(bundle / "ledger/access/tile/entries/000.p")),
    "tiles": lambda bundle: flipped(newest(bundle / "ledger/border/tile/0/000.p")),
    "handover": lambda bundle: (bundle / "ledger/border/handover").write_bytes(b"[]"),
    "manifest": lambda bundle: (bundle / "manifest.json").write_text(
        (bundle / "manifest.json").read_text().replace('"ledger.state"', '"ledger.seal"')
    ),
}


async def test_changed_bundle_is_refused(town: Town, tiny_film: bytes, elsewhere: str) -> None:
    await town.sell(tiny_film)
    shutil.copytree(town.bundle, town.folder / "whole")
    for name, spoil in SPOIL.items():
        spoil(town.bundle)
        try:
            await town.adopt(elsewhere)
        except BadBundle:
            pass
        else:
            pytest.fail(f"{name} was taken")
        assert await fetch(elsewhere, "SELECT to_regclass('people.person') AS t") in (
            [(None,)],
            [("people.person",)],
        ), name
        shutil.rmtree(town.bundle)
        shutil.copytree(town.folder / "whole", town.bundle)
    assert (await town.adopt(elsewhere)).persons == 3


async def test_bundle_shows_nothing_to_who_finds_it(town: Town, tiny_film: bytes) -> None:
    await town.sell(tiny_film)
    ids = await fetch(town.owner_url, "SELECT id FROM people.person")
    marks = {name: text.encode() for name, text in MARKS.items()}
    marks |= {f"id {n}": row["id"].bytes for n, row in enumerate(ids)}
    marks |= {f"handle {name}": f"by {name} ".encode() for name in town.people}
    for path in canary.files(town.bundle):
        assert canary.seen(path.read_bytes(), marks) == [], path
        assert canary.seen(path.name.encode(), marks) == []


# The buyer's file


def test_buyers_file_is_for_one_cell_and_signed_by_its_keys(house: House, tmp_path: Path) -> None:
    cell_id = house.vault.store.cell_id
    key = BuyerKey.make(tmp_path / "a.key", cell_id)
    assert (tmp_path / "a.key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(BuyerKeyExists):
        BuyerKey.make(tmp_path / "a.key", cell_id)
    buyer = key.public("Maison d'à côté", "US-CA")
    assert Buyer.parse(buyer.text) == buyer
    assert BuyerKey.load(tmp_path / "a.key").public("Maison d'à côté", "US-CA") == buyer
    assert "hidden" in repr(key)
    assert len(buyer.fingerprint.split()) == 8
    other = BuyerKey.make(tmp_path / "b.key", cell_id).public("B", "FR")
    for bad in (
        "",
        buyer.text.replace("US-CA", "us"),
        buyer.text.replace("Maison", "Maisons"),
        buyer.text.replace(str(buyer.logs["border"]), str(other.logs["border"])),
        buyer.text.replace("luciole-buyer-v1", "luciole-buyer-v2"),
    ):
        with pytest.raises(BadBuyer):
            Buyer.parse(bad)
    for operator, law in (("", "FR"), ("x" * 201, "FR"), ("two\nlines", "FR"), ("x", "France")):
        with pytest.raises(BadBuyer):
            key.public(operator, law)
    (tmp_path / "c.key").write_text("nonsense")
    (tmp_path / "c.key").chmod(0o600)
    with pytest.raises(BadBuyer):
        BuyerKey.load(tmp_path / "c.key")
