"""The table of least ages is told with its place in the log, and matched with it by a stranger."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from comparer import luciole_ages
from tests.cell.house import House
from tests.cell.test_glass import entry, publish

from luciole.cell.people.joining import ages
from verifier import luciole_verify as v

AGES = "/api/cell/ages"


@pytest.fixture
def french(house: House) -> House:
    cell = msgspec.structs.replace(house.settings.cell, jurisdiction="FR")
    return House(house.db, msgspec.structs.replace(house.settings, cell=cell), house.vault)


def named(version: int, sha256: str) -> dict[str, Any]:
    return entry("ages", version=version, sha256=sha256)


def judged(told: bytes, entries: list[dict[str, Any]], folder: Path) -> str:
    """The verdict of the comparer's step over what the API answered."""
    (folder / "ages.json").write_bytes(told)
    read = [SimpleNamespace(kind=one["kind"], said=one) for one in entries]
    claims: list[Any] = []
    v.claim(claims, "least ages", luciole_ages.check_ages, folder / "ages.json", read)
    return str(claims[0]["code"])


async def test_the_table_is_told_with_its_place_in_the_log(french: House, tmp_path: Path) -> None:
    visitor = french.visitor()
    answer = await visitor.get(AGES)
    told = answer.json()
    assert (told["country"], told["age"], told["entry"]) == ("FR", 15, None)
    assert told["text"].encode() == ages.TABLE.read_bytes()
    assert hashlib.sha256(told["text"].encode()).hexdigest() == told["sha256"]
    entries = [entry("release", version="0.1"), named(told["version"], told["sha256"])]
    assert judged(answer.content, entries, tmp_path) == "ages.unplaced"

    await publish(french, {"decisions": list(entries)})
    answer = await visitor.get(AGES)
    told = answer.json()
    assert told["entry"] == {"log": "decisions", "index": 1, "at": "2026-11-26T12:00:00Z"}
    assert judged(answer.content, entries, tmp_path) == "green"
    # An entry that was exchanged, and a table that was.
    other = [entries[0], named(told["version"], "ee" * 32)]
    assert judged(answer.content, other, tmp_path) == "ages.changed"
    lenient = json.dumps({**told, "text": told["text"].replace("FR 15", "FR 13")}).encode()
    assert judged(lenient, entries, tmp_path) == "ages.told"


async def test_a_table_that_the_log_names_no_more_has_no_place(french: House) -> None:
    table = ages.current()
    entries = [named(table.version, table.sha256), named(table.version + 1, "ee" * 32)]
    visitor = french.visitor()
    await publish(french, {"decisions": list(entries)})
    assert (await visitor.get(AGES)).json()["entry"] is None
    # The log goes on, and the same process reads on.
    entries += [entry("staff"), named(table.version, table.sha256)]
    await publish(french, {"decisions": list(entries)})
    assert (await visitor.get(AGES)).json()["entry"]["index"] == 3
    # Another log than was read, as after a restore.
    await publish(french, {"decisions": [entries[0]]})
    assert (await visitor.get(AGES)).json()["entry"]["index"] == 0


async def test_a_country_without_a_line_has_no_age(house: House) -> None:
    told = (await house.visitor().get(AGES)).json()
    assert told["country"] not in ages.table()
    assert told["age"] is None
