"""Whether the cell has room for a large file, where its objects are in a folder of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

from luciole.cell.media.model import DiskFull
from luciole.config import Settings


class Room:
    """Keeps as much of the disk free as uploads of films do."""

    def __init__(self, settings: Settings) -> None:
        self._folder = "" if "://" in settings.blobs_place else settings.blobs_place
        self._min_free_bytes = settings.media.min_free_bytes

    def require(self, size_bytes: int) -> None:
        """Raises DiskFull. An object store elsewhere has its own limits."""
        if self._folder and Path(self._folder).is_dir():
            free_bytes = shutil.disk_usage(self._folder).free
            if free_bytes - size_bytes < self._min_free_bytes:
                raise DiskFull
