"""What a cell says of itself in its log: releases, and each day, also days that were missed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from tests.ledger.conftest import Databases
from tests.ledger.house import CELL, House, minute_of
from tests.ledger.test_seals import settle

from luciole import statements
from luciole.cell.people.joining import ages
from luciole.cell.people.joining.entered import Entered
from luciole.config import CellSettings, Settings
from luciole.kit.db import Database
from luciole.ledger import entry
from luciole.ledger.entry import Class, Kind, canonical
from luciole.ledger.note import KeyKind, Signer
from luciole.release import Release
from luciole.statements import Behind
from verifier import luciole_verify as verifier

SETTINGS = Settings(cell=CellSettings(operator="Les Lucioles", jurisdiction="FR"))
FIRST = Release("0.1.0", "aa" * 32, "bb" * 32)


class Cell:
    """The three logs of a cell over one folder and one clock."""

    def __init__(self, databases: Databases, home: Path, owner: Database) -> None:
        self.owner = owner
        self.logs = {log: House(*databases, home, log) for log in statements.LOGS}
        first = self.logs["access"]
        for one in self.logs.values():
            one.clock = first.clock
        self.clock, self.blobs, self.home = first.clock, first.blobs, home
        self.sequencers = {log: one.sequencer() for log, one in self.logs.items()}

    async def settle(self) -> None:
        """Publishes everything, as the log's process does."""
        for sequencer in self.sequencers.values():
            await settle(sequencer)

    async def show_policy(self, own: str = "near") -> None:
        """The policy, in which the only witness is the cell's own, or another's."""
        near = self.logs["access"].cosigners[0]
        lines = [f"log {house.signer.verifier}" for house in self.logs.values()]
        lines += [f"witness local {near.verifier if own == 'near' else _stranger()}"]
        lines += [f"witness far {near.verifier if own != 'near' else _stranger()}", "quorum local"]
        await self.blobs.put("ledger/policy", "".join(f"{line}\n" for line in lines).encode())

    def until(self, at: datetime) -> None:
        self.clock.advance(at - self.clock.now())

    async def act(self, kind: Kind, cls: Class = Class.SELF, count: int = 1) -> None:
        """Something about persons, now."""
        for _ in range(count):
            await self.logs["access"].put(person(minute_of(self.clock.now()), kind, cls))

    async def cross(self, kind: str) -> None:
        at = f"{self.clock.now():%Y-%m-%dT%H:%M:%SZ}"
        await self.logs["border"].put(canonical({"v": 1, "kind": kind, "at": at}))

    async def state(self) -> list[dict[str, Any]]:
        """Makes what is due, and gives all statements of the log."""
        await self.settle()
        await statements.state_days(self.owner, self.blobs, SETTINGS, self.clock.now())
        await self.settle()
        return [one for one in self.said() if one["kind"] == "residency"]

    def said(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(one) for one in self.logs["decisions"].published()]

    def judged(self) -> None:
        """Raises what the auditor's verifier finds wrong."""
        parsed = {
            name: [
                (verifier.access_of if name == "access" else verifier.text_of)(one)
                for one in log.published()
            ]
            for name, log in self.logs.items()
        }
        origin = f"luciole/{CELL}/decisions"
        point = verifier.Point("", b"", origin, len(parsed["decisions"]), b"", [])
        seen = int(self.clock.now().timestamp())
        verifier.check_statements(verifier.Log(point, [], [], seen), parsed)


def _stranger() -> str:
    return str(Signer("far", KeyKind.COSIGNATURE, b"f" * 32).verifier)


def person(minute: int, kind: Kind, cls: Class) -> bytes:
    return entry.PersonEntry(kind, cls, minute, os.urandom(32), os.urandom(32)).encode()


@pytest_asyncio.fixture(loop_scope="session")
async def cell(databases: Databases, tmp_path: Path, owner_url: str) -> AsyncIterator[Cell]:
    owner = await Database.open(owner_url, size=2)
    made = Cell(databases, tmp_path, owner)
    await made.show_policy()
    yield made
    await owner.close()


async def announced(cell: Cell, release: Release) -> bool:
    await cell.settle()
    done = await statements.announce(cell.owner, cell.blobs, release, cell.clock.now())
    await cell.settle()
    return done


