"""Another cell, and a film as our encoder makes it, which its people publish there."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import pytest_asyncio
from tests.cell.abroad.agreeing import agree as agree
from tests.cell.abroad.peer import Peer
from tests.cell.abroad.read_out import author as author
from tests.cell.abroad.read_out import followed as followed
from tests.cell.abroad.read_out import read as read
from tests.cell.house import House

from luciole.kit.db import Database


@pytest_asyncio.fixture(loop_scope="session")
async def sg(pools: tuple[Database, Database], house: House) -> Peer:
    made = Peer(pools[0], house)
    await made.begin()
    house.elsewhere.files.clear()
    house.elsewhere.asked.clear()
    return made


@dataclass
class Filmed:
    """The files of a clip, and the size of its film."""

    film: bytes
    still: bytes
    size: tuple[int, int]


@pytest_asyncio.fixture(loop_scope="session")
async def filmed(house: House, tiny_film: bytes) -> Filmed:
    """What a clip of another cell is made of."""
    dora = await house.person("dora")
    clip = await dora.clip(house, tiny_film)
    first = clip["renditions"][0]
    film = (await dora.get(first["url"])).content
    still = (await dora.get(clip["poster_url"])).content
    assert (await dora.delete(f"/api/clips/{clip['id']}")).is_success
    return Filmed(film, still, (first["width"], first["height"]))


@pytest.fixture
def agreeing() -> object:
    return agree
