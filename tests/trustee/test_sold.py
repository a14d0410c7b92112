"""A cell with a guardian and a backup in another cell is sold: with halves that were lent, and what
the other cell holds is destroyed, at once or as soon as it is there again."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from pathlib import Path

import msgspec
import pytest
from comparer import luciole_between
from msgspec.structs import replace
from tests.border.conftest import Cell, cell_in, peered, running, until
from tests.trustee.test_two_cells import person

from luciole import guarding
from luciole.ask.client import Custody
from luciole.border import kept
from luciole.custody.model import Field
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.sale import commands, elsewhere
from luciole.trustee import backups
from luciole.trustee.book import BOOK
from verifier import luciole_crossings

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("cells"), pytest.mark.timeout(400)]
EMAIL = Field("contact.email", 1, b"ana@example.org")
PIECES = [(bytes([n]) * kept.NAME_BYTES, bytes(kept.SMALL_BYTES)) for n in (1, 2)]


class Sale:
    """What both operators have in their hands."""

    def __init__(self, us: Cell, sg: Cell, folder: Path) -> None:
        self.us, self.sg, self.folder = us, sg, folder
        self.bundle, self.halves = folder / "bundle", folder / "halves"
        self.environment = {**us.environment(), "LUCIOLE_ABROAD_PEER": "sg"}

    async def prepare(self) -> None:
        """Ana's key and a backup are at sg, the halves are lent, people are told."""
        us, sg = self.us, self.sg
        await peered(us, sg)
        custody = Custody.at(us.settings.custody_dir / "api.sock")
        operator = Custody.at(us.settings.custody_dir / "operator.sock")

        async def in_office() -> bool:
            state = await operator.guardian("status")
            return state.is_on and not state.left and not state.fault

        await until(in_office, 60)
        ana = await person(us, custody)
        grant = await custody.session_grant(ana.token)
        await custody.seal(grant, [EMAIL])
        answer = await us.outward("copies").ask(
            "sg", "backup", msgspec.msgpack.encode(kept.Put(PIECES))
        )
        assert answer
        line = guarding.ask(us.settings)[-1]
        await guarding.lend(sg.settings, line, self.halves, Clock())
        (known,) = await sg.outward("operator").peers()
        await commands.key(self.folder / "ours", str(known.cell_id), "New House SAS", "FR")
        await commands.announce(self.environment, 0, self.folder / "ours.pub")
        for line_ in (custody, operator, us, sg):
            await line_.close()

    async def divest(self, halves: Path | None) -> int:
        return await commands.divest(
            self.environment, self.bundle, self.folder / "ours.pub", halves
        )

    def held(self) -> dict[str, int]:
        (counted,) = guarding.counts_of(self.sg.settings.trustee_dir / BOOK).values()
        ended = sum(backups.ended(self.sg.settings.trustee_dir).values())
        return {"halves": counted.held, "destroyed": counted.destroyed, "pieces destroyed": ended}


def two_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Cell, Cell]:
    monkeypatch.setenv("LUCIOLE_TRUSTEE_BACKUP_BYTES", str(1 << 24))
    monkeypatch.setenv("LUCIOLE_CELL_DEMO", "true")
    us, sg = cell_in(tmp_path, "us"), cell_in(tmp_path, "sg")
    us.settings = replace(us.settings, keys=replace(us.settings.keys, guardian="sg"))
    return us, sg


def judged(us: str, sg: Cell) -> dict[str, str]:
    """What the verifier says of both logs of crossings."""
    cells = [("us", us), ("sg", sg.settings.blobs_place)]
    options = argparse.Namespace(cells=cells, policy=[], now=int(time.time()), json=True)
    return {one["claim"]: one["verdict"] for one in luciole_crossings.audit(options)}


def compared(cell: Cell, *others: Cell, **notes: Path) -> dict[str, str]:
    """What the logs of decisions say of each other."""
    words = [str(cell.settings.blobs_place)]
    for one in others:
        words += ["--other", str(one.settings.blobs_place)]
    for name, path in notes.items():
        words += [f"--{name}", str(path)]
    options = luciole_between.parsed(words)
    return {one["claim"]: one["verdict"] for one in luciole_between.audit(options)}


