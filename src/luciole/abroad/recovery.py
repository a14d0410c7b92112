"""The recovery key of a cell: what opens its backups abroad, and nothing else does.

    luciole-recovery-key-v1 <cell id> <seed> <key of names>         the operator's, off the machine
    luciole-recovery-public-v1 <cell id> <public> <key of names>    abroad/recovery.pub, in the cell

The running cell seals, and cannot open what it has sealed. The key of names says how pieces are
called; it opens nothing.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from luciole.keys import private, seal
from luciole.keys.hpke import Receiver, Sealer
from luciole.keys.private import KeyFileRefused
from luciole.kit.errors import Conflict, NotFound

SECRET = "luciole-recovery-key-v1"  # noqa: S105 - the name of a format
PUBLIC = "luciole-recovery-public-v1"
FILE = "recovery.pub"


class NoRecoveryKey(NotFound):
    code = "abroad-no-key"
    sentence = "This cell has no recovery key yet, so nothing can be sealed for another cell."
    next_step = "Make one: ./luciole abroad key FILE, and keep that file off this machine."


class HasRecoveryKey(Conflict):
    code = "abroad-key-there"
    sentence = "This cell has a recovery key already; backups abroad are sealed to it."
    next_step = (
        "Keep using it. For a new one, stop the cell and delete the folder abroad in its data "
        "folder first: everything is sent anew then."
    )


class RecoveryKey(NamedTuple):
    """The whole key."""

    cell_id: UUID
    receiver: Receiver
    names: bytes


class RecoveryPublic(NamedTuple):
    """The half that seals. `fingerprint` tells which key it is, for people to compare."""

    cell_id: UUID
    sealer: Sealer
    names: bytes
    fingerprint: str


def make(path: Path, folder: Path, cell_id: UUID) -> RecoveryPublic:
    """Draws a key: the whole goes into the file, which must not exist, its public half into the
    folder. If we stop in between, the file is worth nothing and the next run refuses it. Raises
    HasRecoveryKey, KeyFileRefused."""
    if (folder / FILE).exists():
        raise HasRecoveryKey
    if path.exists():
        raise KeyFileRefused(f"{path} is there already.", next_step="Name a file that is not.")
    seed, names = seal.new_key(), seal.new_key()
    public = Receiver(seed).public
    private.write(path, _line(SECRET, cell_id, seed, names))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    private.write(folder / FILE, _line(PUBLIC, cell_id, public, names))
    return public_of(folder)


def public_of(folder: Path) -> RecoveryPublic:
    """Raises NoRecoveryKey, KeyFileRefused."""
    try:
        text = private.read(folder / FILE, "public half of the recovery key")
    except FileNotFoundError:
        raise NoRecoveryKey from None
    cell_id, public, names = _parsed(PUBLIC, text, folder / FILE)
    fingerprint = hashlib.sha256(public).hexdigest()[:32]
    return RecoveryPublic(cell_id, Sealer(public), names, fingerprint)


def load(path: Path) -> RecoveryKey:
    """The whole key. Raises KeyFileRefused."""
    text = private.needed(path, "recovery key", "Without it, nothing of the backup can be opened.")
    cell_id, seed, names = _parsed(SECRET, text, path)
    return RecoveryKey(cell_id, Receiver(seed), names)


def put_public(path: Path, folder: Path) -> None:
    """Puts the public half of a key into a restored cell, which goes on with it."""
    cell_id, seed, names = _parsed(SECRET, private.needed(path, "recovery key"), path)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = _line(PUBLIC, cell_id, Receiver(seed).public, names)
    private.write(folder / FILE, line, replace=True)


def _line(kind: str, cell_id: UUID, key: bytes, names: bytes) -> bytes:
    words = (kind, str(cell_id), *(base64.b64encode(each).decode() for each in (key, names)))
    return f"{' '.join(words)}\n".encode()


def _parsed(kind: str, text: bytes, path: Path) -> tuple[UUID, bytes, bytes]:
    with contextlib.suppress(ValueError):
        found, cell_id, *keys = text.decode().split()
        key, names = (base64.b64decode(each, validate=True) for each in keys)
        if found == kind:
            return UUID(cell_id), key, names
    raise KeyFileRefused(f"{path} is no {kind} file, or is damaged.", next_step="Find your copy.")
