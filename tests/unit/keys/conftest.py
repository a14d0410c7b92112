"""A key folder of its own for each test, under a root key in a file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from luciole.keys import KeyStore, RootKey
from luciole.kit.clock import SetClock


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 11, 26, 12, tzinfo=UTC))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def root(folder: Path) -> RootKey:
    return RootKey.load_or_make(folder / "root.key")


@pytest.fixture
def store(folder: Path, root: RootKey, clock: SetClock) -> Iterator[KeyStore]:
    store = KeyStore(folder, root, clock=clock)
    yield store
    store.close()