async def test_release_is_said_once_and_again_when_it_is_another(cell: Cell) -> None:
    assert await statements.last_release(cell.blobs) is None
    assert await announced(cell, FIRST)
    assert not await announced(cell, FIRST)
    other = msgspec.structs.replace(FIRST, web_sha256="cc" * 32)
    assert await announced(cell, other)
    assert await announced(cell, FIRST)
    assert await statements.last_release(cell.blobs) == FIRST
    said = [one for one in cell.said() if one["kind"] == "release"]
    assert [one["web_sha256"][:2] for one in said] == ["bb", "cc", "bb"]
    assert said[0] == {
        "v": 1,
        "kind": "release",
        "at": "2026-11-26T12:00:00Z",
        "version": "0.1.0",
        "server_sha256": "aa" * 32,
        "web_sha256": "bb" * 32,
    }


async def test_table_of_least_ages_is_said_once_for_each_digest(cell: Cell) -> None:
    assert await announced(cell, FIRST)
    table = ages.current()
    later = msgspec.structs.replace(table, version=table.version + 1, sha256="dd" * 32)
    for one, is_new in ((table, False), (later, True), (later, False)):
        now = cell.clock.now()
        assert await statements.announce(cell.owner, cell.blobs, FIRST, now, one) is is_new
        await cell.settle()
    said = [one for one in cell.said() if one["kind"] == "ages"]
    assert said == [
        {
            "v": 1,
            "kind": "ages",
            "at": "2026-11-26T12:00:00Z",
            "version": one.version,
            "sha256": one.sha256,
        }
        for one in (table, later)
    ]
    # A release says nothing anew because of it.
    assert [one["kind"] for one in cell.said()].count("release") == 1
    found = Entered(cell.blobs)
    place = await found.place(later)
    assert place is not None
    assert cell.said()[place.index] == said[1]
    # What the log names no more is not where it points to.
    assert await found.place(table) is None
    # And back again is an entry of its own, which the same reader finds.
    assert await statements.announce(cell.owner, cell.blobs, FIRST, cell.clock.now(), table)
    await cell.settle()
    again = await found.place(table)
    assert again is not None
    assert again.index > place.index


async def test_nothing_is_said_while_the_log_is_behind(cell: Cell) -> None:
    await cell.settle()
    await cell.logs["decisions"].put(canonical({"v": 1, "kind": "policy", "at": "…"}))
    with pytest.raises(Behind):
        await statements.announce(cell.owner, cell.blobs, FIRST, cell.clock.now())


async def test_day_is_stated_when_it_is_over_with_what_the_log_holds(cell: Cell) -> None:
    await cell.act(Kind.ENROL, count=3)
    await cell.act(Kind.GRANT, count=2)
    await cell.act(Kind.READ, Class.STAFF)
    await cell.act(Kind.ERASE)
    await cell.cross("clip")
    assert await cell.state() == []
    cell.until(datetime(2026, 11, 27, 0, 0, 20, tzinfo=UTC))
    (said,) = await cell.state()
    assert said == {
        "v": 1,
        "kind": "residency",
        "at": "2026-11-27T00:00:20Z",
        "day": "2026-11-26",
        "cell": CELL,
        "jurisdiction": "FR",
        "operator": "Les Lucioles",
        "entries": {"access": {"enrol": 3, "erase": 1, "grant": 2, "read": 1}},
        "ranges": {"access": [0, 7], "border": [0, 1]},
        "crossings": {"clip": 1, "total": 1},
        "staff_reads": 1,
        "legal_reads": 0,
        "erasures": 1,
        "seals": 0,
        "witnesses": 0,
        "exceptions": ["no witness outside of this cell has cosigned its log"],
    }
    assert await cell.state() == [said]
    cell.judged()


async def test_days_that_were_missed_get_a_statement_each_and_say_so(cell: Cell) -> None:
    await cell.act(Kind.GRANT)
    cell.until(datetime(2026, 11, 28, 9, tzinfo=UTC))
    await cell.act(Kind.GRANT, count=2)
    await cell.act(Kind.READ, Class.LEGAL)
    cell.until(datetime(2026, 11, 30, 15, tzinfo=UTC))
    made = await cell.state()
    assert [one["day"] for one in made] == ["2026-11-26", "2026-11-27", "2026-11-28", "2026-11-29"]
    assert [one["entries"]["access"] for one in made] == [
        {"grant": 1}, {}, {"grant": 2, "read": 1}, {},
    ]  # fmt: skip
    assert [one["legal_reads"] for one in made] == [0, 0, 1, 0]
    ends = [one["ranges"]["access"] for one in made]
    assert [end for _, end in ends[:-1]] == [begin for begin, _ in ends[1:]]
    late = "made late: the cell or its log did not run when the day ended"
    assert all(late in one["exceptions"] for one in made)
    cell.judged()


