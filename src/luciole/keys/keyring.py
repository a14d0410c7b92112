"""What the cell does with a root key in its own process: wrap data keys, seal fields, derive.

The formats are those of `seal` and `secret`; the key store keeps what this class wraps elsewhere.
"""

from __future__ import annotations

import hmac
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from luciole.keys import seal
from luciole.keys.root import RootKey
from luciole.keys.seal import Opened
from luciole.keys.secret import ROOT_ID_BYTES, CellSecret, WrongRootKey

_WRAP = "luciole/wrap/v1"


class Keyring:
    """Everything that needs the root key. It hands out derived keys, never the root key, and
    opens a person's data key only for the length of one call."""

    __slots__ = ("_secret", "_wrapping", "cell_id", "root_id")

    def __init__(self, root: RootKey) -> None:
        self.cell_id: UUID = root.cell_id
        self._secret = CellSecret(root.cell_id, root.secret())
        self._wrapping = AESGCMSIV(self.derived("wrap"))
        # Names the root key in each wrap without saying anything about it.
        self.root_id: bytes = self.derived("root-id")[:ROOT_ID_BYTES]

    def __repr__(self) -> str:
        return f"Keyring(cell_id={self.cell_id}, root=hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a keyring is not pickled")

    def derived(self, purpose: str) -> bytes:
        """A 256-bit key for one purpose, the same at each start. Purposes in use: `cursors`,
        `devices`, `media-links`."""
        return self._secret.derived(purpose)

    def index(self, kind: str, normalised: str) -> bytes:
        """Where a sealed value is found again (see `CellSecret.index`)."""
        return self._secret.index(kind, normalised)

    def new_data_key(self, person_id: UUID) -> bytes:
        """A new data key for a person, wrapped: root id (8) ‖ sealed key. Store it apart from the
        fields; when its last copy is gone, they are unreadable for good."""
        place = seal.place(_WRAP, self.cell_id, person_id, "data-key", 1)
        return self.root_id + seal.encrypt(self._wrapping, seal.new_key(), place)

    def seal(
        self, wrapped: bytes, plaintext: Opened, *, person_id: UUID, field_id: str, version: int
    ) -> bytes:
        """Seals a field of a person under the person's data key (see `seal.seal_field`). Raises
        WrongRootKey, SealBroken (for a data key that is not this person's)."""
        return seal.seal_field(
            self._unwrap(wrapped, person_id),
            plaintext,
            cell_id=self.cell_id,
            person_id=person_id,
            field_id=field_id,
            version=version,
        )

    def open(
        self, wrapped: bytes, sealed: bytes, *, person_id: UUID, field_id: str, version: int
    ) -> Opened:
        """What `seal` was given, if every part of the place is the same. Raises SealBroken,
        WrongRootKey."""
        return seal.open_field(
            self._unwrap(wrapped, person_id),
            sealed,
            cell_id=self.cell_id,
            person_id=person_id,
            field_id=field_id,
            version=version,
        )

    def _unwrap(self, wrapped: bytes, person_id: UUID) -> bytes:
        root_id, sealed = wrapped[:ROOT_ID_BYTES], wrapped[ROOT_ID_BYTES:]
        if not hmac.compare_digest(root_id, self.root_id):
            raise WrongRootKey("This data key was wrapped under another root key.")
        place = seal.place(_WRAP, self.cell_id, person_id, "data-key", 1)
        return seal.decrypt(self._wrapping, sealed, place)
