"""Unix sockets below folders whose path is longer than a socket's address may be (107 bytes)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

MAX_ADDRESS_BYTES = 103  # macOS takes the least


@contextlib.contextmanager
def address_of(place: Path) -> Iterator[str]:
    """A path to bind or connect to, good inside the block. Raises OSError where the folder is
    missing, and for a long path where /proc is."""
    if len(os.fsencode(place)) <= MAX_ADDRESS_BYTES:
        yield str(place)
        return
    folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{place.name}"
    finally:
        os.close(folder)
