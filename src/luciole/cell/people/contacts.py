"""E-mail and telephone number: optional, sealed, found again only through a keyed index.

Giving an address that another account has given before works like any other, so that nobody
learns whose address it is; only the first account is found by it. Nothing is sent to an address
in this version, so none counts as confirmed.
"""

from __future__ import annotations

from uuid import UUID

from luciole.ask.client import Custody
from luciole.cell.people import model, refusals
from luciole.cell.people.model import FIELD_OF, Contact, ContactKind
from luciole.cell.people.store import accounts
from luciole.cell.people.store import contacts as store
from luciole.custody.model import Field, Grant, StaffRead
from luciole.kit.db import Tx


class Contacts:
    """Sealed addresses of people. The key broker opens them, under a grant."""

    def __init__(self, custody: Custody) -> None:
        self._custody = custody

    async def of(self, tx: Tx, grant: Grant) -> list[Contact]:
        """The addresses of the grant's person in the clear. Raises what `Custody.open` raises."""
        sealed = await store.contacts(tx, grant.person_id)
        if not sealed:
            return []
        fields = [Field(FIELD_OF[each.kind], each.version, each.sealed) for each in sealed]
        opened = await self._custody.open(grant, fields)
        return [
            Contact(each.kind, value.decode()) for each, value in zip(sealed, opened, strict=True)
        ]

    async def of_approved(self, tx: Tx, token: str, read: StaffRead) -> list[Contact]:
        """The addresses that an approved request of staff covers; the key broker notes the read
        first. Raises what `Custody.open_read` raises."""
        sealed = [
            each
            for each in await store.contacts(tx, read.person_id)
            if FIELD_OF[each.kind] in read.said["columns"]
        ]
        fields = [Field(FIELD_OF[each.kind], each.version, each.sealed) for each in sealed]
        opened = await self._custody.open_read(token, read.id, fields)
        return [
            Contact(each.kind, value.decode()) for each, value in zip(sealed, opened, strict=True)
        ]

    async def put(self, tx: Tx, grant: Grant, kind: ContactKind, typed: str) -> Contact:
        """Seals an address in place of the former one. Raises BadEmail, BadPhone, and what
        `Custody.seal` raises."""
        value, person_id = model.contact_of(kind, typed), grant.person_id
        index = await self._custody.index(kind, model.index_form(kind, value))
        await accounts.lock(tx, person_id)
        version = await store.version(tx, person_id, kind) + 1
        field = Field(FIELD_OF[kind], version, value.encode())
        (sealed,) = await self._custody.seal(grant, [field])
        await store.set_contact(tx, person_id, kind, sealed, version, index)
        return Contact(kind, value)

    async def drop(self, tx: Tx, person_id: UUID, kind: ContactKind) -> None:
        """Raises NoSuchContact."""
        if not await store.drop_contact(tx, person_id, kind):
            raise refusals.NoSuchContact

    async def find(self, tx: Tx, kind: ContactKind, typed: str) -> UUID | None:
        """Whose address this is. Raises BadEmail, BadPhone."""
        value = model.index_form(kind, model.contact_of(kind, typed))
        return await store.person_by_address(tx, kind, await self._custody.index(kind, value))
