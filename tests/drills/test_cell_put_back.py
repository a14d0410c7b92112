"""A cell that is put back to an earlier state, whole: its peer notices, and nothing crosses."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.border.conftest import Cell, cell_in, peered, running, until
from tests.border.test_two_cells import entry, news, offer

from luciole import peering

pytestmark = [pytest.mark.long, pytest.mark.timeout(300), pytest.mark.xdist_group("cells")]


async def verdict(cell: Cell, peer: str) -> Any:
    sql = "SELECT verdict, verdict_code FROM border.peer WHERE name = $1"
    return (await cell.rows(sql, peer))[0]


async def test_cell_that_was_put_back_is_refused_and_red(tmp_path: Path) -> None:
    us, sg = cell_in(tmp_path, "us"), cell_in(tmp_path, "sg")
    earlier = tmp_path / "earlier"
    with running(sg):
        with running(us):
            await peered(us, sg)
            await us.close()
        shutil.copytree(us.settings.data, earlier, symlinks=True)
        with running(us):
            crossing, _ = await offer(us, "sg")
            await news(us, crossing)
            await entry(sg, id=str(crossing), kind="in")
            await us.close()
        # Everything as it was before: database, objects, keys, and its own witness.
        shutil.rmtree(us.settings.data)
        shutil.copytree(earlier, us.settings.data, symlinks=True)
        with running(us):

            async def is_red() -> bool:
                return bool((await verdict(sg, "us"))[0] == "RED")

            await until(is_red, 60)
            assert await verdict(sg, "us") == ("RED", "rollback")
            said = await peering.looked(sg.settings, await sg.url())
            assert "the logs of us are RED (rollback): nothing crosses" in [
                one.sentence for one in said
            ]
            # Its own log does not go on either, so that nothing leaves.
            lost, _ = await offer(us, "sg", uuid4())
            back, _ = await offer(sg, "us", uuid4())
            log = (us.settings.data / "log" / "ledger.log").read_text()
            assert "witness-ahead" in log
            for cell, number in ((us, lost), (sg, back)):
                sql = "SELECT 1 FROM border.news WHERE crossing = $1"
                assert not await cell.rows(sql, number)
            assert not await sg.rows("SELECT 1 FROM border.received WHERE crossing = $1", lost)
            await us.close()
            await sg.close()
