"""The cell secret: 256 bits from which the cell's own keys are derived, the same at each start.

It lies in `keys/secret.wrapped`, wrapped by the root. In a cell of the first version the root key
itself was derived from; there the cell secret equals it, so that indexes, cursors and signatures
of before stay valid when another root takes over.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from uuid import UUID

from luciole.keys import private, seal
from luciole.keys.root import CELL_KEY_FILE, Root, RootKey

ROOT_ID_BYTES = 8
FIRST_WRAP = "luciole/wrap/v1"


class WrongRootKey(Exception):
    """The data key was wrapped under another root key: the key file is not this database's."""


class CellSecret:
    """Hands out derived keys, never the secret."""

    __slots__ = ("_secret", "cell_id")

    def __init__(self, cell_id: UUID, secret: bytes) -> None:
        self.cell_id = cell_id
        self._secret = secret

    @classmethod
    def load(cls, folder: Path, root: Root, *, is_new: bool) -> CellSecret:
        """The secret of the cell whose key folder this is; drawn for a new one. Raises
        KeyFileRefused."""
        path = folder / CELL_KEY_FILE
        if is_new and not path.exists():
            # In a cell of the first version everything was derived from the root key in the file.
            # A new cell with such a file does the same: who has the file has all below it anyway.
            secret = root.secret() if isinstance(root, RootKey) else seal.new_key()
            private.write(path, root.wrap("secret", secret))
        return cls(root.cell_id, root.unwrap("secret", private.needed(path, "cell secret")))

    @staticmethod
    def bring(folder: Path, root: Root, secret: bytes) -> None:
        """Puts the secret of a new operator into the key folder of a cell that is handed over,
        before its store is opened the first time."""
        private.write(folder / CELL_KEY_FILE, root.wrap("secret", secret))

    def __repr__(self) -> str:
        return f"CellSecret(cell_id={self.cell_id}, secret=hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a cell secret is not pickled")

    def derived(self, purpose: str) -> bytes:
        """A 256-bit key for one purpose. Which purposes there are is the key broker's list."""
        return seal.derive(self.cell_id, self._secret, f"luciole/derived/v1\0{purpose}")

    def index(self, kind: str, normalised: str) -> bytes:
        """Where a sealed value is found again: HMAC-SHA256 under a key of its own per kind.

        Who has the database but not the secret cannot try addresses against it. Who has both
        can: telephone numbers are few enough to try them all.
        """
        return hmac.digest(self.derived(f"index/{kind}"), normalised.encode(), hashlib.sha256)

    def open_first_wrap(self, person_id: UUID, wrapped: bytes) -> bytes:
        """The data key in a wrap of the first version: root id (8) ‖ data key sealed under a key
        derived for it. For the move into the key store. Raises WrongRootKey, seal.SealBroken."""
        root_id, sealed = wrapped[:ROOT_ID_BYTES], wrapped[ROOT_ID_BYTES:]
        if not hmac.compare_digest(root_id, self.derived("root-id")[:ROOT_ID_BYTES]):
            raise WrongRootKey("This data key was wrapped under another root key.")
        where = seal.place(FIRST_WRAP, self.cell_id, person_id, "data-key", 1)
        return seal.open_at(self.derived("wrap"), sealed, where)
