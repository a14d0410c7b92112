"""Another machine for the buyer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.cell.copies.conftest import elsewhere as elsewhere
from tests.cell.copies.conftest import server as server
from tests.cell.house import House
from tests.cell.rights.conftest import log as log
from tests.cell.sale.support import Town, fetch


@pytest.fixture
async def town(house: House, owner_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """A cell that nobody has sold yet."""
    yield Town(house, owner_url, tmp_path)
    # Whoever empties the database leaves the house's own tables alone.
    await fetch(owner_url, "DELETE FROM house.sale")
