"""Two friends with a device each."""

from __future__ import annotations

import pytest_asyncio
from tests.cell.house import Browser, House
from tests.cell.messages.phone import Phone, befriend


@pytest_asyncio.fixture(loop_scope="session")
async def anas(house: House, ana: Browser) -> Phone:
    return await Phone.of(house, ana)


@pytest_asyncio.fixture(loop_scope="session")
async def bens(house: House, ana: Browser, ben: Browser) -> Phone:
    await befriend(ana, ben)
    return await Phone.of(house, ben)
