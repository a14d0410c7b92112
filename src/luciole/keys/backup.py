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

import shutil
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from luciole.keys import epochs, private
from luciole.keys.private import KeyFileRefused
from luciole.keys.root import CELL_ID_FILE, CELL_KEY_FILE
from luciole.keys.wraps import Wraps

KEPT = timedelta(hours=24)
STAMP = "%Y%m%dT%H%M%SZ"
SHARE_FILE = "share.wrapped"

Generation = tuple[int, datetime, Path]


def generation(folder: Path, epoch: int, at: datetime) -> Path:
    """The name of one that is made now."""
    return folder / f"wraps-{epoch}-{at.astimezone(UTC):{STAMP}}.sqlite"


def generations(folder: Path) -> list[Generation]:
    """Epoch, time and file of each, the oldest first."""
    found = []
    for path in folder.glob("wraps-*.sqlite"):
        with suppress(ValueError):
            _, epoch, stamp = path.stem.split("-")
            found.append((int(epoch), datetime.strptime(stamp, STAMP).replace(tzinfo=UTC), path))
    return sorted(found)


def keep_small_files(keys: Path, folder: Path, epoch: int) -> None:
    """Copies what a generation needs beside itself."""
    for name in (CELL_KEY_FILE, SHARE_FILE, CELL_ID_FILE, epochs.key_path(keys, epoch).name):
        with suppress(FileNotFoundError):
            private.write(folder / name, private.read(keys / name, f"file {name}"), replace=True)


def prune(folder: Path, epoch: int, now: datetime) -> None:
    """Destroys the keys and the generations of former epochs, and generations older than a day;
    the newest stays. Repeatable."""
    for path in set(folder.glob("epoch-*.wrapped")) - {epochs.key_path(folder, epoch)}:
        private.destroy(path)
    for its_epoch, at, path in generations(folder)[:-1]:
        if its_epoch != epoch or at < now - KEPT:
            private.destroy(path)
    epochs.sweep(folder)


def restore(folder: Path, keys: Path) -> Path:
    """Puts the newest generation into an empty key folder, from which the next start opens it;
    returns it. Everybody in it counts as unconfirmed: people who were erased since then are back
    in it and have to be shredded once more. Raises KeyFileRefused."""
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
            next_step="Name the folder that LUCIOLE_KEYS_BACKUP_DIR named.",
        )
    epoch, _, newest = found[-1]
    step = "Without the epoch key nothing in this backup can be opened."
    private.needed(epochs.key_path(folder, epoch), "epoch key", step)
    private.needed(newest, "data keys")
    keep_small_files(folder, keys, epoch)
    path = epochs.wraps_path(keys, epoch)
    with private.new_file(path) as copy, open(newest, "rb") as kept:
        shutil.copyfileobj(kept, copy)
    with closing(Wraps(path)) as wraps, wraps:
        wraps.doubt()
    # Began long ago, so that a rotation is due at once: the broken disk may be found again.
    epochs.switch(keys, epoch, datetime.fromtimestamp(0, UTC))
    return newest
