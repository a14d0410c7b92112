"""The files of the epochs: a wrapped epoch key each, and `current`, which names the one in use.

epoch-7.wrapped   the epoch key, wrapped by the root with its number as context
wraps-7.sqlite    the wraps of all persons under it
current           luciole-epoch-v1 7 2026-11-26T12:00:00+00:00
"""

from __future__ import annotations

import contextlib
import re
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from luciole.keys import private, seal
from luciole.keys.private import KeyFileRefused
from luciole.keys.root import Root
from luciole.keys.wraps import Outer

FORMAT = "luciole-epoch-v1"


class Current(NamedTuple):
    """The epoch in use, and when it began."""

    epoch: int
    began: datetime


class Epochs:
    """Names, draws, switches and destroys epochs in one folder."""

    def __init__(self, folder: Path, root: Root) -> None:
        self.folder = folder
        self._root = root

    def wraps(self, epoch: int) -> Path:
        return self.folder / f"wraps-{epoch}.sqlite"

    def key(self, epoch: int) -> Path:
        return self.folder / f"epoch-{epoch}.wrapped"

    def current(self) -> Current | None:
        """None before the first start. Raises KeyFileRefused."""
        path = self.folder / "current"
        try:
            words = private.read(path, "file with the number of the epoch").decode().split()
        except FileNotFoundError:
            return None
        if len(words) == 3 and words[0] == FORMAT:
            with contextlib.suppress(ValueError):
                return Current(int(words[1]), datetime.fromisoformat(words[2]))
        raise KeyFileRefused(
            f"The file {path} is damaged.",
            next_step="Restore the key folder from its short backup (docs/howto/"
            "back-up-and-restore.md).",
        )

    def draw(self, epoch: int) -> Outer:
        """A new epoch key, wrapped and on the disk. Raises RootUnavailable."""
        wrapped = self._root.wrap("epoch", seal.new_key(), epoch.to_bytes(8))
        private.write(self.key(epoch), wrapped, replace=True)
        return self.open(epoch)

    def open(self, epoch: int) -> Outer:
        """The outer layer of an epoch. Raises KeyFileRefused, AnotherRoot, RootUnavailable."""
        try:
            wrapped = private.read(self.key(epoch), "file of the epoch key")
        except FileNotFoundError:
            raise KeyFileRefused(
                f"The file {self.key(epoch)} is missing.",
                next_step="Put it back from the short backup of the key folder. An epoch key that "
                "was destroyed at a rotation is gone for good, with all that was under it.",
            ) from None
        key = self._root.unwrap("epoch", wrapped, epoch.to_bytes(8))
        return Outer(self._root.cell_id, epoch, key)

    def switch(self, epoch: int, at: datetime) -> None:
        """From here on, a start opens this one."""
        line = f"{FORMAT} {epoch} {at.isoformat(timespec='seconds')}\n"
        private.write(self.folder / "current", line.encode(), replace=True)

    def destroy(self, epoch: int) -> None:
        """The key first: without it the wraps are noise. Repeatable."""
        private.destroy(self.key(epoch))
        for path in (self.wraps(epoch), self.wraps(epoch).with_suffix(".sqlite-journal")):
            private.destroy(path)

    def present(self) -> set[int]:
        """Every epoch of which a file is there."""
        names = "\n".join(path.name for path in self.folder.iterdir())
        found = re.findall(r"^(?:epoch|wraps)-(\d+)\.(?:wrapped|sqlite)", names, re.M)
        return {int(each) for each in found}

    def sweep(self) -> None:
        """Destroys drafts of a run that was killed."""
        for kind in ("epoch", "wraps", "current"):
            for path in self.folder.glob(f".{kind}*"):
                private.destroy(path)
