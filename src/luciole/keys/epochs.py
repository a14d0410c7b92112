"""The files of the epochs: a wrapped epoch key each, and `current`, which names the one in use.

epoch-7.wrapped   the epoch key, wrapped by the root with its number as context
wraps-7.sqlite    the wraps of all persons under it
current           luciole-epoch-v1 7 2026-11-26T12:00:00+00:00
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from luciole.keys import private, seal
from luciole.keys.private import KeyFileRefused
from luciole.keys.root import Root
from luciole.keys.seal import Layer

FORMAT = "luciole-epoch-v1"
OUTER = "luciole/outer/v1"


def wraps_path(folder: Path, epoch: int) -> Path:
    return folder / f"wraps-{epoch}.sqlite"


def key_path(folder: Path, epoch: int) -> Path:
    return folder / f"epoch-{epoch}.wrapped"


def switch(folder: Path, epoch: int, at: datetime) -> None:
    """From here on, a start opens this one."""
    line = f"{FORMAT} {epoch} {at.isoformat(timespec='seconds')}\n"
    private.write(folder / "current", line.encode(), replace=True)


def current(folder: Path) -> tuple[int, datetime] | None:
    """The epoch in use, and when it began; None before the first start. Raises KeyFileRefused."""
    path = folder / "current"
    with contextlib.suppress(ValueError):
        try:
            kind, epoch, began = private.read(path, "file of the epoch in use").decode().split()
        except FileNotFoundError:
            return None
        if kind == FORMAT:
            return int(epoch), datetime.fromisoformat(began)
    raise KeyFileRefused(f"The file {path} is damaged.", next_step=private.RESTORE)


def present(folder: Path) -> set[int]:
    """Every epoch of which a file is there."""
    names = "\n".join(path.name for path in folder.iterdir())
    found = re.findall(r"^(?:epoch|wraps)-(\d+)\.(?:wrapped|sqlite)", names, re.M)
    return {int(each) for each in found}


def sweep(folder: Path) -> None:
    """Destroys drafts of a run that was killed."""
    for path in folder.glob(".*"):
        if path.name.startswith((".epoch", ".wraps", ".current")):
            private.destroy(path)


def draw(folder: Path, epoch: int, root: Root) -> Layer:
    """A new epoch key, wrapped and on the disk. Raises RootUnavailable."""
    wrapped = root.wrap("epoch", seal.new_key(), epoch.to_bytes(8))
    private.write(key_path(folder, epoch), wrapped, replace=True)
    return layer(folder, epoch, root)


def layer(folder: Path, epoch: int, root: Root) -> Layer:
    """The outer layer of an epoch. Raises KeyFileRefused."""
    number = epoch.to_bytes(8)
    key = root.unwrap("epoch", private.needed(key_path(folder, epoch), "epoch key"), number)
    return Layer(key, OUTER, root.cell_id, number)


def destroy(folder: Path, epoch: int, root: Root, reached: Callable[[str], None]) -> None:
    """The key first, at the root and here: without it the wraps are noise. Repeatable. Raises
    RootUnavailable, and then nothing has been destroyed."""
    root.retire(epoch.to_bytes(8))
    reached("retired")
    private.destroy(key_path(folder, epoch))
    reached("key destroyed")
    for each in (f"{wraps_path(folder, epoch)}-journal", wraps_path(folder, epoch)):
        private.destroy(Path(each))
    reached("destroyed")
