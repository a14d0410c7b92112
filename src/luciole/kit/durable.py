"""Files that survive a loss of power once a call has returned: written beside, flushed, put in
their place, and their folder flushed.

A stop in the middle leaves a draft, whose name ends in `#` and digits; the object store does not
list those, and nobody reads them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path


class Differs(Exception):
    """There is another content under a name whose content never changes. The text is the name."""


class Moved(Exception):
    """The content is not the one that was to be replaced: somebody else was here."""


def create(files: Iterable[tuple[Path, bytes]]) -> None:
    """Puts new files; the same content may be there already. Raises Differs. The caller makes
    their names durable with `flush` of their folders, once for many files."""
    for path, data in files:
        make_folder(path.parent)
        draft = _draft(path, data)
        try:
            # Fails where the name is taken, also when two of us try at once; renaming would not.
            os.link(draft, path)
        except FileExistsError:
            if path.read_bytes() != data:
                raise Differs(str(path)) from None
        finally:
            draft.unlink()


def replace(path: Path, data: bytes) -> None:
    """Puts a file in the place of the one that may be there."""
    make_folder(path.parent)
    _draft(path, data).replace(path)
    flush((path.parent,))


def exchange(path: Path, data: bytes, expected: bytes | None) -> None:
    """Puts a file in the place of one that holds `expected` (None: that is not there), as one step
    among all who use this function. Raises Moved."""
    make_folder(path.parent)
    with _alone(path.with_name(f"{path.name}#0")):
        if (path.read_bytes() if path.exists() else None) != expected:
            raise Moved(path.name)
        _draft(path, data).replace(path)
        flush((path.parent,))


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it, each durably."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        flush((folder.parent,))


def flush(folders: Iterable[Path]) -> None:
    """Makes the names in folders durable."""
    for folder in folders:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _draft(path: Path, data: bytes) -> Path:
    draft = path.with_name(f"{path.name}#{secrets.randbelow(10**12) + 1}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
    except BaseException:
        draft.unlink()
        raise
    return draft


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
