"""Mirrors of other cells' logs are read by anybody, at addresses like those of a log itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from uuid import UUID

import pytest
from tests.cell import mirrored
from tests.cell.console.bench import at_work, page
from tests.cell.house import House, refused
from tests.cell.notices.court import Pools
from tests.cell.test_glass import ADD_PEER, entry

from luciole import glass, mirroring
from luciole.ledger.entry import canonical

ENTRIES = [canonical(entry("out", id=str(n))) for n in range(300)]


@pytest.fixture
def mirror(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the mirror of `sg` is served."""
    monkeypatch.setattr(glass, "KEPT_S", -1.0)
    place = house.parts.settings.witness_dir
    shutil.rmtree(place, ignore_errors=True)
    mirrored.keep(place, ENTRIES)
    yield "/mirror/sg/ledger"
    shutil.rmtree(place)


async def test_everything_that_a_verifier_reads_is_there(house: House, mirror: str) -> None:
    anybody = house.visitor()
    for name in ("policy", "border/checkpoint", "border/pending", "border/tile/entries/000"):
        answer = await anybody.get(f"{mirror}/{name}")
        assert answer.status_code == 200, name
        assert answer.headers["access-control-allow-origin"] == "*"
    by_id = await anybody.get(f"/mirror/{mirrored.CELL_ID}/ledger/border/checkpoint")
    assert by_id.content == (await anybody.get(f"{mirror}/border/checkpoint")).content
    # The partial tile, and none that does not exist.
    assert (await anybody.get(f"{mirror}/border/tile/0/001.p/44")).status_code == 200
    refused(await anybody.get(f"{mirror}/border/tile/0/001.p/45"), 404, "not-mirrored")
    (pair,) = (await anybody.get(f"{mirror}/evidence")).json()
    assert (pair["log"], pair["code"]) == ("border", "fork")


@pytest.mark.parametrize(
    "path",
    [
        "/mirror/sg/ledger/border/state",
        "/mirror/sg/ledger/access/checkpoint",
        "/mirror/sg/ledger/border/tile/state",
        "/mirror/sg/ledger/border/handover",
        "/mirror/us/ledger/policy",
        "/mirror/us/ledger/evidence",
        "/mirror/../ledger/policy",
        "/mirror/%2e%2e/ledger/policy",
        "/mirror/sg/ledger/border/tile/%2e%2e/state",
    ],
)
async def test_nothing_else_is_there(house: House, mirror: str, path: str) -> None:
    answer = await house.visitor().get(path)
    assert answer.status_code == 404 or b"secret" not in answer.content
    assert b"quorum none" not in answer.content


async def test_glass_says_up_to_where_a_peer_is_mirrored(
    house: House, mirror: str, pools: Pools
) -> None:
    async with pools[0].tx() as tx:
        await tx.execute(ADD_PEER, UUID(mirrored.CELL_ID), bytes(32), "GREEN", "cosigned")
    seen = (await house.visitor().get("/api/glass")).json()
    (peer,) = seen["peers"]
    assert peer["mirror"] == {
        "state": "kept",
        "bytes": 9000,
        "logs": [{"log": "border", "size": 300, "at": mirrored.AT}],
    }
    origin = house.parts.settings.origin
    assert f"luciole_mirror.py https://border.sg.example {origin}/mirror/sg" in seen["commands"][-1]


async def test_console_and_doctor_tell_of_a_mirror_that_is_full(
    house: House, mirror: str, owner_url: str
) -> None:
    settings = house.parts.settings
    eve = await at_work(house, owner_url, "eve", "operator")
    (kept,) = (await page(eve, "storage"))["mirrors"]
    assert (kept["name"], kept["state"], kept["entries"]) == ("sg", "kept", 300)
    (found,) = mirroring.looked(settings)
    # Nine tenths are taken.
    assert (found.verdict, "of 0.0 MB at most" in found.sentence) == ("WARN", True)
    shutil.rmtree(settings.witness_dir)
    mirrored.keep(settings.witness_dir, ENTRIES, state="limit")
    (check,) = [one for one in (await page(eve, "overview"))["checks"] if one["name"] == "mirrors"]
    assert (check["health"], check["value"]) == ("look", 1)
    (found,) = mirroring.looked(settings)
    assert found.verdict == "WARN"
    assert "LUCIOLE_LEDGER_MIRROR_BYTES" in (found.next_step or "")
