"""The pack for an auditor: whole, the same each time, and judged by the verifier that is in it."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import pytest
from tests.ledger.conftest import Databases
from tests.ledger.test_statements import SETTINGS, Cell, cell

from luciole import catalogue, release
from luciole.audit import pack
from luciole.ledger.entry import Kind

__all__ = ["cell"]


async def packed(cell: Cell, tmp_path: Path, name: str, *, heads_only: bool = False) -> Path:
    settings = msgspec.structs.replace(SETTINGS, data_dir=str(cell.home))
    out = tmp_path / name
    async with cell.owner.read() as tx:
        found = pack.files(tx, cell.blobs, settings, heads_only=heads_only)
        await pack._write(out, found)
    return out


async def test_pack_is_whole_and_the_same_each_time(cell: Cell, tmp_path: Path) -> None:
    await cell.act(Kind.GRANT, count=300)
    await cell.settle()
    first, again = [await packed(cell, tmp_path, name) for name in ("one.zip", "two.zip")]
    assert first.read_bytes() == again.read_bytes()
    with zipfile.ZipFile(first) as file:
        names = file.namelist()
        sums = dict(
            reversed(line.split("  ")) for line in file.read("SHA256SUMS").decode().splitlines()
        )
        assert set(sums) == set(names) - {"SHA256SUMS"}
        for name, sha256 in sums.items():
            assert hashlib.sha256(file.read(name)).hexdigest() == sha256, name
        data = json.loads(file.read("data/data.json"))
        assert [one["where"] for one in data] == [one.where for one in catalogue.ALL]
        told = file.read("release/server.sha256").decode()
        files = dict(reversed(line.split("  ")) for line in told.splitlines())
        assert hashlib.sha256(told.encode()).hexdigest() == release.digest(files)
        assert json.loads(file.read("release/release.json"))["server_sha256"] == release.digest(
            files
        )
        assert "people.contact" in file.read("rights/rights.md").decode()
    # 300 entries: a full bundle and tile, a partial one of each, and a hash a level above.
    tiles = [name for name in names if "/tile/" in name and "/access/" in name]
    assert len(tiles) == 5


async def test_verifier_of_the_pack_finds_nothing_wrong(cell: Cell, tmp_path: Path) -> None:
    await cell.act(Kind.GRANT, count=3)
    await cell.settle()
    folder = tmp_path / "pack"
    with zipfile.ZipFile(await packed(cell, tmp_path, "one.zip")) as file:
        file.extractall(folder)
    said = judged(folder)
    assert "access: tree: Its 3 entries give the signed root" in said, said
    # All logs of this test have one key, which no policy may name twice.
    wrong = [line for line in said.splitlines() if line.startswith("RED ") and "access:" in line]
    assert wrong == [], said


def judged(folder: Path) -> str:
    """What the verifier in a pack says about it."""
    words = ["--policy", "ledger/policy", "--now", "2026-11-26T12:00:30Z"]
    command = [sys.executable, "luciole_verify.py", ".", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


async def test_pack_of_heads_has_no_entries(cell: Cell, tmp_path: Path) -> None:
    await cell.act(Kind.GRANT)
    await cell.settle()
    out = await packed(cell, tmp_path, "heads.zip", heads_only=True)
    names = zipfile.ZipFile(io.BytesIO(out.read_bytes())).namelist()
    assert not [name for name in names if "/tile/" in name]
    assert "ledger/access/checkpoint" in names


async def test_cell_that_has_published_nothing_is_refused(
    databases: Databases, cell: Cell, tmp_path: Path
) -> None:
    with pytest.raises(pack.NoLog):
        await packed(cell, tmp_path, "none.zip")
