"""Two persons, and a field of theirs."""

from __future__ import annotations

from uuid import UUID

from luciole.keys import KeyStore, open_field, seal_field

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
