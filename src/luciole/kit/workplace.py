"""Folders for work in progress, which nothing in them outlives: locked while their process lives,
swept when it is gone."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from pathlib import Path

UNLOCKED_FOR_S = 600


def open_folder(folder: Path) -> int:
    """Makes a work folder with a lock that this process holds until it closes it or dies."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    (folder / "out").mkdir(mode=0o700)
    return lock


def sweep_folders(root: Path) -> None:
    """Removes the work folders whose process is gone."""
    for folder in root.glob("*-*"):
        try:
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            # Made this very moment, or half removed.
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > UNLOCKED_FOR_S:
                    shutil.rmtree(folder, ignore_errors=True)
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass  # somebody is at work in it
        finally:
            os.close(lock)
