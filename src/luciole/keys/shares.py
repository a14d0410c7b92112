"""The inner layer of the wraps: under a share key that lies here, alone or with a second half.

    alone     inner = seal(share key, data key)
    guarded   inner = seal(HKDF(share key ‖ half), data key)
              card  = seal(share key, handle (16) ‖ box (32) ‖ label key (32))

The half is 32 random bytes that a guardian in another cell keeps under the handle: without it the
share key and every file here open nothing of that person. The card is what this cell needs while it
has no half: to ask for it, to make the person's labels, and to seal what an entry of the log means
for the person alone. `box` is an X25519 public key whose private key comes from the data key.

What the caller must still do: forget a half after minutes, and show nobody one that is not theirs.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from luciole.keys import backup, private, seal
from luciole.keys.root import Root
from luciole.keys.seal import Layer, SealBroken

INNER = "luciole/inner/v1"
GUARDED = "luciole/guarded/v1"
CARD = "luciole/card/v1"
BOX = "luciole/box/v1"
SHARE_ID_BYTES = 16
HANDLE_BYTES = 16
BOX_BYTES = 32
# The first byte of what a box holds; sealing under a key begins with 0x01.
BOX_FORMAT = b"\x02"

# RFC 9180, base mode.
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class Half(NamedTuple):
    """What the guardian holds of one person's key, and under which handle."""

    handle: bytes
    secret: bytes

    def __repr__(self) -> str:
        return "Half(hidden)"

    @classmethod
    def new(cls) -> Half:
        """Both drawn at random."""
        return cls(seal.new_key()[:HANDLE_BYTES], seal.new_key())


class Card(NamedTuple):
    """What this cell has of a guarded person without the half."""

    handle: bytes
    box: bytes
    label_key: bytes

    def __repr__(self) -> str:
        return "Card(hidden)"


class Shares:
    """The layers of one share key."""

    def __init__(self, key: bytes, cell_id: UUID, share_id: bytes) -> None:
        self._key, self._cell_id, self._share_id = key, cell_id, share_id
        self.alone = Layer(key, INNER, cell_id, share_id)
        self._cards = Layer(key, CARD, cell_id, share_id)

    def guarded(self, half: Half) -> Layer:
        """The layer for the one person whose half that is."""
        key = seal.derive(self._cell_id, self._key + half.secret, GUARDED)
        return Layer(key, GUARDED, self._cell_id, self._share_id + half.handle)

    def card(self, person: bytes, half: Half, data_key: bytes, label_key: bytes) -> bytes:
        """The person's card, sealed."""
        return self._cards.wrap(person, half.handle + box_of(self._cell_id, data_key) + label_key)

    def read(self, person: bytes, sealed: bytes) -> Card:
        """Raises SealBroken."""
        text = self._cards.unwrap(person, sealed)
        at = HANDLE_BYTES + BOX_BYTES
        return Card(text[:HANDLE_BYTES], text[HANDLE_BYTES:at], text[at:])


def local(folder: Path, root: Root, *, is_new: bool) -> Shares:
    """The share of this cell: id (16) ‖ key, wrapped by the root. Drawn for a new cell. Raises
    KeyFileRefused."""
    path = folder / backup.SHARE_FILE
    if is_new:
        drawn = seal.new_key()[:SHARE_ID_BYTES]
        private.write(path, drawn + root.wrap("share", seal.new_key(), drawn))
    text = private.needed(path, "share key")
    share_id, wrapped = text[:SHARE_ID_BYTES], text[SHARE_ID_BYTES:]
    return Shares(root.unwrap("share", wrapped, share_id), root.cell_id, share_id)


def put_in_box(box: bytes, plaintext: bytes, where: bytes) -> bytes:
    """Seals for who has the private key, and for a place; 0x02 ‖ HPKE."""
    return BOX_FORMAT + _SUITE.encrypt(plaintext, X25519PublicKey.from_public_bytes(box), where)


def open_box(cell_id: UUID, secret: bytes, sealed: bytes, where: bytes) -> bytes:
    """What `put_in_box` was given for the box of that secret. Raises SealBroken."""
    try:
        return _SUITE.decrypt(sealed[len(BOX_FORMAT) :], _private(cell_id, secret), where)
    except (InvalidTag, ValueError):
        raise SealBroken("This was not put into this box.") from None


def box_of(cell_id: UUID, secret: bytes) -> bytes:
    """The public key of the box that a secret opens."""
    return _private(cell_id, secret).public_key().public_bytes_raw()


def _private(cell_id: UUID, secret: bytes) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(seal.derive(cell_id, secret, BOX))
