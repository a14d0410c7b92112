"""A cell with a log, for tests of what people do with their data."""

from __future__ import annotations

import pytest
from tests.cell.house import House
from tests.cell.rights.log import Log

from luciole.cell.rights.log_reader import LogReader
from luciole.kit.db import Database


@pytest.fixture
def log(house: House, pools: tuple[Database, ...], monkeypatch: pytest.MonkeyPatch) -> Log:
    """The log of the house, new for each test, and nothing remembered of the one before."""
    blobs = house.parts.blobs
    monkeypatch.setattr(house.parts.journal, "_log", LogReader(blobs))
    return Log(pools[0], blobs, house.vault.store.secret.cell_id)
