"""A cell, and another one that keeps its backup."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cell.house import House
from tests.cell.kept_abroad.support import Abroad, Peer

from luciole.kit.postgres import Server


@pytest.fixture
def sg(house: House, tmp_path: Path) -> Peer:
    return Peer(tmp_path / "sg" / "trustee", house.vault.store.cell_id)


@pytest.fixture
def abroad(house: House, database_server: Server, sg: Peer, tmp_path: Path) -> Iterator[Abroad]:
    made = Abroad(house, database_server, tmp_path / "us", sg.ask)
    yield made
    made.close()