def test_guardian_and_keeper_destroy_what_they_hold_when_the_cell_is_sold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    us, sg = two_cells(tmp_path, monkeypatch)
    sale = Sale(us, sg, tmp_path)
    with running(sg):
        with running(us):
            asyncio.run(sale.prepare())
        assert sale.held() == {"halves": 1, "destroyed": 0, "pieces destroyed": 0}
        # Without what was lent, the keys do not open, and nothing was asked for yet.
        with pytest.raises(Exception, match="half-needed"):
            asyncio.run(sale.divest(None))
        assert sale.held()["halves"] == 1
        assert asyncio.run(sale.divest(sale.halves)) == 0
        assert sale.held() == {"halves": 0, "destroyed": 1, "pieces destroyed": 2}
        said = capsys.readouterr().out
        assert "sg held halves of keys of this cell and has destroyed what was left" in said
        assert "sg held the sealed backup of this cell and has destroyed" in said
        asyncio.run(commands.show(sale.environment))
        assert "sg held halves of keys" in capsys.readouterr().out
        asyncio.run(told(sale))
    manifest = (sale.bundle / "manifest.json").read_text()
    assert json.loads(manifest.split("\n")[1])["elsewhere"] == []
    tells = asyncio.run(sale.us.entries("decisions"))
    answers = {one["of"]: one["destroyed"] for one in tells if one["kind"] == "held-elsewhere"}
    assert answers == {"share": 1, "backup": 2}
    # Twice changes nothing.
    assert asyncio.run(sale.divest(sale.halves)) == 0


async def told(sale: Sale) -> None:
    """Both logs tell of what was asked at the last moment, and the other's of what it destroyed."""
    sg = sale.sg
    gateway = await Database.open(await sg.url(), size=2)
    try:
        await elsewhere.told_of(gateway, Clock(), are_over=False)
    finally:
        await gateway.close()
    ended = await guarding.publish_ended(await sg.url(), sg.settings.trustee_dir, {}, Clock())
    assert list(ended.values()) == [2]

    async def logged() -> bool:
        decisions, border = await sg.entries("decisions"), await sg.entries()
        return any(one["kind"] == "keeping" and one["destroyed"] == 2 for one in decisions) and any(
            one["kind"] == "workings" and one["of"] == "backup" for one in border
        )

    await until(logged)
    found = await asyncio.to_thread(judged, sale.us.settings.blobs_place, sg)
    assert found["us asks sg"] == "GREEN", found
    assert "RED" not in found.values(), found
    # What each says of the other fits, halves and pieces.
    book = sg.settings.trustee_dir / BOOK
    await guarding.publish(await sg.url(), book, {}, Clock())

    async def counted() -> bool:
        said = await sg.entries("decisions")
        return any(one["kind"] == "guarding" and one.get("destroyed") == 1 for one in said)

    await until(counted)
    found = await asyncio.to_thread(compared, sale.us, sg)
    assert found["held elsewhere"] == "GREEN", found
    assert found["sales"] == "CANNOT TELL", "Nobody has adopted it yet."
    assert "RED" not in found.values(), found
    await sg.close()


def test_other_cell_that_was_away_is_asked_by_the_buyer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    us, sg = two_cells(tmp_path, monkeypatch)
    sale = Sale(us, sg, tmp_path)
    with running(us, sg):
        asyncio.run(sale.prepare())
    assert asyncio.run(sale.divest(sale.halves)) == 0
    assert "has not said to have destroyed it (peer-away)" in capsys.readouterr().out
    assert sale.held()["halves"] == 1
    house = cell_in(tmp_path / "house", "us", us.origin)
    environment = house.environment() | {"LUCIOLE_KEYS_GUARDIAN": ""}
    asyncio.run(commands.adopt(environment, sale.bundle, tmp_path / "ours.key", None))
    left = elsewhere.read(house.settings.data)
    assert [(one.kind, one.peer, one.code) for one in left] == [
        ("backup", "sg", "peer-away"),
        ("share", "sg", "peer-away"),
    ]
    assert [one.verdict for one in elsewhere.findings(house.settings)] == ["WARN", "WARN"]
    with running(house, sg):
        asyncio.run(asked_again(house, sale))
    assert sale.held() == {"halves": 0, "destroyed": 1, "pieces destroyed": 2}
    assert list(elsewhere.findings(house.settings)) == []


async def asked_again(house: Cell, sale: Sale) -> None:
    sg = sale.sg
    # The key at the border is another one: sg answers it once it has read in the logs whose it is.
    await elsewhere.ask_again(await house.url(), house.settings, Clock())
    assert not any(one.is_told for one in elsewhere.read(house.settings.data))

    async def destroyed() -> bool:
        await elsewhere.ask_again(await house.url(), house.settings, Clock())
        return all(one.is_told for one in elsewhere.read(house.settings.data))

    # It looks once a minute at who is refused.
    await until(destroyed, 180)
    entries = [one for one in await house.entries("decisions") if one["kind"] == "held-elsewhere"]
    codes = {(one["of"], one.get("code", "")) for one in entries}
    assert ("share", "peer-away") in codes

    async def adopted() -> bool:
        said = await house.entries("decisions")
        return any(one["kind"] == "adopted" for one in said)

    await until(adopted)
    receipt = house.settings.data / "sale" / "receipt.note"
    found = await asyncio.to_thread(compared, house, sg, receipt=receipt)
    assert found["sales"] == found["receipt of the sale"] == "GREEN", found
    assert "RED" not in found.values(), found
    for one in (house, sg):
        await one.close()
