"""The inner half of a person's wrap: a share that somebody else may hold.

Here it is a key beside the others. A guardian in another cell takes its place behind the same
protocol: then no single operator can open a person's data key.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from luciole.keys import private, seal
from luciole.keys.root import Root

SHARE_ID_BYTES = 16
_INNER = b"luciole/inner/v1\0"


class Share(Protocol):
    """Wraps data keys under a share key. Bound to cell, person and the share's own id (16 bytes,
    public)."""

    @property
    def share_id(self) -> bytes: ...

    def wrap(self, person_id: UUID, data_key: bytes) -> bytes: ...

    def unwrap(self, person_id: UUID, inner: bytes) -> bytes:
        """Raises SealBroken."""
        ...


class LocalShare:
    """A share key in `keys/share.wrapped`, wrapped by the root: id (16) ‖ wrapped key."""

    def __init__(self, cell_id: UUID, share_id: bytes, key: bytes) -> None:
        self.share_id = share_id
        self._cell = cell_id.bytes
        self._cipher = AESGCMSIV(key)

    @classmethod
    def load(cls, folder: Path, root: Root, *, is_new: bool) -> LocalShare:
        """The share of the cell whose key folder this is; drawn for a new one. Raises
        KeyFileRefused, AnotherRoot, RootUnavailable."""
        path = folder / "share.wrapped"
        if is_new:
            drawn = seal.new_key()[:SHARE_ID_BYTES]
            private.write(path, drawn + root.wrap("share", seal.new_key(), drawn))
        text = private.read_needed(path, "share key")
        share_id, wrapped = text[:SHARE_ID_BYTES], text[SHARE_ID_BYTES:]
        return cls(root.cell_id, share_id, root.unwrap("share", wrapped, share_id))

    def wrap(self, person_id: UUID, data_key: bytes) -> bytes:
        """The data key under the share key."""
        return seal.encrypt(self._cipher, data_key, self._place(person_id))

    def unwrap(self, person_id: UUID, inner: bytes) -> bytes:
        """Raises SealBroken."""
        return seal.decrypt(self._cipher, inner, self._place(person_id))

    def _place(self, person_id: UUID) -> bytes:
        return _INNER + self._cell + person_id.bytes + self.share_id