async def test_entry_that_came_after_midnight_counts_to_the_next_day(cell: Cell) -> None:
    await cell.act(Kind.GRANT)
    cell.until(datetime(2026, 11, 27, 0, 0, 20, tzinfo=UTC))
    (first,) = await cell.state()
    await cell.logs["access"].put(
        person(minute_of(datetime(2026, 11, 26, 23, 59, tzinfo=UTC)), Kind.EXPORT, Class.SELF)
    )
    cell.until(datetime(2026, 11, 28, 0, 0, 40, tzinfo=UTC))
    _, second = await cell.state()
    assert (first["entries"]["access"], second["entries"]["access"]) == (
        {"grant": 1},
        {"export": 1},
    )
    # The seal of the first day came on the second.
    assert (first["seals"], second["seals"]) == (0, 1)
    assert second["exceptions"] == ["no witness outside of this cell has cosigned its log"]
    cell.judged()


async def test_database_that_was_put_back_says_no_day_twice(cell: Cell) -> None:
    await cell.act(Kind.GRANT)
    await cell.settle()
    held = await cell.logs["access"].backup()
    cell.until(datetime(2026, 11, 27, 0, 1, tzinfo=UTC))
    (said,) = await cell.state()
    await cell.logs["access"].restore(held)
    for sequencer in cell.sequencers.values():
        sequencer.forget()
    assert await cell.state() == [said]
    cell.judged()


async def test_witness_outside_is_counted(cell: Cell) -> None:
    await cell.show_policy(own="far")
    await cell.act(Kind.GRANT)
    cell.until(datetime(2026, 11, 27, 0, 1, tzinfo=UTC))
    (said,) = await cell.state()
    assert (said["witnesses"], said["exceptions"]) == (1, [])


async def test_doctor_says_which_days_are_missing_and_that_files_were_changed(cell: Cell) -> None:
    settings = msgspec.structs.replace(SETTINGS, blobs="", data_dir=str(cell.home))
    assert await statements.faults(settings, cell.clock.now()) == []
    await cell.act(Kind.GRANT)
    assert await announced(cell, FIRST)
    ((changed, _),) = await statements.faults(settings, cell.clock.now())
    assert changed == "the files here are not the release that the log names last"
    cell.until(datetime(2026, 11, 27, 2, tzinfo=UTC))
    _, (missing, step) = await statements.faults(settings, cell.clock.now())
    assert missing == "the log has no statement for the days since 2026-11-26"
    assert step.endswith(".")
    await cell.state()
    assert len(await statements.faults(settings, cell.clock.now())) == 1


async def test_doctor_says_which_log_witnesses_have_not_seen(cell: Cell) -> None:
    settings = msgspec.structs.replace(SETTINGS, blobs="", data_dir=str(cell.home))
    await cell.act(Kind.GRANT)
    await cell.settle()
    assert await statements.faults(settings, cell.clock.now()) == []
    later = cell.clock.now() + timedelta(hours=27)
    stale = [what for what, _ in await statements.faults(settings, later) if "stale" in what]
    assert stale[0].startswith("no witness has looked at access since 2026-11-26 12:")
    for house in cell.logs.values():
        house.near.is_away = True
    await cell.act(Kind.GRANT)
    await cell.settle()
    soon = cell.clock.now() + timedelta(minutes=9)
    assert await statements.faults(settings, soon) == []
    late = cell.clock.now() + timedelta(minutes=11)
    ((waits, step),) = await statements.faults(settings, late)
    assert waits.startswith("witnesses have not seen 1 entries of access")
    assert step.endswith(".")


async def test_doctor_makes_no_folder_where_no_cell_is(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path / "nothing"))
    assert await statements.faults(settings, datetime.now(UTC)) == []
    assert not (tmp_path / "nothing").exists()
