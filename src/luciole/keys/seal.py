"""Sealing: one format, and one way to bind what is sealed to where it belongs. And deriving.

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

import os
import struct
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
FORMAT = b"\x01"
OVERHEAD_BYTES = len(FORMAT) + NONCE_BYTES + TAG_BYTES
FIELD = "luciole/field/v1"


class SealBroken(Exception):
    """The bytes were not sealed for this person, field, version and cell, or were changed."""


def new_key() -> bytes:
    """256 random bits."""
    return os.urandom(KEY_BYTES)


def derive(cell_id: UUID, secret: bytes, info: str) -> bytes:
    """HKDF-SHA256 (RFC 5869) with the cell id as salt, to 256 bits."""
    return HKDF(SHA256(), KEY_BYTES, salt=cell_id.bytes, info=info.encode()).derive(secret)


def seal_field(
    key: bytes, plaintext: bytes, *, cell_id: UUID, person_id: UUID, field_id: str, version: int
) -> bytes:
    """Seals a field of a person under the person's data key; 29 bytes longer than the plaintext.

    `field_id` is the field's name in the data catalogue and is never used again for another
    field; `version` is stored beside the result and counts the writes of the field, so that an
    older value put back under a newer version does not open.
    """
    return seal_at(key, plaintext, place(FIELD, cell_id, person_id, field_id, version))


def open_field(
    key: bytes, sealed: bytes, *, cell_id: UUID, person_id: UUID, field_id: str, version: int
) -> bytes:
    """What `seal_field` was given, if every part of the place is the same. Raises SealBroken."""
    return open_at(key, sealed, place(FIELD, cell_id, person_id, field_id, version))


def seal_at(key: bytes, plaintext: bytes, where: bytes) -> bytes:
    """Seals for a place under a key that is used once."""
    return encrypt(AESGCMSIV(key), plaintext, where)


def open_at(key: bytes, sealed: bytes, where: bytes) -> bytes:
    """Raises SealBroken."""
    return decrypt(AESGCMSIV(key), sealed, where)


class Layer:
    """One layer of the wraps of data keys: a key, and where it belongs. `whose` names the key
    (the number of its epoch, the id of its share); the associated data is

    label ‖ 0x00 ‖ cell id (16) ‖ person id (16) ‖ whose
    """

    def __init__(self, key: bytes, label: str, cell_id: UUID, whose: bytes) -> None:
        self._cipher = AESGCMSIV(key)
        self._before = label.encode() + b"\0" + cell_id.bytes
        self._after = whose

    def wrap(self, person: bytes, inner: bytes) -> bytes:
        return encrypt(self._cipher, inner, self._before + person + self._after)

    def unwrap(self, person: bytes, outer: bytes) -> bytes:
        """Raises SealBroken."""
        return decrypt(self._cipher, outer, self._before + person + self._after)


def place(label: str, cell_id: UUID, person_id: UUID, field_id: str, version: int) -> bytes:
    """Associated data that says where a sealed thing belongs (see the module)."""
    ids = cell_id.bytes + person_id.bytes
    return label.encode() + b"\0" + ids + struct.pack(">I", version) + field_id.encode()


def encrypt(key: AESGCMSIV, plaintext: bytes, where: bytes) -> bytes:
    """The plaintext in the format above, bound to the place."""
    nonce = os.urandom(NONCE_BYTES)
    return FORMAT + nonce + key.encrypt(nonce, plaintext, where)


def decrypt(key: AESGCMSIV, sealed: bytes, where: bytes) -> bytes:
    """Raises SealBroken."""
    # One answer for every defect: which part was wrong is nobody's business.
    try:
        if len(sealed) < OVERHEAD_BYTES or sealed[:1] != FORMAT:
            raise InvalidTag
        return key.decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], where)
    except InvalidTag:
        raise SealBroken("This value was not sealed for this place.") from None
