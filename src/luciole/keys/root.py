"""The root key of a cell and the one file that holds it.

The file is a line of text, so that an operator can print it and put it in a safe:

    luciole-root-key-v1 <cell id> <root key, base64>

The cell id sits beside the key because both are bound into every sealed field: it is drawn once
and stays through migrations, moves of the machine and a sale of the cell.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
import stat
from pathlib import Path
from uuid import UUID

from luciole.kit.errors import Unavailable
from luciole.kit.ids import new_id

FORMAT = "luciole-root-key-v1"
KEY_BYTES = 32
MAX_FILE_BYTES = 4096


class RootKeyRefused(Unavailable):
    """The root key file cannot be trusted or read."""

    code = "root-key-refused"

    def __str__(self) -> str:
        return f"{self.sentence} {self.next_step}"


class RootKey:
    """The cell's id and its 256-bit root key. Its text form names the cell and hides the key."""

    __slots__ = ("_key", "cell_id")

    def __init__(self, cell_id: UUID, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError("a root key has 32 bytes")
        self.cell_id = cell_id
        self._key = key

    def __repr__(self) -> str:
        return f"RootKey(cell_id={self.cell_id}, key=hidden)"

    def __reduce__(self) -> str:
        # A pickled key would land in a queue, a cache or a crash report.
        raise TypeError("a root key is not pickled")

    def secret(self) -> bytes:
        """The key itself; for the key derivation in `keyring`, and nothing else."""
        return self._key

    @classmethod
    def generate(cls) -> RootKey:
        """A new root key for a new cell."""
        return cls(new_id(), secrets.token_bytes(KEY_BYTES))

    @classmethod
    def load(cls, path: Path) -> RootKey:
        """The root key in `path`. Raises RootKeyRefused, also where others may read the file."""
        # 1. Open first and ask the open file, so that nobody swaps it between question and use.
        try:
            # O_NONBLOCK: a pipe put in the file's place must not hang the start.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            handle = os.open(path, flags)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise RootKeyRefused(
                f"The root key file {path} cannot be opened ({error.strerror}).",
                next_step="It must be a plain file, owned by the account that runs the cell.",
            ) from error
        try:
            # 2. A key that others may read or change is no longer only ours.
            state = os.fstat(handle)
            if not stat.S_ISREG(state.st_mode):
                raise RootKeyRefused(
                    f"The root key file {path} is not a plain file.",
                    next_step="Put the file itself there, not a link or a folder.",
                )
            if state.st_uid not in (os.geteuid(), 0):
                raise RootKeyRefused(
                    f"The root key file {path} belongs to another account.",
                    next_step="Run the cell as its owner, or change the owner (chown).",
                )
            if stat.S_IMODE(state.st_mode) & 0o077:
                raise RootKeyRefused(
                    f"Others may open the root key file {path}.",
                    next_step=f"Run: chmod 600 {path}  Then ask yourself who may have copied it.",
                )
            text = os.read(handle, MAX_FILE_BYTES)
        finally:
            os.close(handle)
        # 3. Exactly one line of three words.
        words = text.decode("ascii", "replace").split()
        if len(words) == 3 and words[0] == FORMAT:
            with contextlib.suppress(ValueError, binascii.Error):
                return cls(UUID(words[1]), base64.b64decode(words[2], validate=True))
        raise RootKeyRefused(
            f"The root key file {path} is damaged.",
            next_step="Put back your copy of it; without it, what is sealed stays sealed. For a "
            "new, empty cell, move the file away and start again.",
        )

    @classmethod
    def load_or_make(cls, path: Path) -> RootKey:
        """The root key in `path`, made at the first start. Several processes may call it at once
        and all get the same key. Raises RootKeyRefused."""
        try:
            return cls.load(path)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = cls.generate()
        text = f"{FORMAT} {made.cell_id} {base64.b64encode(made._key).decode()}\n"
        # The whole file appears at once under its name, or not at all: a process that is killed
        # here leaves a draft that nobody reads, never half a key.
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            # link() fails where the name exists: the process that was faster wins.
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink()
        _sync_folder(path.parent)
        return cls.load(path)


def _sync_folder(folder: Path) -> None:
    """Makes a new name in `folder` survive a power cut, before anything is sealed under it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
