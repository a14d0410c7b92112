"""E-mail and telephone number: optional, sealed, found again only through a keyed index.

Giving an address that another account has given before works like any other, so that nobody
learns whose address it is; only the first account is found by it. Nothing is sent to an address
in this version, so none counts as confirmed.
"""

from __future__ import annotations

from uuid import UUID

from luciole.cell.people import model, refusals
from luciole.cell.people.model import FIELD_OF, Contact, ContactKind
from luciole.cell.people.store import accounts
from luciole.cell.people.store import contacts as store
from luciole.keys import Keyring, SealBroken, WrongRootKey
from luciole.kit.db import Tx


class Contacts:
    """Sealed addresses of people."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def of(self, tx: Tx, person_id: UUID) -> list[Contact]:
        """The addresses of a person in the clear: for that person's own eyes."""
        sealed = await store.contacts(tx, person_id)
        if not sealed:
            return []
        wrapped = await store.data_key(tx, person_id)
        return [
            Contact(
                each.kind,
                self._keyring.open(
                    wrapped,
                    each.sealed,
                    person_id=person_id,
                    field_id=FIELD_OF[each.kind],
                    version=each.version,
                ).decode(),
            )
            for each in sealed
        ]

    async def put(self, tx: Tx, person_id: UUID, kind: ContactKind, typed: str) -> Contact:
        """Seals an address in place of the former one. Raises BadEmail, BadPhone."""
        value = model.contact_of(kind, typed)
        await accounts.lock(tx, person_id)
        version = await store.version(tx, person_id, kind) + 1
        sealed = self._keyring.seal(
            await store.data_key(tx, person_id),
            value.encode(),
            person_id=person_id,
            field_id=FIELD_OF[kind],
            version=version,
        )
        index = self._keyring.index(kind, model.index_form(kind, value))
        await store.set_contact(tx, person_id, kind, sealed, version, index)
        return Contact(kind, value)

    async def drop(self, tx: Tx, person_id: UUID, kind: ContactKind) -> None:
        """Raises NoSuchContact."""
        if not await store.drop_contact(tx, person_id, kind):
            raise refusals.NoSuchContact

    async def find(self, tx: Tx, kind: ContactKind, typed: str) -> UUID | None:
        """Whose address this is. Raises BadEmail, BadPhone."""
        value = model.index_form(kind, model.contact_of(kind, typed))
        return await store.person_by_address(tx, kind, self._keyring.index(kind, value))

    async def fits_keys(self, tx: Tx) -> bool:
        """Whether the root key file is the one under which this database was sealed; an empty
        database fits any. For the start of the cell and for `luciole doctor`."""
        found = await store.any_data_key(tx)
        if found is None:
            return True
        person_id, wrapped = found
        try:
            self._keyring.seal(wrapped, b"", person_id=person_id, field_id="check", version=0)
        except (SealBroken, WrongRootKey):
            return False
        return True
