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

_FIELD = "luciole/field/v1"

# A plaintext; the name marks the places where personal data is in the clear.
Opened = bytes


class SealBroken(Exception):
    """The bytes were not sealed for this person, field, version and cell, or were changed."""


def new_key() -> bytes:
    """256 random bits."""
    return os.urandom(KEY_BYTES)


def derive(cell_id: UUID, secret: bytes, info: str) -> bytes:
    """HKDF-SHA256 (RFC 5869) with the cell id as salt, to 256 bits."""
    kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=cell_id.bytes, info=info.encode())
    return kdf.derive(secret)


def seal_field(
    data_key: bytes,
    plaintext: Opened,
    *,
    cell_id: UUID,
    person_id: UUID,
    field_id: str,
    version: int,
) -> bytes:
    """Seals a field of a person under the person's data key; 29 bytes longer than the plaintext.

    `field_id` is the field's name in the data catalogue and is never used again for another
    field; `version` is stored beside the result and counts the writes of the field, so that an
    older value put back under a newer version does not open.
    """
    where = place(_FIELD, cell_id, person_id, field_id, version)
    return encrypt(AESGCMSIV(data_key), plaintext, where)


def open_field(
    data_key: bytes, sealed: bytes, *, cell_id: UUID, person_id: UUID, field_id: str, version: int
) -> Opened:
    """What `seal_field` was given, if every part of the place is the same. Raises SealBroken."""
    where = place(_FIELD, cell_id, person_id, field_id, version)
    return decrypt(AESGCMSIV(data_key), sealed, where)


def place(label: str, cell_id: UUID, person_id: UUID, field_id: str, version: int) -> bytes:
    """Associated data that says where a sealed thing belongs (see the module)."""
    return (
        label.encode()
        + b"\0"
        + cell_id.bytes
        + person_id.bytes
        + struct.pack(">I", version)
        + field_id.encode()
    )


def encrypt(key: AESGCMSIV, plaintext: bytes, where: bytes) -> bytes:
    """The plaintext in the format above, bound to the place."""
    nonce = os.urandom(NONCE_BYTES)
    return FORMAT + nonce + key.encrypt(nonce, plaintext, where)


def decrypt(key: AESGCMSIV, sealed: bytes, where: bytes) -> bytes:
    """Raises SealBroken."""
    # One answer for every defect: which part was wrong is nobody's business.
    if len(sealed) < OVERHEAD_BYTES or sealed[:1] != FORMAT:
        raise SealBroken("This value was not sealed for this place.")
    nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return key.decrypt(nonce, ciphertext, where)
    except InvalidTag:
        raise SealBroken("This value was not sealed for this place.") from None
