"""The short backup of a key store: for a broken disk, and for no longer than a day.

    secret.wrapped, share.wrapped, cell.id   as in the key folder
    epoch-7.wrapped                          once, beside the generations
    wraps-7-20261126T120000Z.sqlite          a generation: all wraps at that moment

The epoch key lies beside the generations and not in them: a generation that was carried away opens
nothing once its epoch is destroyed here and in the key folder. Who carries away the epoch file
with it keeps the means to open what it holds, for as long as the root lives: nothing that runs
here can call that back. A root that keeps a key for each epoch (`Root.retire`) can.
"""

from __future__ import annotations

import contextlib
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from luciole.keys import epochs, private
from luciole.keys.private import KeyFileRefused
from luciole.keys.root import CELL_ID_FILE

KEPT = timedelta(hours=24)
STAMP = "%Y%m%dT%H%M%SZ"
SMALL = ("secret.wrapped", "share.wrapped", CELL_ID_FILE)


class Generation(NamedTuple):
    """One copy of all wraps."""

    epoch: int
    at: datetime
    path: Path


def generation(folder: Path, epoch: int, at: datetime) -> Path:
    """The name of one that is made now."""
    return folder / f"wraps-{epoch}-{at.astimezone(UTC):{STAMP}}.sqlite"


def generations(folder: Path) -> list[Generation]:
    """Those in the backup, the oldest first."""
    found = []
    for path in folder.glob("wraps-*.sqlite"):
        with contextlib.suppress(ValueError):
            _, epoch, stamp = path.stem.split("-")
            at = datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
            found.append(Generation(int(epoch), at, path))
    return sorted(found)


def keep_small_files(keys: Path, folder: Path, epoch: int) -> None:
    """Copies what a generation needs beside itself."""
    for name in (*SMALL, epochs.key_path(keys, epoch).name):
        with contextlib.suppress(FileNotFoundError):
            private.write(folder / name, private.read(keys / name, f"file {name}"), replace=True)


def prune(folder: Path, epoch: int, now: datetime) -> None:
    """Destroys the keys and the generations of former epochs, and generations older than a day;
    the newest stays. Repeatable."""
    for path in set(folder.glob("epoch-*.wrapped")) - {epochs.key_path(folder, epoch)}:
        private.destroy(path)
    for each in generations(folder)[:-1]:
        if each.epoch != epoch or each.at < now - KEPT:
            private.destroy(each.path)
    epochs.sweep(folder)


def restore(folder: Path, keys: Path) -> Generation:
    """Puts the newest generation into an empty key folder, from which the next start opens it.
    People who were erased since then have to be shredded again. Raises KeyFileRefused."""
    private.check_folder(keys)
    if any(keys.glob("wraps-*")) or (keys / "current").exists():
        raise KeyFileRefused(
            f"There is a key store in {keys} already.",
            next_step="Move its files away first, all but root.key.",
        )
    found = generations(folder)
    if not found:
        raise KeyFileRefused(
            f"There is no backup of a key store in {folder}.",
            next_step="Name the folder that LUCIOLE_CUSTODY_BACKUP_DIR named.",
        )
    newest = found[-1]
    epoch_key = epochs.key_path(folder, newest.epoch)
    if not epoch_key.exists():
        raise KeyFileRefused(
            f"The file {epoch_key} is missing.",
            next_step="Without the epoch key nothing in this backup can be opened.",
        )
    keep_small_files(folder, keys, newest.epoch)
    private.check(newest.path, "backup of the key store")
    wraps = epochs.wraps_path(keys, newest.epoch)
    with private.new_file(wraps) as copy, open(newest.path, "rb") as kept:
        shutil.copyfileobj(kept, copy)
    # The epoch may be older than its backup: better a rotation too early than one too late.
    # Began long ago, so that a rotation is due at once: the broken disk may be found again.
    epochs.switch(keys, newest.epoch, datetime.fromtimestamp(0, UTC))
    return newest
