"""Bringing everything along to another account."""

from __future__ import annotations

from tests.cell.house import Browser, House
from tests.cell.rights.bring import bring
from tests.cell.rights.log import Log
from tests.cell.rights.taken import take


async def test_import_into_a_new_account(
    house: House, log: Log, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    await ana.clip(house, tiny_film, caption="First #dawn")
    await ana.follow(ben)
    taken = await take(house, ana)
    cleo = await house.person("cleo")
    done = await bring(house, cleo, taken.raw)
    assert done["state"] == "done", done
    assert done["report"]["signed"] == "here"
    assert done["report"]["counts"]["clip"] == {"taken": 1}
