"""Two persons, and a field of theirs."""

from __future__ import annotations

from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from luciole.keys import CellSecret, KeyStore, RootKey, open_field, seal, seal_field

ANA = UUID("0190b6a5-1111-7000-8000-000000000001")
BEN = UUID("0190b6a5-2222-7000-8000-000000000002")
CAT = UUID("0190b6a5-4444-7000-8000-000000000004")
LABEL_KEY = b"L" * 32


def sealed(store: KeyStore, person_id: UUID, plaintext: bytes = b"ana@example.org") -> bytes:
    return seal_field(
        store.data_key(person_id),
        plaintext,
        cell_id=store.cell_id,
        person_id=person_id,
        field_id="contact.email",
        version=1,
    )


def opened(store: KeyStore, person_id: UUID, field: bytes) -> bytes:
    return open_field(
        store.data_key(person_id),
        field,
        cell_id=store.cell_id,
        person_id=person_id,
        field_id="contact.email",
        version=1,
    )


def first_wrap(root: RootKey, person_id: UUID, data_key: bytes = b"k" * 32) -> bytes:
    """A data key as version 0.1.0 wrapped it, under a root key in a file."""
    secret = CellSecret(root.cell_id, root.secret())
    where = seal.place("luciole/wrap/v1", root.cell_id, person_id, "data-key", 1)
    sealed = seal.encrypt(AESGCMSIV(secret.derived("wrap")), data_key, where)
    return secret.derived("root-id")[:8] + sealed
