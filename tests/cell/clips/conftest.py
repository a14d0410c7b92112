"""What the tests of clips share."""

from __future__ import annotations

from typing import Any

import pytest_asyncio
from tests.cell.house import Browser, House


@pytest_asyncio.fixture(loop_scope="session")
async def clip(house: House, ana: Browser, tiny_film: bytes) -> dict[str, Any]:
    """A clip of ana's for everyone, published."""
    return await ana.clip(house, tiny_film, caption="the sea")
