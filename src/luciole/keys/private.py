"""Files that only the cell's own account may read: opened with suspicion, written whole, destroyed.

What `destroy` promises: the bytes are overwritten in place, flushed, and the name is gone. On a
disk that writes in place they are gone with it. An SSD, a copy-on-write file system or a snapshot
may keep the old blocks until it needs the space; nothing that a program does can prevent that.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from luciole.kit.errors import Unavailable

MAX_FILE_BYTES = 4096
RESTORE = (
    "Put the key folder back from its short backup (docs/howto/back-up-and-restore.md); a new file "
    "could open nothing."
)
_ZEROS = bytes(1 << 20)


class KeyFileRefused(Unavailable):
    """A file of keys cannot be trusted or read."""

    code = "key-file-refused"

    def __str__(self) -> str:
        return f"{self.sentence} {self.next_step}"


def read(path: Path, name: str) -> bytes:
    """The content of a small private file; `name` is what a sentence calls it. Raises
    FileNotFoundError, and KeyFileRefused for one that others may read, change or have put there."""
    # Open first and ask the open file, so that nobody swaps it between question and use.
    # O_NONBLOCK: a pipe put in the file's place must not hang the start.
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeyFileRefused(
            f"The {name} {path} cannot be opened ({error.strerror}).",
            next_step="It must be a plain file, owned by the account that runs the cell.",
        ) from error
    try:
        _distrust(path, name, os.fstat(handle), stat.S_IFREG)
        return os.read(handle, MAX_FILE_BYTES)
    finally:
        os.close(handle)


def needed(path: Path, name: str, next_step: str = RESTORE) -> bytes:
    """The content of a file without which the others are of no use. Raises KeyFileRefused."""
    try:
        return read(path, f"file of the {name}")
    except FileNotFoundError:
        raise KeyFileRefused(
            f"The file of the {name}, {path}, is missing.", next_step=next_step
        ) from None


def check_folder(path: Path) -> None:
    """Makes the folder where it is missing. Raises KeyFileRefused where others may look into it:
    who may rename there can put other files in place of ours."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    _distrust(path, "key folder", path.stat(), stat.S_IFDIR)


def _distrust(path: Path, name: str, state: os.stat_result, kind: int) -> None:
    mode = "700" if kind == stat.S_IFDIR else "600"
    if stat.S_IFMT(state.st_mode) != kind:
        problem, step = "is not a plain file", "Put the file itself there, not a link or a folder."
    elif state.st_uid not in (os.geteuid(), 0):
        problem = "belongs to another account"
        step = "Run the cell as its owner, or change the owner (chown)."
    elif stat.S_IMODE(state.st_mode) & 0o077:
        problem = "is open to others"
        step = f"Run: chmod {mode} {path}  Then ask yourself who may have copied it."
    else:
        return
    raise KeyFileRefused(f"The {name} {path} {problem}.", next_step=step)


@contextlib.contextmanager
def new_file(path: Path, *, replace: bool = False) -> Iterator[BinaryIO]:
    """A private file to write into, which gets its name and survives a power cut when the body is
    through. Raises FileExistsError, unless it may replace."""
    # The whole file appears at once under its name, or not at all: a process that is killed here
    # leaves a draft that nobody reads, never half a key.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(draft, "xb", opener=opener) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # link() fails where the name exists: the process that was faster wins.
        (os.replace if replace else os.link)(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    sync(path.parent)


def write(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Writes a whole small file. Without `replace` an existing one stays as it is."""
    with contextlib.suppress(FileExistsError), new_file(path, replace=replace) as file:
        file.write(content)


def destroy(path: Path) -> None:
    """Overwrites a file, flushes it, takes its name away. Does nothing where there is none, so
    that a run that was killed half-way can do it again."""
    with contextlib.suppress(FileNotFoundError):
        with open(path, "r+b") as file:
            size_bytes = os.fstat(file.fileno()).st_size
            for start in range(0, size_bytes, len(_ZEROS)):
                file.write(_ZEROS[: size_bytes - start])
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        sync(path.parent)


def sync(path: Path) -> None:
    """Makes a file that another library has written, or the names in a folder, survive a power
    cut."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def opener(path: str, flags: int) -> int:
    """For `open`: a new file is ours alone."""
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
