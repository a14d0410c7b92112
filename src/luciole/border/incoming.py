"""The folder in which fetched films wait for the cell: bounded, and emptied of what nobody takes.

The worker takes a file away as soon as its clip has its place. What it never takes (the clip was
called back, or another of its files does not come) goes after a day, and is fetched again where it
is wanted after all.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

MOST_BYTES = 4 * 1024**3
KEPT_S = 24 * 3600.0
# As much of the disk stays free as uploads leave (LUCIOLE_MEDIA_MIN_FREE_BYTES by default).
FREE_BYTES = 1024**3


class Incoming:
    """Files by their SHA-256 (hex), and `….part` while they come."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._most_bytes = folder, most_bytes
        self._promised = 0
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for remains in folder.glob("*.part"):
            remains.unlink()

    def place(self, digest: str) -> Path:
        return self._folder / digest

    def part(self) -> Path:
        return self._folder / f"{secrets.token_hex(8)}.part"

    def promise(self, size_bytes: int) -> bool:
        """Keeps room for a file that comes, until `end`; False where there is none."""
        there = sum(stat.st_size for _, stat in self._whole())
        free = shutil.disk_usage(self._folder).free - self._promised
        if there + self._promised + size_bytes > self._most_bytes or free < size_bytes + FREE_BYTES:
            return False
        self._promised += size_bytes
        return True

    def end(self, size_bytes: int) -> None:
        """The file has come, or will not."""
        self._promised -= size_bytes

    def tidy(self, now: float) -> None:
        """Removes what has waited for a day. `now` is in Unix seconds."""
        for one, stat in self._whole():
            if stat.st_mtime < now - KEPT_S:
                one.unlink(missing_ok=True)

    def _whole(self) -> Iterator[tuple[Path, os.stat_result]]:
        for one in self._folder.iterdir():
            # The worker may take one away at any moment.
            with contextlib.suppress(FileNotFoundError):
                if one.suffix != ".part":
                    yield one, one.stat()
