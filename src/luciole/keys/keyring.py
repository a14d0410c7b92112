"""What the cell does with its root key: wrap data keys, seal fields, index, derive.

Sealing is AES-256-GCM-SIV (RFC 8452): a nonce that repeats by accident shows only whether two
plaintexts were equal, where plain GCM would lose the key's authenticity altogether. Every sealed
thing is

    version (1 byte, 0x01) ‖ nonce (12) ‖ ciphertext ‖ tag (16)

and is bound by its associated data to where it belongs:

    label ‖ 0x00 ‖ cell id (16) ‖ person id (16) ‖ version (4, big-endian) ‖ field id (UTF-8)

`label` ends at the zero byte and the rest has fixed lengths up to the last part, so that no two
places share an encoding. None of these names a table: they survive a migration and a sale, and a
ciphertext moved to another person, field, version or cell does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from luciole.keys.root import RootKey

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
FORMAT = b"\x01"
ROOT_ID_BYTES = 8
OVERHEAD_BYTES = len(FORMAT) + NONCE_BYTES + TAG_BYTES

_WRAP = "luciole/wrap/v1"
_FIELD = "luciole/field/v1"

# A plaintext; the name marks the places where personal data is in the clear.
Opened = bytes


class SealBroken(Exception):
    """The bytes were not sealed for this person, field, version and cell, or were changed."""


class WrongRootKey(Exception):
    """The data key was wrapped under another root key: the key file is not this database's."""


class Keyring:
    """Everything that needs the root key. It hands out derived keys, never the root key, and
    opens a person's data key only for the length of one call.

    The custody process of a larger cell can stand in for this class: its callers hold wrapped
    keys and sealed fields, and never see a data key.
    """

    __slots__ = ("_root", "_wrapping", "cell_id", "root_id")

    def __init__(self, root: RootKey) -> None:
        self.cell_id: UUID = root.cell_id
        self._root = root
        self._wrapping = AESGCMSIV(self.derived("wrap"))
        # Names the root key in each wrap without saying anything about it.
        self.root_id: bytes = self.derived("root-id")[:ROOT_ID_BYTES]

    def __repr__(self) -> str:
        return f"Keyring(cell_id={self.cell_id}, root=hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a keyring is not pickled")

    def derived(self, purpose: str) -> bytes:
        """A 256-bit key for one purpose, the same at each start: HKDF-SHA256 (RFC 5869) of the
        root key with the cell id as salt. Purposes in use: `cursors`, `devices`, `media-links`."""
        return HKDF(
            algorithm=SHA256(),
            length=KEY_BYTES,
            salt=self.cell_id.bytes,
            info=b"luciole/derived/v1\0" + purpose.encode(),
        ).derive(self._root.secret())

    def index(self, kind: str, normalised: str) -> bytes:
        """Where a sealed value is found again: HMAC-SHA256 under a key of its own per kind.

        Who has the database but not the root key cannot try addresses against it. Who has both
        can: telephone numbers are few enough to try them all.
        """
        return hmac.digest(self.derived(f"index/{kind}"), normalised.encode(), hashlib.sha256)

    def new_data_key(self, person_id: UUID) -> bytes:
        """A new data key for a person, wrapped: root id (8) ‖ sealed key. Store it apart from the
        fields; when its last copy is gone, they are unreadable for good."""
        data_key = AESGCMSIV.generate_key(KEY_BYTES * 8)
        place = self._place(_WRAP, person_id, "data-key", 1)
        return self.root_id + _encrypt(self._wrapping, data_key, place)

    def seal(
        self, wrapped: bytes, plaintext: Opened, *, person_id: UUID, field_id: str, version: int
    ) -> bytes:
        """Seals a field of a person under the person's data key.

        `field_id` is the field's name in the data catalogue and is never used again for another
        field; `version` is stored beside the result and counts the writes of the field, so that
        an older value put back under a newer version does not open. Raises WrongRootKey,
        SealBroken (for a data key that is not this person's).
        """
        data_key = self._unwrap(wrapped, person_id)
        return _encrypt(data_key, plaintext, self._place(_FIELD, person_id, field_id, version))

    def open(
        self, wrapped: bytes, sealed: bytes, *, person_id: UUID, field_id: str, version: int
    ) -> Opened:
        """What `seal` was given, if every part of the place is the same. Raises SealBroken,
        WrongRootKey."""
        data_key = self._unwrap(wrapped, person_id)
        return _decrypt(data_key, sealed, self._place(_FIELD, person_id, field_id, version))

    def _unwrap(self, wrapped: bytes, person_id: UUID) -> AESGCMSIV:
        root_id, sealed = wrapped[:ROOT_ID_BYTES], wrapped[ROOT_ID_BYTES:]
        if not hmac.compare_digest(root_id, self.root_id):
            raise WrongRootKey("This data key was wrapped under another root key.")
        place = self._place(_WRAP, person_id, "data-key", 1)
        return AESGCMSIV(_decrypt(self._wrapping, sealed, place))

    def _place(self, label: str, person_id: UUID, field_id: str, version: int) -> bytes:
        return (
            label.encode()
            + b"\0"
            + self.cell_id.bytes
            + person_id.bytes
            + struct.pack(">I", version)
            + field_id.encode()
        )


def _encrypt(key: AESGCMSIV, plaintext: bytes, place: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return FORMAT + nonce + key.encrypt(nonce, plaintext, place)


def _decrypt(key: AESGCMSIV, sealed: bytes, place: bytes) -> bytes:
    # One answer for every defect: which part was wrong is nobody's business.
    if len(sealed) < OVERHEAD_BYTES or sealed[:1] != FORMAT:
        raise SealBroken("This value was not sealed for this place.")
    nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return key.decrypt(nonce, ciphertext, place)
    except InvalidTag:
        raise SealBroken("This value was not sealed for this place.") from None
