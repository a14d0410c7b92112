"""The root of a cell's keys: what wraps the few keys that wrap all others, and where it lives.

The default is a key in one file, a line of text, so that an operator can print it and put it in a
safe:

    luciole-root-key-v1 <cell id> <root key, base64>

The cell id sits beside the key because both are bound into every sealed field: it is drawn once
and stays through migrations, moves of the machine and a sale of the cell.

`transit` and `pkcs11` hold the other two places, from which the key itself never comes out; the
cell id is then a line in `cell.id`.
"""

from __future__ import annotations

import base64
import contextlib
from pathlib import Path
from typing import Protocol
from uuid import UUID

from luciole.keys import private, seal
from luciole.keys.private import KeyFileRefused
from luciole.kit.ids import new_id

FORMAT = "luciole-root-key-v1"
CELL_ID_FORMAT = "luciole-cell-v1"
CELL_ID_FILE = "cell.id"
CELL_KEY_FILE = "secret.wrapped"


class AnotherRoot(KeyFileRefused):
    """The wrapped keys were made under another root, or for another place."""

    code = "keys-of-another-root"
    sentence = "The keys in this folder were wrapped under another root, or have been changed."
    next_step = (
        "Set LUCIOLE_KEYS_ROOT to the root under which they were made, or put back the root key."
    )


class RootUnavailable(KeyFileRefused):
    """The root is elsewhere and does not answer, or does not let us in."""

    code = "root-unavailable"


class Root(Protocol):
    """What wraps the cell secret, the share key and the epoch keys: a handful of calls at the
    start and at each rotation, none per person. `label` says what a key is for and `context` which
    one it is; what was wrapped for one label and context does not unwrap for another."""

    @property
    def cell_id(self) -> UUID: ...

    def wrap(self, label: str, secret: bytes, context: bytes = b"") -> bytes:
        """Raises RootUnavailable."""
        ...

    def unwrap(self, label: str, wrapped: bytes, context: bytes = b"") -> bytes:
        """Raises AnotherRoot, RootUnavailable."""
        ...

    def retire(self, epoch: bytes) -> None:
        """The key that was wrapped as `epoch` with this context is not to be opened again, by
        anybody who has a copy. A root that is a machine destroys a key of its own that it kept for
        it; a root in a file cannot, and its files have to go. Repeatable. Raises
        RootUnavailable."""
        ...


def bound(cell_id: UUID, label: str, context: bytes) -> bytes:
    """Associated data of a wrapped key: label ‖ 0x00 ‖ cell id (16) ‖ context."""
    return f"luciole/root/{label}/v1\0".encode() + cell_id.bytes + context


def own_key(name: str, cell_id: UUID, label: str, context: bytes) -> str:
    """Which key of a machine wraps: each epoch key has one of its own, for `Root.retire`."""
    return name if label != "epoch" else f"{name}-{cell_id}-epoch-{int.from_bytes(context)}"


def name_cell(folder: Path, cell_id: UUID) -> None:
    """Gives an empty key folder the id of a cell that comes from elsewhere. Raises
    KeyFileRefused."""
    private.check_folder(folder)
    private.write(folder / CELL_ID_FILE, f"{CELL_ID_FORMAT} {cell_id}\n".encode())


def cell_id_in(folder: Path) -> UUID:
    """The id of a cell whose root is not a file, drawn at the first start. Raises
    KeyFileRefused."""
    path = folder / CELL_ID_FILE
    private.check_folder(folder)
    if not (folder / CELL_KEY_FILE).exists():
        private.write(path, f"{CELL_ID_FORMAT} {new_id()}\n".encode())
    with contextlib.suppress(ValueError):
        kind, text = private.needed(path, "cell id").decode().split()
        if kind == CELL_ID_FORMAT:
            return UUID(text)
    raise KeyFileRefused(f"The file {path} is damaged.", next_step=private.RESTORE)


class RootKey:
    """The cell's id and its 256-bit root key. Its text form names the cell and hides the key."""

    __slots__ = ("_key", "cell_id")

    def __init__(self, cell_id: UUID, key: bytes) -> None:
        if len(key) != seal.KEY_BYTES:
            raise ValueError("a root key has 32 bytes")
        self.cell_id = cell_id
        self._key = key

    def __repr__(self) -> str:
        return f"RootKey(cell_id={self.cell_id}, key=hidden)"

    def __reduce__(self) -> str:
        # A pickled key would land in a queue, a cache or a crash report.
        raise TypeError("a root key is not pickled")

    def secret(self) -> bytes:
        """The key itself; for the cell secret of the first version, and nothing else."""
        return self._key

    def wrap(self, label: str, secret: bytes, context: bytes = b"") -> bytes:
        """The secret sealed under a key derived for the label."""
        return seal.seal_at(self._wrapping(label), secret, bound(self.cell_id, label, context))

    def unwrap(self, label: str, wrapped: bytes, context: bytes = b"") -> bytes:
        """What `wrap` was given. Raises AnotherRoot."""
        try:
            return seal.open_at(self._wrapping(label), wrapped, bound(self.cell_id, label, context))
        except seal.SealBroken:
            raise AnotherRoot from None

    def retire(self, epoch: bytes) -> None:
        """Nothing: one key in one file opens what it has wrapped as long as it lives."""

    def _wrapping(self, label: str) -> bytes:
        # The prefix is none of those of `CellSecret.derived`: in a cell of the first version both
        # start from the same secret.
        return seal.derive(self.cell_id, self._key, f"luciole/root/v1\0wrap-{label}")

    @classmethod
    def generate(cls) -> RootKey:
        """A new root key for a new cell."""
        return cls(new_id(), seal.new_key())

    @classmethod
    def load(cls, path: Path) -> RootKey:
        """The root key in `path`. Raises FileNotFoundError, KeyFileRefused."""
        with contextlib.suppress(ValueError):
            kind, cell_id, key = private.read(path, "root key file").decode().split()
            if kind == FORMAT:
                return cls(UUID(cell_id), base64.b64decode(key, validate=True))
        raise KeyFileRefused(
            f"The root key file {path} is damaged.",
            next_step="Put back your copy of it; without it, what is sealed stays sealed. For a "
            "new, empty cell, move the file away and start again.",
        )

    @classmethod
    def load_or_make(cls, path: Path) -> RootKey:
        """The root key in `path`, made at the first start. Several processes may call it at once
        and all get the same key. Raises KeyFileRefused."""
        if not path.exists():
            cls.make(path, new_id())
        return cls.load(path)

    @classmethod
    def make(cls, path: Path, cell_id: UUID) -> None:
        """A new root key for a cell that there is already: it has got another operator. A file
        that is there stays."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = f"{FORMAT} {cell_id} {base64.b64encode(seal.new_key()).decode()}\n"
        private.write(path, text.encode())
