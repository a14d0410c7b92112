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
_BLOCK = bytes(1 << 20)


class KeyFileRefused(Unavailable):
    """A file of keys cannot be trusted or read."""

    code = "key-file-refused"

    def __str__(self) -> str:
        return f"{self.sentence} {self.next_step}"


def read(path: Path, name: str, refusal: type[KeyFileRefused] = KeyFileRefused) -> bytes:
    """The content of a small private file; `name` is what the sentence calls it. Raises
    FileNotFoundError, and `refusal` for one that others may read, change or have put there."""
    # 1. Open first and ask the open file, so that nobody swaps it between question and use.
    handle = _open(path, name, refusal)
    try:
        # 2. A key that others may read or change is no longer only ours.
        _look(path, name, handle, refusal)
        return os.read(handle, MAX_FILE_BYTES)
    finally:
        os.close(handle)


def read_needed(path: Path, name: str, next_step: str = RESTORE) -> bytes:
    """The content of a file without which the others are of no use. Raises KeyFileRefused."""
    try:
        return read(path, f"file of the {name}")
    except FileNotFoundError:
        raise missing(path, name, next_step) from None


def missing(path: Path, name: str, next_step: str = RESTORE) -> KeyFileRefused:
    """There are keys, and a file that belongs to them is not there."""
    return KeyFileRefused(f"The file of the {name}, {path}, is missing.", next_step=next_step)


def check(path: Path, name: str) -> None:
    """The same suspicion for a file that another library opens. Raises FileNotFoundError,
    KeyFileRefused."""
    handle = _open(path, name, KeyFileRefused)
    try:
        _look(path, name, handle, KeyFileRefused)
    finally:
        os.close(handle)


def check_folder(path: Path) -> None:
    """Makes the folder where it is missing. Raises KeyFileRefused where others may look into it:
    who may rename there can put other files in place of ours."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    state = path.stat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid not in (os.geteuid(), 0):
        raise KeyFileRefused(
            f"The key folder {path} belongs to another account.",
            next_step="Run the cell as its owner, or change the owner (chown -R).",
        )
    if stat.S_IMODE(state.st_mode) & 0o077:
        raise KeyFileRefused(
            f"Others may look into the key folder {path}.",
            next_step=f"Run: chmod 700 {path}  Then ask yourself who may have copied its files.",
        )


@contextlib.contextmanager
def new_file(path: Path, *, replace: bool = False) -> Iterator[BinaryIO]:
    """A private file to write into, which gets its name and survives a power cut when the body is
    through. Raises FileExistsError, unless it may replace."""
    # The whole file appears at once under its name, or not at all: a process that is killed here
    # leaves a draft that nobody reads, never half a key.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(path)
        else:
            # link() fails where the name exists: the process that was faster wins.
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def write(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Writes a whole small file. Without `replace` an existing one stays as it is."""
    with contextlib.suppress(FileExistsError), new_file(path, replace=replace) as file:
        file.write(content)


def destroy(path: Path) -> None:
    """Overwrites a file, flushes it, takes its name away. Does nothing where there is none, so
    that a run that was killed half-way can do it again."""
    with contextlib.suppress(FileNotFoundError):
        with open(path, "r+b", buffering=0) as file:
            left = os.fstat(file.fileno()).st_size
            while left > 0:
                left -= file.write(_BLOCK[: min(left, len(_BLOCK))])
            os.fsync(file.fileno())
        path.unlink()
    sync_folder(path.parent)


def sync(path: Path) -> None:
    """Flushes what another library has written into a file."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Makes a new or a removed name in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _open(path: Path, name: str, refusal: type[KeyFileRefused]) -> int:
    try:
        # O_NONBLOCK: a pipe put in the file's place must not hang the start.
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise refusal(
            f"The {name} {path} cannot be opened ({error.strerror}).",
            next_step="It must be a plain file, owned by the account that runs the cell.",
        ) from error


def _look(path: Path, name: str, handle: int, refusal: type[KeyFileRefused]) -> None:
    state = os.fstat(handle)
    if not stat.S_ISREG(state.st_mode):
        raise refusal(
            f"The {name} {path} is not a plain file.",
            next_step="Put the file itself there, not a link or a folder.",
        )
    if state.st_uid not in (os.geteuid(), 0):
        raise refusal(
            f"The {name} {path} belongs to another account.",
            next_step="Run the cell as its owner, or change the owner (chown).",
        )
    if stat.S_IMODE(state.st_mode) & 0o077:
        raise refusal(
            f"Others may open the {name} {path}.",
            next_step=f"Run: chmod 600 {path}  Then ask yourself who may have copied it.",
        )
