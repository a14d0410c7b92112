"""What the rules share: the migrated database as it describes itself."""

from __future__ import annotations

import asyncio

import pytest
from tests.rules import database
from tests.rules.database import Described


@pytest.fixture(scope="session")
def described(owner_url: str) -> Described:
    return asyncio.run(database.describe(owner_url))
