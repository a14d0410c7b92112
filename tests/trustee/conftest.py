"""A cell with a guardian."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.trustee.house import Guarded, guarded


@pytest.fixture
async def us(empty_url: str, tmp_path: Path) -> AsyncIterator[Guarded]:
    """With its guardian in office."""
    async with guarded(empty_url, tmp_path) as made:
        await made.moving.turn("on")
        yield made


@pytest.fixture
async def alone(empty_url: str, tmp_path: Path) -> AsyncIterator[Guarded]:
    """Before it has one."""
    async with guarded(empty_url, tmp_path) as made:
        yield made
